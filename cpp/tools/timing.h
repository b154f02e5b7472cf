// How long an engine takes for a sample.
#pragma once

#include <chrono>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "fxkit/fxkit.hpp"

namespace fxkit::tools {

// Plays about `samples` samples of noise per channel in blocks and returns the nanoseconds for one
// sample of all channels together. The engine has to be prepared for `channels`.
inline double time_per_sample(Engine& engine, std::size_t channels, std::size_t block,
                              std::size_t samples) {
  std::vector<float> noise(block), out(block * channels);
  unsigned state = 1;
  for (float& x : noise) {
    state = state * 1664525u + 1013904223u;
    x = static_cast<float>(state >> 8) / 16777216.0f - 0.5f;
  }
  std::vector<const float*> inputs(channels, noise.data());
  std::vector<float*> outputs;
  for (std::size_t c = 0; c < channels; ++c) outputs.push_back(out.data() + c * block);
  const std::size_t rounds = samples / block + 1;
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < rounds; ++i) engine.process(inputs.data(), outputs.data(), block);
  const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
  return taken.count() / static_cast<double>(rounds * block);
}

}  // namespace fxkit::tools
