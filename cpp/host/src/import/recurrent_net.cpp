#include "recurrent_net.h"

#include "graph_file.h"

namespace fxkit::host::imports {

std::string file_of(const RecurrentNet& net, std::size_t sample_rate) {
  GraphFile file;
  std::string signal = net.controls > 0 ? file.layer("concat", {"x", "controls"}, {}) : "x";
  for (const RecurrentLayer& layer : net.layers) {
    const std::size_t rows = net.gates() * layer.hidden;
    const auto state = [&](const std::vector<double>& values) {
      return values.empty() ? std::string() : file.tensor({layer.hidden}, values);
    };
    signal = file.layer(net.lstm ? "lstm" : "gru", {signal},
                        {{"weight_ih", file.tensor({rows, layer.inputs}, layer.weight_ih)},
                         {"weight_hh", file.tensor({rows, layer.hidden}, layer.weight_hh)},
                         {"bias_ih", file.tensor({rows}, layer.bias_ih)},
                         {"bias_hh", file.tensor({rows}, layer.bias_hh)},
                         {"initial_h", state(layer.h)},
                         {"initial_c", state(layer.c)}});
  }
  std::string y = file.layer("dense", {signal},
                             {{"weight", file.tensor({1, net.head.size()}, net.head)},
                              {"bias", file.tensor({1}, {net.bias})}});
  if (net.dry == 1) {
    y = file.layer("add", {y, "x"}, {});
  } else if (net.dry != 0) {
    const auto dry = file.layer("gain", {"x"}, {{"weight", file.tensor({1}, {net.dry})}});
    y = file.layer("add", {y, dry}, {});
  }
  return file.bytes(y, sample_rate, net.controls);
}

}  // namespace fxkit::host::imports
