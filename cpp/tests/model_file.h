// Makes model files for the tests: tensors, a manifest, layers, and the probe that belongs to them.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "reference.h"

namespace test {

struct ModelFile {
  struct Data {
    std::string dtype = "F32";
    std::vector<std::size_t> shape;
    std::string bytes;
  };

  std::map<std::string, Data> tensors;
  std::vector<std::string> layers;  // JSON
  std::string output;
  std::size_t controls = 0;
  std::string more;  // of the manifest: ,"key":value
  std::size_t latency = 0;
  std::size_t sample_rate = 48000;
  std::mt19937 random{7};

  void tensor(const std::string& name, std::vector<std::size_t> shape,
              const std::vector<float>& values) {
    Data data{"F32", std::move(shape), std::string(values.size() * 4, '\0')};
    std::memcpy(data.bytes.data(), values.data(), data.bytes.size());
    tensors[name] = std::move(data);
  }

  // Normally distributed numbers.
  std::vector<float> noise(std::size_t count, double scale) {
    std::normal_distribution<double> normal(0, scale);
    std::vector<float> values(count);
    for (float& value : values) value = static_cast<float>(normal(random));
    return values;
  }

  void random_tensor(const std::string& name, std::vector<std::size_t> shape, double scale) {
    std::size_t count = 1;
    for (const std::size_t n : shape) count *= n;
    tensor(name, std::move(shape), noise(count, scale));
  }

  // `settings`: ready JSON such as "\"stride\":2".
  void layer(const std::string& name, const std::string& type, std::vector<std::string> inputs,
             const std::string& settings = {}) {
    std::string text = "{\"name\":\"" + name + "\",\"type\":\"" + type + "\",\"inputs\":[";
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      text += (i ? ",\"" : "\"") + inputs[i] + "\"";
    }
    layers.push_back(text + "]" + (settings.empty() ? "" : "," + settings) + "}");
    output = name;
  }

  std::string graph() const {
    std::string text = "{\"version\":1,\"controls\":" + std::to_string(controls) + ",\"layers\":[";
    for (std::size_t i = 0; i < layers.size(); ++i) text += (i ? "," : "") + layers[i];
    return text + "],\"output\":\"" + output + "\"}";
  }

  std::string manifest() const {
    std::string text = "{\"name\":\"test\",\"model\":\"graph\",\"sample_rate\":" +
                       std::to_string(sample_rate) + ",\"latency\":" + std::to_string(latency) +
                       ",\"controls\":[";
    for (std::size_t i = 0; i < controls; ++i) {
      text += (i ? "," : "") + ("{\"name\":\"knob " + std::to_string(i)) + "\",\"default\":0.25}";
    }
    return text + "]" + more + "}";
  }

  // The layers as the engine reads them, for the reference.
  fxkit::engine::TensorMap tensor_map() const {
    fxkit::engine::TensorMap map;
    for (const auto& [name, data] : tensors) {
      map[name] = {fxkit::engine::Dtype::f32, data.shape,
                   reinterpret_cast<const unsigned char*>(data.bytes.data()),
                   data.bytes.size() / 4};
    }
    return map;
  }

  Signals play(const std::vector<float>& x, const std::vector<float>& knobs) const {
    const auto map = tensor_map();
    return Reference(fxkit::engine::read_graph(graph(), map)).play(x, knobs);
  }

  void add_probe(std::size_t samples = 64) {
    const auto x = noise(samples, 0.3);
    const std::vector<float> knobs(controls, 0.75f);
    const auto y = play(x, knobs)[0];
    tensor("probe.input", {samples}, x);
    tensor("probe.output", {samples}, std::vector<float>(y.begin(), y.end()));
    if (controls > 0) tensor("probe.controls", {controls}, knobs);
  }

  std::string bytes() const {
    return pack({{"fxkit.format", "1"}, {"fxkit.manifest", manifest()}, {"fxkit.graph", graph()}});
  }

  std::string pack(const std::map<std::string, std::string>& metadata) const {
    std::string header = "{\"__metadata__\":{", data;
    for (const auto& [key, value] : metadata) {
      header += (header.back() == '{' ? "\"" : ",\"") + key + "\":\"" + escaped(value) + "\"";
    }
    header += "}";
    for (const auto& [name, tensor] : tensors) {
      header += ",\"" + name + "\":{\"dtype\":\"" + tensor.dtype + "\",\"shape\":[";
      for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
        header += (i ? "," : "") + std::to_string(tensor.shape[i]);
      }
      header += "],\"data_offsets\":[" + std::to_string(data.size()) + "," +
                std::to_string(data.size() + tensor.bytes.size()) + "]}";
      data += tensor.bytes;
    }
    return with_header(header + "}", data);
  }

  static std::string with_header(const std::string& header, const std::string& data) {
    std::string length(8, '\0');
    const std::uint64_t size = header.size();
    for (int i = 0; i < 8; ++i) length[static_cast<std::size_t>(i)] = static_cast<char>(size >> (8 * i));
    return length + header + data;
  }

  static std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    return out;
  }
};

}  // namespace test
