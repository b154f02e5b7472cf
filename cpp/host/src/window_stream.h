// A stream of windows: buffers the input, computes a window every hop, cross-fades what comes out.
//
// The arithmetic of fxkit.window.WindowModel in Python. One channel.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "backend_library.h"

namespace fxkit::host {

// Weights whose copies, every `hop` samples, add up to 1: a squared sine sampled between its zeros,
// over the sum of its own shifted copies.
std::vector<float> overlap_weights(std::size_t window, std::size_t hop);

class WindowStream {
 public:
  WindowStream(std::size_t window, std::size_t hop);

  // Silence behind, and nothing pending.
  void clear();

  // Takes the next `hop` samples and gives `hop` finished ones: the window that ends with the last
  // one taken begins with the first one given. Without a program, or where it fails, the window
  // counts as silence. Returns whether it was computed.
  bool advance(WindowProgram* program, std::span<const float> controls, const float* in, float* out);

 private:
  std::size_t hop_;
  std::vector<float> weights_, past_, pending_, computed_;
};

}  // namespace fxkit::host
