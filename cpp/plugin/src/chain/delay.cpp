#include "chain/delay.h"

#include <algorithm>
#include <bit>

namespace fxkit::plugin {

void Delay::prepare(double rate, std::size_t channels, std::size_t longest) {
  constexpr std::size_t block = 1 << 16;
  channels_ = channels;
  longest_ = longest;
  const std::size_t size = std::bit_ceil(longest + block);
  mask_ = size - 1;
  ring_.assign(channels * size, 0.0f);
  fade_.prepare(rate);
  reset();
}

void Delay::reset() noexcept {
  since_ = written_;
  lag_ = before_ = next_;
  fade_.jump(1);
}

void Delay::set(std::size_t frames) noexcept { next_ = std::min(frames, longest_); }

void Delay::push(const float* const* in, std::size_t frames) noexcept {
  for (std::size_t c = 0; c < channels_; ++c) {
    float* const row = ring_.data() + c * (mask_ + 1);
    for (std::size_t t = 0; t < frames; ++t) row[(written_ + t) & mask_] = in[c][t];
  }
  written_ += frames;
}

void Delay::read(float* const* out, std::size_t frames) noexcept {
  if (next_ != lag_ && !fade_.moving()) {
    before_ = lag_;
    lag_ = next_;
    fade_.jump(0);
    fade_.go(1);
  }
  const std::size_t first = written_ - frames;
  for (std::size_t t = 0; t < frames; ++t) {
    const float share = fade_.next();
    const std::size_t heard = first + t - since_;  // frames before this one, since the reset
    for (std::size_t c = 0; c < channels_; ++c) {
      const float* const row = ring_.data() + c * (mask_ + 1);
      const auto past = [&](std::size_t lag) {
        return lag > heard ? 0.0f : row[(first + t - lag) & mask_];
      };
      const float now = past(lag_);
      out[c][t] = share == 1.0f ? now : (1 - share) * past(before_) + share * now;
    }
  }
}

}  // namespace fxkit::plugin
