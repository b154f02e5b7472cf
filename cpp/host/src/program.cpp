#include "program.h"

#include "fxkit/fxkit.hpp"
#include "json.h"
#include "sha256.h"

namespace fxkit::host {
namespace {

constexpr const char* key = "fxkit.program";
constexpr const char* tensor_name = "program";
constexpr std::size_t max_window = std::size_t{1} << 22, max_controls = 64;

std::size_t number(engine::Json& json, std::size_t low, std::size_t high) {
  const auto value = json.number();
  if (!value.whole || value.value < static_cast<double>(low) ||
      value.value > static_cast<double>(high)) {
    throw Error("damaged: what it says about its program cannot be");
  }
  return static_cast<std::size_t>(value.value);
}

}  // namespace

bool has_program(const engine::Container& file) { return file.metadata.contains(key); }

ProgramInfo read_program_info(const engine::Container& file) {
  const auto text = file.metadata.find(key);
  const auto tensor = file.tensors.find(tensor_name);
  if (text == file.metadata.end() || tensor == file.tensors.end() ||
      tensor->second.dtype != engine::Dtype::u8 || tensor->second.shape.size() != 1 ||
      tensor->second.count == 0) {
    throw Error("damaged: its program is not there");
  }
  ProgramInfo info;
  std::size_t latency = 0;
  engine::Json json(text->second, "what it says about its program");
  json.object([&](const std::string& name) {
    if (name == "backend") {
      info.backend = json.string();
    } else if (name == "sha256") {
      info.sha256 = json.string();
    } else if (name == "version") {
      json.string();
    } else if (name == "window") {
      info.window = number(json, 1, max_window);
    } else if (name == "hop") {
      info.hop = number(json, 1, max_window);
    } else if (name == "latency") {
      latency = number(json, 0, max_window);
    } else if (name == "controls") {
      info.controls = number(json, 0, max_controls);
    } else {
      throw Error("damaged: an unknown entry in what it says about its program");
    }
  });
  json.end();
  if (info.window == 0 || info.hop == 0 || info.hop > info.window || latency != info.window - 1) {
    throw Error("damaged: what it says about its program cannot be");
  }
  if (info.sha256 != sha256(tensor->second.data, tensor->second.count)) {
    throw Error("damaged: its program is not the one that it names");
  }
  return info;
}

}  // namespace fxkit::host
