#include "model_info.h"

#include <filesystem>

#include "json.h"

namespace fxkit::host {
namespace {

using engine::Json;

// A number, or nothing where there is null.
std::optional<double> number_or_null(Json& json) {
  if (json.peek() == Json::Kind::number) return json.number().value;
  json.skip();
  return std::nullopt;
}

// Looks into an object for one key; whatever else is there, or is of another kind, is skipped.
template <class F>
void find(Json& json, std::string_view wanted, F found) {
  if (json.peek() != Json::Kind::object) return json.skip();
  json.object([&](const std::string& key) { key == wanted ? found() : json.skip(); });
}

std::string text(Json& json) {
  if (json.peek() == Json::Kind::string) return json.string();
  json.skip();
  return {};
}

Knob knob(Json& json) {
  Knob knob;
  json.object([&](const std::string& key) {
    if (key == "name") {
      knob.name = text(json);
    } else if (key == "default") {
      knob.standard = static_cast<float>(number_or_null(json).value_or(0.5));
    } else {
      json.skip();
    }
  });
  return knob;
}

}  // namespace

ModelInfo info_of_manifest(std::string_view manifest, const std::string& path) {
  ModelInfo info;
  info.path = path;
  info.format = "fxkit";
  info.sample_rate = 44100;  // what the manifest's format says of one without
  Json json(manifest, "its manifest");
  json.object([&](const std::string& key) {
    if (key == "name") {
      info.name = text(json);
    } else if (key == "author") {
      info.author = text(json);
    } else if (key == "gear") {
      info.gear = text(json);
    } else if (key == "licence") {
      info.licence = text(json);
    } else if (key == "task") {
      info.task = text(json);
    } else if (key == "sample_rate") {
      info.sample_rate = number_or_null(json).value_or(info.sample_rate);
    } else if (key == "latency") {
      info.latency = static_cast<std::size_t>(number_or_null(json).value_or(0));
    } else if (key == "controls") {
      json.array([&] { info.knobs.push_back(knob(json)); });
    } else if (key == "output") {
      find(json, "loudness", [&] { info.output_loudness = number_or_null(json); });
    } else if (key == "metrics") {
      find(json, "scores", [&] { find(json, "esr", [&] { info.esr = number_or_null(json); }); });
    } else {
      json.skip();
    }
  });
  if (info.name.empty()) info.name = stem(path);
  return info;
}

std::string stem(const std::string& path) {
  const auto name = std::filesystem::path(std::u8string(path.begin(), path.end())).stem().u8string();
  return {name.begin(), name.end()};
}

}  // namespace fxkit::host
