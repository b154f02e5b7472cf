// Builds convolutional graphs that start as if they had heard silence for ever.
//
// A graph's convolution begins with zeros as its past. Players of .nam files play silence before
// they start, and since every layer has a bias, what its convolution has heard by then is not zero
// but a constant. So each signal is followed together with its value in silence; what a convolution
// looks back on is kept as the difference from that value, whose past is zero, and the constant
// itself goes into the biases. fxkit/formats/settled.py is the same in Python.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "graph_file.h"

namespace fxkit::host::imports {

// A signal of the graph, and what it is in silence.
struct Settling {
  std::string node;
  std::vector<double> silence;  // one number for each channel
  bool relative = false;        // whether the node is the difference from `silence`

  std::size_t channels() const { return silence.size(); }
};

// [outputs, inputs / groups, taps]; the bias may be empty.
struct Convolution {
  std::size_t outputs, taps = 1, dilation = 1, groups = 1;
  std::vector<double> weight, bias;
};

class SettledGraph {
 public:
  // The audio: zero in silence.
  const Settling& x() const { return x_; }

  // A causal convolution; `relative` says what its output is to be.
  Settling conv(Settling x, const Convolution& c, bool relative = false);
  // The sum of signals that are all relative, or all not; at least one.
  Settling add(const std::vector<Settling>& signals);
  // Of signals that are not relative:
  Settling multiply(const Settling& a, const Settling& b);
  Settling activation(const Settling& x, const std::string& function,
                      const std::vector<Setting>& settings);
  Settling prelu(const Settling& x, std::vector<double> slopes);  // one, or one for each channel
  // Of any:
  Settling slice(const Settling& x, std::size_t start, std::size_t stop);
  Settling gain(const Settling& x, double factor);

  // The model file whose output is `y`, which is not relative.
  std::string finish(const Settling& y, std::size_t sample_rate) const;

 private:
  Settling made_relative(Settling x);

  GraphFile file_;
  Settling x_{"x", {0.0}, true};
};

}  // namespace fxkit::host::imports
