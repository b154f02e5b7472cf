#include "chain/gate.h"

#include <algorithm>
#include <cmath>

namespace fxkit::plugin {

void Gate::prepare(double rate) noexcept {
  fall_ = static_cast<float>(std::exp(-1.0 / (0.03 * rate)));
  up_ = static_cast<float>(1.0 / (0.001 * rate));
  down_ = static_cast<float>(1.0 / (0.1 * rate));
  hold_ = static_cast<int>(0.06 * rate);
  reset();
}

void Gate::reset() noexcept {
  peak_ = 0;
  left_ = 0;
  open_ = threshold_ == 0;
  gain_ = open_ ? 1.0f : 0.0f;
}

void Gate::set_threshold(float db) noexcept {
  threshold_ = db <= off_db ? 0.0f : std::pow(10.0f, db / 20.0f);
}

void Gate::process(float* const* samples, std::size_t channels, std::size_t frames) noexcept {
  if (threshold_ == 0 && gain_ == 1) {
    open_ = true;
    return;
  }
  for (std::size_t t = 0; t < frames; ++t) {
    float loudest = 0;
    for (std::size_t c = 0; c < channels; ++c) loudest = std::max(loudest, std::abs(samples[c][t]));
    peak_ = std::max(loudest, peak_ * fall_);
    if (peak_ > threshold_ || threshold_ == 0) {
      open_ = true;
      left_ = hold_;
    } else if (peak_ > threshold_ * 0.5f) {
      if (open_) left_ = hold_;
    } else if (left_ > 0) {
      --left_;
    } else {
      open_ = false;
    }
    gain_ = open_ ? std::min(1.0f, gain_ + up_) : std::max(0.0f, gain_ - down_);
    for (std::size_t c = 0; c < channels; ++c) samples[c][t] *= gain_;
  }
}

}  // namespace fxkit::plugin
