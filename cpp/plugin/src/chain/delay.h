// The dry signal, as late as the model's. Another lateness is faded to within 20 ms.
#pragma once

#include <cstddef>
#include <vector>

#include "chain/ramp.h"

namespace fxkit::plugin {

class Delay {
 public:
  void prepare(double rate, std::size_t channels, std::size_t longest);
  void reset() noexcept;

  // By how many frames the output lags; at most `longest`.
  void set(std::size_t frames) noexcept;

  // Remembers a block. `frames` is at most 2^16.
  void push(const float* const* in, std::size_t frames) noexcept;
  // Gives the block that belongs to what was pushed last.
  void read(float* const* out, std::size_t frames) noexcept;

 private:
  std::size_t channels_ = 0, mask_ = 0, longest_ = 0;
  std::vector<float> ring_;           // channel after channel
  std::size_t written_ = 0;
  std::size_t since_ = 0;             // what was written at the reset: all before it is silence
  std::size_t lag_ = 0, before_ = 0, next_ = 0;
  Ramp fade_;                         // from `before_` to `lag_`
};

}  // namespace fxkit::plugin
