// From the layers of a file to the nodes that are played, in order, with their signals' places.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "graph.h"
#include "node.h"
#include "weights.h"

namespace fxkit::engine {

struct Plan {
  std::vector<std::unique_ptr<Node>> nodes;  // in the order in which they run
  Place audio, controls, output;
  std::size_t rows = 0;     // of the memory that all signals share
  std::size_t scratch = 0;  // floats
};

// Throws LoadError if the graph would need more weights than its file should have.
Plan make_plan(const Graph& graph, const Kernels& kernels, Weights& weights);

}  // namespace fxkit::engine
