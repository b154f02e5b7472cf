// AIDA-X's files, in RTNeural's JSON: one LSTM or GRU, then a dense layer.
//
// Matrices are stored with the inputs as rows; the gates of a GRU are z, r, n. The gains in the file
// are folded into the weights.
#include <algorithm>
#include <cmath>

#include "error.h"
#include "imported.h"
#include "recurrent_net.h"

namespace fxkit::host::imports {
namespace {

using engine::Json;
using engine::LoadError;
using engine::quoted;

constexpr std::size_t default_rate = 48'000;  // what players assume where the file has no number
constexpr std::size_t max_hidden = 4096, max_inputs = 3;

// The last entry of a shape such as [null, null, 12].
std::size_t last_size(const Section& section, const std::string& key, std::size_t high) {
  const Value* value = section.find(key);
  double size = 0;
  if (value) {
    if (const auto* numbers = value->as<Numbers>(); numbers && !numbers->empty()) {
      size = numbers->back();
    } else if (const auto* items = value->as<Items>()) {
      if (const auto* number = items->back().as<Json::Number>()) size = number->value;
    }
  }
  if (size != std::floor(size) || size < 1 || size > static_cast<double>(high)) {
    throw LoadError(section.name(key) + " must end with a whole number from 1 to " +
                    std::to_string(high));
  }
  return static_cast<std::size_t>(size);
}

void check_activation(const Section& layer, std::string_view known) {
  const std::string found = layer.text("activation", "");
  if (!found.empty() && found != known) {
    throw LoadError(layer.name("activation") + " " + quoted(found) + " is not known here");
  }
}

const Items& parts(const Section& layer, std::size_t count) {
  const Items& found = layer.items("weights");
  if (found.size() != count) {
    throw LoadError(layer.name("weights") + " has " + std::to_string(found.size()) +
                    " parts, it must have " + std::to_string(count));
  }
  return found;
}

std::string part_name(const Section& layer, std::size_t i) {
  return layer.name("weights") + "[" + std::to_string(i) + "]";
}

double gain(const Section& file, std::string_view key) {
  const double decibels = file.number(key, 0);
  if (std::abs(decibels) > 120) throw LoadError(std::string(key) + " is out of range");
  return std::pow(10, decibels / 20);
}

// As players do, only a number counts.
std::size_t rate_of(const Section& metadata, const Section& file) {
  for (const Section* place : {&metadata, &file}) {
    if (const auto rate = place->shown_number("samplerate")) {
      if (*rate != std::floor(*rate) || *rate < 1000 || *rate > 1'000'000) {
        throw LoadError(place->name("samplerate") + " is out of range");
      }
      return static_cast<std::size_t>(*rate);
    }
  }
  return default_rate;
}

Numbers transposed(const Numbers& matrix, std::size_t rows, std::size_t columns) {
  Numbers out(matrix.size());
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) out[c * rows + r] = matrix[r * columns + c];
  }
  return out;
}

// z, r, n becomes r, z, n; each gate is a third of the numbers.
void swap_gates(Numbers& gates) {
  const auto third = static_cast<std::ptrdiff_t>(gates.size() / 3);
  std::swap_ranges(gates.begin(), gates.begin() + third, gates.begin() + third);
}

RecurrentNet read_net(const Section& file) {
  RecurrentNet net;
  const std::size_t inputs = last_size(file, "in_shape", max_inputs);
  const std::vector<Section> layers = file.sections("layers");
  for (const Section& layer : layers) {
    const std::string type = layer.text("type");
    if (type != "lstm" && type != "gru" && type != "dense") {
      throw LoadError("layer " + quoted(type) + " is not known here, only lstm, gru and dense");
    }
  }
  if (layers.size() != 2 || layers[0].text("type") == "dense" || layers[1].text("type") != "dense") {
    throw LoadError("known are an lstm or a gru, then a dense; its layers are others");
  }
  const Section &recurrent = layers[0], &dense = layers[1];
  net.lstm = recurrent.text("type") == "lstm";
  net.controls = inputs - 1;
  check_activation(recurrent, "tanh");
  check_activation(dense, "linear");
  const std::size_t hidden = last_size(recurrent, "shape", max_hidden);
  last_size(dense, "shape", 1);
  const std::size_t rows = net.gates() * hidden;
  const Items& weights = parts(recurrent, 3);
  RecurrentLayer layer{inputs, hidden, {}, {}, {}, {}, {}, {}};
  layer.weight_ih = transposed(matrix_of(&weights[0], inputs, rows, part_name(recurrent, 0)), inputs, rows);
  layer.weight_hh = transposed(matrix_of(&weights[1], hidden, rows, part_name(recurrent, 1)), hidden, rows);
  if (net.lstm) {
    layer.bias_ih = numbers_of(&weights[2], part_name(recurrent, 2), rows);
    layer.bias_hh.assign(rows, 0);
  } else {
    const Numbers both = matrix_of(&weights[2], 2, rows, part_name(recurrent, 2));
    const auto middle = both.begin() + static_cast<std::ptrdiff_t>(rows);
    layer.bias_ih.assign(both.begin(), middle);
    layer.bias_hh.assign(middle, both.end());
    for (Numbers* gates : {&layer.weight_ih, &layer.weight_hh, &layer.bias_ih, &layer.bias_hh}) {
      swap_gates(*gates);
    }
  }
  const double before = gain(file, "in_gain"), after = gain(file, "out_gain");
  for (std::size_t row = 0; row < rows; ++row) layer.weight_ih[row * inputs] *= before;
  net.layers.push_back(std::move(layer));
  const Items& head = parts(dense, 2);
  net.head = matrix_of(&head[0], hidden, 1, part_name(dense, 0));
  for (double& weight : net.head) weight *= after;
  net.bias = numbers_of(&head[1], part_name(dense, 1), 1)[0] * after;
  net.dry = static_cast<double>(file.whole("in_skip", 0, 1, 0)) * before * after;
  return net;
}

std::optional<SelfCheck> read_check(const Section& file, const RecurrentNet& net) {
  if (!file.has("input_batch") || !file.has("output_batch") || net.controls > 0) return {};
  const Numbers& input = file.numbers("input_batch");
  if (input.empty()) return {};
  SelfCheck check;
  check.input.assign(input.begin(), input.end());
  check.output = numbers_of(file.find("output_batch"), "output_batch", input.size());
  check.dry = net.dry;
  return check;
}

}  // namespace

Imported read_aidax(const Section& file) {
  const RecurrentNet net = read_net(file);
  const Section metadata = file.section_or_none("metadata");
  Imported result;
  result.bytes = file_of(net, rate_of(metadata, file));
  result.check = read_check(file, net);
  result.info.format = "aida-x";
  result.info.name = metadata.shown({"name"});
  result.info.author = metadata.shown({"author"});
  result.info.gear = metadata.shown({"based"});
  result.info.licence = metadata.shown({"license"});
  result.info.esr = metadata.shown_number("esr");
  return result;
}

}  // namespace fxkit::host::imports
