#include "graph_file.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "error.h"

namespace fxkit::host::imports {
namespace {

void append(std::string& text, std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts) text.append(part);
}

// The shortest text that reads back as the same number.
std::string exact(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return {text, end};
}

// As it stands in JSON inside a JSON text. Only our own names and JSON come here.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string GraphFile::tensor(const std::vector<std::size_t>& shape,
                              const std::vector<double>& values) {
  const std::string name = std::string("t").append(std::to_string(tensor_count_++));
  const std::size_t start = data_.size();
  for (const double value : values) {
    const auto number = static_cast<float>(value);
    if (!std::isfinite(number)) throw engine::LoadError("a weight is too large for 32 bits");
    const auto bits = std::bit_cast<std::uint32_t>(number);
    for (int shift = 0; shift < 32; shift += 8) data_ += static_cast<char>(bits >> shift);
  }
  append(entries_, {R"(,")", name, R"(":{"dtype":"F32","shape":[)"});
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) entries_ += ',';
    entries_ += std::to_string(shape[i]);
  }
  append(entries_, {R"(],"data_offsets":[)", std::to_string(start), ",",
                    std::to_string(data_.size()), "]}"});
  return name;
}

std::string GraphFile::layer(const std::string& type, const std::vector<std::string>& inputs,
                             const std::vector<std::pair<std::string, std::string>>& words,
                             const std::vector<Setting>& settings) {
  const std::string name = std::string("l").append(std::to_string(layer_count_++));
  if (!layers_.empty()) layers_ += ',';
  append(layers_, {R"({"name":")", name, R"(","type":")", type, R"(","inputs":[)"});
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (i > 0) layers_ += ',';
    append(layers_, {R"(")", inputs[i], R"(")"});
  }
  layers_ += ']';
  for (const auto& [key, word] : words) {
    if (!word.empty()) append(layers_, {R"(,")", key, R"(":")", word, R"(")"});
  }
  for (const auto& [key, value] : settings) append(layers_, {R"(,")", key, R"(":)", exact(value)});
  layers_ += '}';
  return name;
}

std::string GraphFile::bytes(const std::string& output, std::size_t sample_rate,
                             std::size_t controls) const {
  std::string manifest, graph, header;
  append(manifest, {R"({"name":"","model":"graph","sample_rate":)", std::to_string(sample_rate),
                    R"(,"controls":[)"});
  for (std::size_t i = 0; i < controls; ++i) {
    if (i > 0) manifest += ',';
    append(manifest, {R"({"name":"knob )", std::to_string(i + 1), R"(","default":0.5})"});
  }
  manifest += "]}";
  append(graph, {R"({"version":1,"controls":)", std::to_string(controls), R"(,"output":")", output,
                 R"(","layers":[)", layers_, "]}"});
  append(header, {R"({"__metadata__":{"fxkit.format":"1","fxkit.manifest":")", escaped(manifest),
                  R"(","fxkit.graph":")", escaped(graph), R"("})", entries_, "}"});
  std::string file;
  for (int shift = 0; shift < 64; shift += 8) {
    file += static_cast<char>(std::uint64_t{header.size()} >> shift);
  }
  return file + header + data_;
}

}  // namespace fxkit::host::imports
