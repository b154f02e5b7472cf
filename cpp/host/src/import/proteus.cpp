// GuitarML's files (Proteus, NeuralPi; Wright's trainer writes the same): a recurrent network in
// PyTorch's layout. The rate is not in the file: 44.1 kHz, which Proteus plays at.
#include <set>

#include "error.h"
#include "imported.h"
#include "recurrent_net.h"

namespace fxkit::host::imports {
namespace {

using engine::LoadError;
using engine::quoted;

constexpr std::size_t sample_rate = 44'100;
constexpr std::size_t max_hidden = 4096, max_layers = 16, max_knobs = 16;

void check_names(const Section& state, std::size_t layers, bool bias) {
  std::set<std::string> names{"lin.weight"};
  if (bias) names.insert("lin.bias");
  for (std::size_t i = 0; i < layers; ++i) {
    for (const char* name : {"weight_ih", "weight_hh", "bias_ih", "bias_hh"}) {
      names.insert("rec." + std::string(name) + "_l" + std::to_string(i));
    }
  }
  for (const auto& [name, value] : state.entries()) {
    if (names.erase(name) == 0) throw LoadError("state_dict has no place for " + quoted(name));
  }
  if (!names.empty()) throw LoadError("state_dict." + *names.begin() + " is missing");
}

RecurrentNet read_net(const Section& data, const Section& state) {
  const std::string model = data.text("model", "SimpleRNN"), unit = data.text("unit_type");
  if (model != "SimpleRNN") {
    throw LoadError("model " + quoted(model) + " is not known here, only SimpleRNN");
  }
  if (unit != "LSTM" && unit != "GRU") {
    throw LoadError("unit_type " + quoted(unit) + " is not known here, only LSTM and GRU");
  }
  RecurrentNet net;
  net.lstm = unit == "LSTM";
  const std::size_t inputs = data.whole("input_size", 1, 1 + max_knobs);
  const std::size_t hidden = data.whole("hidden_size", 1, max_hidden);
  const std::size_t count = data.whole("num_layers", 1, max_layers, 1);
  data.whole("output_size", 1, 1, 1);
  net.dry = static_cast<double>(data.whole("skip", 0, 1, 1));
  net.controls = inputs - 1;
  const bool bias = data.flag("bias_fl", true);
  check_names(state, count, bias);
  const std::size_t rows = net.gates() * hidden;
  for (std::size_t i = 0; i < count; ++i) {
    const auto key = [&](const char* name) {
      return "rec." + std::string(name) + "_l" + std::to_string(i);
    };
    const auto matrix = [&](const std::string& name, std::size_t columns) {
      return matrix_of(state.find(name), rows, columns, state.name(name));
    };
    const auto row = [&](const std::string& name) {
      return numbers_of(state.find(name), state.name(name), rows);
    };
    const std::size_t width = i == 0 ? inputs : hidden;
    net.layers.push_back({width, hidden, matrix(key("weight_ih"), width),
                          matrix(key("weight_hh"), hidden), row(key("bias_ih")),
                          row(key("bias_hh")), {}, {}});
  }
  net.head = matrix_of(state.find("lin.weight"), 1, hidden, state.name("lin.weight"));
  if (bias) net.bias = numbers_of(state.find("lin.bias"), state.name("lin.bias"), 1)[0];
  return net;
}

}  // namespace

Imported read_proteus(const Section& file) {
  Imported result;
  result.bytes = file_of(read_net(file.section("model_data"), file.section("state_dict")), sample_rate);
  result.info.format = "proteus";
  return result;
}

}  // namespace fxkit::host::imports
