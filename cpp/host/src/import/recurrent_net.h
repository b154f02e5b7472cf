// What other players' recurrent files say, in one form: a stack of layers, a linear head, a dry gain.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace fxkit::host::imports {

// Gates in PyTorch's order: i, f, g, o or r, z, n. Rows first: [gates hidden, inputs].
struct RecurrentLayer {
  std::size_t inputs, hidden;
  std::vector<double> weight_ih, weight_hh, bias_ih, bias_hh;
  std::vector<double> h, c;  // the state at the start; empty for zeros
};

// y[t] = head . h[t] + bias + dry x[t]. The first layer hears the sample, then the knobs.
struct RecurrentNet {
  bool lstm = true;
  std::vector<RecurrentLayer> layers;
  std::vector<double> head;
  double bias = 0, dry = 0;
  std::size_t controls = 0;

  std::size_t gates() const { return lstm ? 4 : 3; }
};

// The model file that plays it.
std::string file_of(const RecurrentNet& net, std::size_t sample_rate);

}  // namespace fxkit::host::imports
