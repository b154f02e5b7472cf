#include "manifest.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

#include "error.h"
#include "json.h"

namespace fxkit::engine {
namespace {

constexpr int format = 1;

void check_version(const Container& file) {
  const auto found = file.metadata.find("fxkit.format");
  const std::string text = found == file.metadata.end() ? "" : found->second;
  const bool digits = !text.empty() && text.size() < 10 &&
                      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) throw LoadError("is a safetensors file, but not a model file of fxkit");
  const int version = std::stoi(text);
  if (version > format) {
    throw LoadError("its format is version " + std::to_string(version) +
                    ", this fxkit reads up to " + std::to_string(format) + ": update fxkit");
  }
  if (version < 1) throw LoadError("its format is version 0, which never was");
}

[[noreturn]] void refuse(std::string_view where, const std::string& why) {
  throw LoadError("its manifest is not valid: " + std::string(where) + ": " + why);
}

// An object without an entry twice; each(key) returns false for a key that must not be there.
template <class F>
void entries(Json& json, std::string_view where, F each) {
  if (json.peek() != Json::Kind::object) refuse(where, "must be an object");
  std::set<std::string> seen;
  json.object([&](std::string key) {
    if (!seen.insert(key).second) refuse(where, quoted(key) + " is there twice");
    if (!each(key)) refuse(where, quoted(key) + " is not known");
  });
}

std::string text(Json& json, std::string_view where, std::size_t min, std::size_t max) {
  if (json.peek() != Json::Kind::string) refuse(where, "must be text");
  std::string value = json.string();
  const auto characters = static_cast<std::size_t>(
      std::count_if(value.begin(), value.end(), [](char c) { return (c & 0xc0) != 0x80; }));
  if (characters < min || characters > max) refuse(where, "is too short or too long");
  return value;
}

double number(Json& json, std::string_view where, double low, double high) {
  if (json.peek() != Json::Kind::number) refuse(where, "must be a number");
  const double value = json.number().value;
  if (!(std::isfinite(value) && value >= low && value <= high)) refuse(where, "is out of range");
  return value;
}

std::size_t whole(Json& json, std::string_view where, double low, double high) {
  if (json.peek() != Json::Kind::number) refuse(where, "must be a whole number");
  const auto value = json.number();
  if (!value.whole || value.value < low || value.value > high) {
    refuse(where, "must be a whole number in its range");
  }
  return static_cast<std::size_t>(value.value);
}

void level(Json& json, std::string_view where) {
  if (json.peek() == Json::Kind::null) return json.null();
  bool rms = false, peak = false;
  entries(json, where, [&](const std::string& key) {
    if (key == "rms" || key == "peak") {
      (key == "rms" ? rms : peak) = true;
      number(json, where, 0, HUGE_VAL);
    } else if (key == "loudness" || key == "dbu") {
      json.peek() == Json::Kind::null ? json.null() : void(number(json, where, -HUGE_VAL, HUGE_VAL));
    } else {
      return false;
    }
    return true;
  });
  if (!rms || !peak) refuse(where, "rms and peak must be there");
}

Control control(Json& json) {
  Control knob;
  entries(json, "controls", [&](const std::string& key) {
    if (key == "name") {
      knob.name = text(json, "controls.name", 1, 100);
    } else if (key == "default") {
      knob.initial = static_cast<float>(number(json, "controls.default", 0, 1));
    } else {
      return false;
    }
    return true;
  });
  if (knob.name.empty()) refuse("controls.name", "must be there");
  // Names are handed out as C strings.
  if (knob.name.find('\0') != std::string::npos) refuse("controls.name", "must be text");
  return knob;
}

// Anything, as long as its numbers are finite.
void free_form(Json& json) {
  switch (json.peek()) {
    case Json::Kind::object:
      return json.object([&](const std::string&) { free_form(json); });
    case Json::Kind::array:
      return json.array([&] { free_form(json); });
    case Json::Kind::number:
      number(json, "manifest", -HUGE_VAL, HUGE_VAL);
      return;
    default:
      return json.skip();
  }
}

constexpr std::string_view texts[] = {"distribution", "distribution_version", "fxkit", "gear",
                                      "author",       "licence",              "created"};
constexpr std::string_view free_forms[] = {"config", "training", "metrics"};

template <std::size_t N>
bool among(const std::string_view (&names)[N], std::string_view key) {
  return std::find(std::begin(names), std::end(names), key) != std::end(names);
}

}  // namespace

const std::string& manifest_text(const Container& file) {
  check_version(file);
  const auto found = file.metadata.find("fxkit.manifest");
  if (found == file.metadata.end()) throw LoadError("damaged: it has no manifest");
  return found->second;
}

Manifest read_manifest(const std::string& source) {
  constexpr std::size_t max_text = 10'000, max_controls = 1000;
  Manifest manifest;
  bool name = false, model = false;
  Json json(source, "its manifest");
  entries(json, "manifest", [&](const std::string& key) {
    if (key == "name") {
      name = true;
      text(json, key, 0, max_text);
    } else if (key == "model") {
      model = true;
      text(json, key, 1, 200);
    } else if (key == "task") {
      text(json, key, 0, 200);
    } else if (among(texts, key)) {
      text(json, key, 0, max_text);
    } else if (key == "no_graph") {
      manifest.no_graph = text(json, key, 0, max_text);
    } else if (key == "sample_rate") {
      manifest.sample_rate = whole(json, key, 1000, 1'000'000);
    } else if (key == "latency") {
      manifest.latency = whole(json, key, 0, 1 << 22);
    } else if (key == "controls") {
      if (json.peek() != Json::Kind::array) refuse(key, "must be a list");
      json.array([&] {
        if (manifest.controls.size() >= max_controls) refuse(key, "are too many");
        manifest.controls.push_back(control(json));
      });
    } else if (key == "input" || key == "output") {
      level(json, key);
    } else if (among(free_forms, key)) {
      if (json.peek() != Json::Kind::object) refuse(key, "must be an object");
      free_form(json);
    } else {
      return false;
    }
    return true;
  });
  json.end();
  if (!name || !model) refuse(name ? "model" : "name", "must be there");
  return manifest;
}

}  // namespace fxkit::engine
