// What a model file proves itself with: a signal, and what the model made of it when it was saved.
#pragma once

#include <cstddef>
#include <vector>

#include "container.h"

namespace fxkit::engine {

struct Probe {
  std::vector<float> input, output;  // of one length
  std::vector<float> knobs;          // 0 to 1
};

// Throws LoadError where the file has none, or one that does not fit together.
Probe read_probe(const Container& file, std::size_t knobs);

// The largest difference between the probe's output and what was played, over the probe's largest
// sample. Throws LoadError where it is more than 1e-4; differences below 1e-6 of full scale are
// always forgiven.
double check_probe(const Probe& probe, const std::vector<float>& played);

}  // namespace fxkit::engine
