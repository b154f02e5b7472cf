// A number that goes to where it should be on a straight line, in 20 ms, so that no change clicks.
#pragma once

#include <algorithm>
#include <cstddef>

namespace fxkit::plugin {

class Ramp {
 public:
  static constexpr double seconds = 0.02;

  void prepare(double rate) noexcept { length_ = std::max(1, static_cast<int>(rate * seconds)); }

  // Is there at once.
  void jump(float value) noexcept {
    value_ = target_ = value;
    left_ = 0;
  }

  // Gets there.
  void go(float target) noexcept {
    if (target == target_) return;
    target_ = target;
    left_ = length_;
    step_ = (target_ - value_) / static_cast<float>(length_);
  }

  float next() noexcept {
    if (left_ == 0) return value_;
    value_ = --left_ == 0 ? target_ : value_ + step_;
    return value_;
  }

  bool moving() const noexcept { return left_ > 0; }
  float value() const noexcept { return value_; }
  // Whether it stays at `value`.
  bool rests_at(float value) const noexcept { return left_ == 0 && value_ == value; }

 private:
  float value_ = 0, target_ = 0, step_ = 0;
  int length_ = 1, left_ = 0;
};

// Multiplies all channels. A gain that rests at 1 changes no bit.
inline void apply(Ramp& gain, float* const* samples, std::size_t channels,
                  std::size_t frames) noexcept {
  if (gain.rests_at(1.0f)) return;
  for (std::size_t t = 0; t < frames; ++t) {
    const float factor = gain.next();
    for (std::size_t c = 0; c < channels; ++c) samples[c][t] *= factor;
  }
}

}  // namespace fxkit::plugin
