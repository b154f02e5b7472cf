// Layers as steps: what is not needed is left out, sums are cut into pairs and put into the
// convolutions before them, and what reads a recurrent layer out into that layer.
#pragma once

#include <cstddef>
#include <vector>

#include "graph.h"

namespace fxkit::engine {

// A signal of the steps; a slice is a part of its root, every other one is a root itself.
struct Value {
  std::size_t channels = 1, period = 1;
  std::size_t root = 0, first = 0;
};

struct Step {
  LayerType type;
  const Layer* layer;  // null for a sum
  std::vector<std::size_t> inputs;
  std::size_t output;
  const Layer* readout = nullptr;  // of a recurrent step: the dense layer that makes one signal of it
};

// Values 0 and 1 are the audio and the knobs.
struct Steps {
  std::vector<Value> values;
  std::vector<Step> steps;
  std::size_t output;
};

Steps lower(const Graph& graph);

}  // namespace fxkit::engine
