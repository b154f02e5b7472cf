// The LSTM of a .nam file.
//
// Per layer: [W_ih | W_hh] row by row, gates i, f, g, o; the sum of the biases; hidden and cell state
// at the start. Then the weights of the head, and its bias. There is no dry path.
#include "error.h"
#include "nam.h"
#include "recurrent_net.h"

namespace fxkit::host::imports {

std::string read_nam_lstm(const Section& config, const Numbers& weights, std::size_t sample_rate) {
  constexpr std::size_t max_hidden = 4096, max_layers = 64;
  config.whole("input_size", 1, 1);
  const std::size_t hidden = config.whole("hidden_size", 1, max_hidden);
  const std::size_t count = config.whole("num_layers", 1, max_layers);
  const std::size_t rows = 4 * hidden;
  const std::size_t needed = rows * (1 + hidden) + (count - 1) * rows * 2 * hidden +
                             count * (rows + 2 * hidden) + hidden + 1;
  if (weights.size() != needed) {
    throw engine::LoadError("weights has " + std::to_string(weights.size()) + " numbers, an LSTM of " +
                            std::to_string(count) + " x " + std::to_string(hidden) + " has " +
                            std::to_string(needed));
  }
  auto at = weights.begin();
  const auto take = [&](std::size_t size) {
    at += static_cast<std::ptrdiff_t>(size);
    return Numbers(at - static_cast<std::ptrdiff_t>(size), at);
  };
  RecurrentNet net;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t inputs = i == 0 ? 1 : hidden;
    RecurrentLayer layer{inputs, hidden, {}, {}, {}, Numbers(rows, 0), {}, {}};
    for (std::size_t row = 0; row < rows; ++row) {
      for (auto& [part, size] : {std::pair<Numbers&, std::size_t>{layer.weight_ih, inputs},
                                 std::pair<Numbers&, std::size_t>{layer.weight_hh, hidden}}) {
        part.insert(part.end(), at, at + static_cast<std::ptrdiff_t>(size));
        at += static_cast<std::ptrdiff_t>(size);
      }
    }
    layer.bias_ih = take(rows);
    layer.h = take(hidden);
    layer.c = take(hidden);
    net.layers.push_back(std::move(layer));
  }
  net.head = take(hidden);
  net.bias = *at;
  return file_of(net, sample_rate);
}

}  // namespace fxkit::host::imports
