#include "fxkit/host/resampler.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <string>

#include "dot.h"
#include "fxkit/fxkit.hpp"

namespace fxkit::host {
namespace {

constexpr double stop_band = 120;     // dB
constexpr double pass_edge = 0.907;   // of the lower Nyquist frequency
constexpr std::size_t max_table = std::size_t{1} << 20;  // numbers: 8 MiB
constexpr double rows_per_sample = 128;                  // of the lower rate, for interpolation

// Kaiser's formulas: the window's shape, and half its length in samples of the lower rate.
constexpr double beta = 0.1102 * (stop_band - 8.7);
constexpr double half =
    (stop_band - 7.95) / (2.285 * 2 * (1 - pass_edge) * std::numbers::pi) / 2;

// The modified Bessel function of the first kind, order 0: its power series.
double bessel_i0(double x) {
  double sum = 1, term = 1;
  for (int k = 1; term > 1e-18 * sum; ++k) {
    term *= (x / (2 * k)) * (x / (2 * k));
    sum += term;
  }
  return sum;
}

// The low pass at `t` samples of the lower rate from its centre, without the factor of its gain.
double kernel(double t) {
  const double u = t / half;
  if (std::abs(u) >= 1) return 0;
  const double angle = std::numbers::pi * t;
  const double sinc = t == 0 ? 1 : std::sin(angle) / angle;
  return sinc * bessel_i0(beta * std::sqrt(1 - u * u));
}

std::size_t padded_taps(std::size_t reach) {
  return (2 * reach + dot_unit - 1) / dot_unit * dot_unit;
}

}  // namespace

Resampler::Resampler(std::uint32_t rate_in, std::uint32_t rate_out, std::size_t channels)
    : channels_(channels), dot_(best_dot()) {
  for (const std::uint32_t rate : {rate_in, rate_out}) {
    if (rate < min_rate || rate > max_rate) {
      throw Error("a sample rate of " + std::to_string(rate) + " Hz cannot be converted, only " +
                  std::to_string(min_rate) + " to " + std::to_string(max_rate));
    }
  }
  const std::uint32_t common = std::gcd(rate_in, rate_out);
  up_ = rate_out / common;
  down_ = rate_in / common;
  whole_step_ = down_ / up_;
  rest_step_ = down_ % up_;
  // Samples of the lower rate for each input.
  const double scale = std::min(1.0, static_cast<double>(rate_out) / rate_in);
  reach_ = static_cast<std::size_t>(std::ceil(half / scale));
  exact_ = up_ * padded_taps(reach_) <= max_table;
  if (!exact_) ++reach_;  // what lies beside a phase reaches further
  taps_ = padded_taps(reach_);
  make_table(scale);
  row_ = taps_ + std::max<std::size_t>(taps_, 1024) + dot_unit;
  heard_.resize(channels_ * row_);
  reset();
}

void Resampler::make_table(double scale) {
  rows_ = exact_ ? up_ : static_cast<std::size_t>(std::ceil(rows_per_sample * scale));
  // One row before the first phase and two behind the last serve the interpolation.
  const std::size_t count = exact_ ? rows_ : rows_ + 3;
  table_.assign(count * taps_, 0);
  for (std::size_t row = 0; row < count; ++row) {
    const double place = static_cast<double>(row) - (exact_ ? 0 : 1);
    const double position = place / static_cast<double>(rows_) + static_cast<double>(reach_) - 1;
    double* const taps = table_.data() + row * taps_;
    for (std::size_t i = 0; i < 2 * reach_; ++i) {
      taps[i] = kernel(scale * (position - static_cast<double>(i)));
    }
    const double sum = std::accumulate(taps, taps + taps_, 0.0);
    for (std::size_t i = 0; i < taps_; ++i) taps[i] /= sum;
  }
}

std::uint64_t Resampler::outputs_of(std::uint64_t inputs) const noexcept {
  return inputs <= reach_ ? 0 : ((inputs - reach_) * up_ + down_ - 1) / down_;
}

std::size_t Resampler::max_outputs(std::size_t frames) const noexcept {
  return static_cast<std::size_t>((std::uint64_t{frames} * up_ + down_ - 1) / down_);
}

void Resampler::reset() noexcept {
  std::fill(heard_.begin(), heard_.end(), 0.0);
  held_ = reach_ - 1;
  next_ = 0;
  phase_ = 0;
}

std::size_t Resampler::process(const float* const* in, std::size_t frames,
                               float* const* out) noexcept {
  std::size_t made = 0;
  for (std::size_t start = 0; start < frames;) {
    if (held_ + dot_unit >= row_) forget();
    const std::size_t size = std::min(frames - start, row_ - dot_unit - held_);
    for (std::size_t c = 0; c < channels_; ++c) {
      std::copy_n(in[c] + start, size, heard_.data() + c * row_ + held_);
    }
    held_ += size;
    start += size;
    made += play(out, made);
  }
  return made;
}

void Resampler::forget() noexcept {
  for (std::size_t c = 0; c < channels_; ++c) {
    double* const row = heard_.data() + c * row_;
    std::copy(row + next_, row + held_, row);
  }
  held_ -= next_;
  next_ = 0;
}

std::size_t Resampler::play(float* const* out, std::size_t made) noexcept {
  const std::size_t start = made;
  for (; next_ + 2 * reach_ <= held_; ++made) {
    for (std::size_t c = 0; c < channels_; ++c) {
      out[c][made] = static_cast<float>(sample(heard_.data() + c * row_ + next_));
    }
    next_ += whole_step_;
    phase_ += rest_step_;
    if (phase_ >= up_) {
      phase_ -= up_;
      ++next_;
    }
  }
  return made - start;
}

double Resampler::sample(const double* x) const noexcept {
  if (exact_) return dot_(table_.data() + phase_ * taps_, x, taps_);
  // Lagrange's cubic through four neighbours.
  const double place = static_cast<double>(phase_) * static_cast<double>(rows_) / up_;
  const auto row = static_cast<std::size_t>(place);
  const double f = place - static_cast<double>(row);
  const double weights[] = {-f * (f - 1) * (f - 2) / 6, (f + 1) * (f - 1) * (f - 2) / 2,
                            -(f + 1) * f * (f - 2) / 2, (f + 1) * f * (f - 1) / 6};
  double sum = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    sum += weights[i] * dot_(table_.data() + (row + i) * taps_, x, taps_);
  }
  return sum;
}

}  // namespace fxkit::host
