#include "chain/equaliser.h"

#include <cmath>
#include <numbers>

namespace fxkit::plugin {
namespace {

constexpr std::size_t step = 32;       // frames between two gains of a moving band
constexpr double resting = 1e-9;       // a memory below this is not heard: -180 dB

}  // namespace

bool Equaliser::Band::idle() const noexcept {
  if (!gain.rests_at(0.0f)) return false;
  for (const auto& channel : memory) {
    if (std::abs(channel[0]) > resting || std::abs(channel[1]) > resting) return false;
  }
  return true;
}

void Equaliser::prepare(double rate) noexcept {
  rate_ = rate;
  for (auto& band : bands_) band.gain.prepare(rate / step);
  reset();
}

void Equaliser::reset() noexcept {
  phase_ = 0;
  for (std::size_t i = 0; i < bands; ++i) {
    bands_[i].gain.jump(bands_[i].target);
    bands_[i].memory = {};
    design(i);
  }
}

void Equaliser::set_gain(std::size_t band, float db) noexcept {
  bands_[band].target = db;
  bands_[band].gain.go(db);
}

void Equaliser::design(std::size_t index) noexcept {
  Band& band = bands_[index];
  const double w = 2 * std::numbers::pi * std::min(frequencies[index] / rate_, 0.4);
  const double a = std::pow(10.0, static_cast<double>(band.gain.value()) / 40);
  const double c = std::cos(w), s = std::sin(w);
  double b0, b1, b2, a0, a1, a2;
  if (index == 1) {
    const double alpha = s / (2 * 0.7);
    b0 = 1 + alpha * a;
    b1 = a1 = -2 * c;
    b2 = 1 - alpha * a;
    a0 = 1 + alpha / a;
    a2 = 1 - alpha / a;
  } else {
    const double root = 2 * std::sqrt(a) * s * std::numbers::sqrt2 / 2;
    const double sign = index == 0 ? 1 : -1;  // the high shelf mirrors the low one
    b0 = a * ((a + 1) - sign * (a - 1) * c + root);
    b1 = sign * 2 * a * ((a - 1) - sign * (a + 1) * c);
    b2 = a * ((a + 1) - sign * (a - 1) * c - root);
    a0 = (a + 1) + sign * (a - 1) * c + root;
    a1 = sign * -2 * ((a - 1) + sign * (a + 1) * c);
    a2 = (a + 1) + sign * (a - 1) * c - root;
  }
  band.b0 = b0 / a0;
  band.b1 = b1 / a0;
  band.b2 = b2 / a0;
  band.a1 = a1 / a0;
  band.a2 = a2 / a0;
}

void Equaliser::process(float* const* samples, std::size_t channels, std::size_t frames) noexcept {
  for (std::size_t start = 0; start < frames;) {
    if (phase_ == 0) {
      for (std::size_t i = 0; i < bands; ++i) {
        if (!bands_[i].gain.moving()) continue;
        bands_[i].gain.next();
        design(i);
      }
    }
    const std::size_t size = std::min(step - phase_, frames - start);
    for (auto& band : bands_) {
      if (band.idle()) continue;
      for (std::size_t c = 0; c < channels && c < max_channels; ++c) {
        auto& [s1, s2] = band.memory[c];
        for (float* x = samples[c] + start; x != samples[c] + start + size; ++x) {
          const double in = static_cast<double>(*x), out = band.b0 * in + s1;
          s1 = band.b1 * in - band.a1 * out + s2;
          s2 = band.b2 * in - band.a2 * out;
          *x = static_cast<float>(out);
        }
      }
    }
    phase_ = (phase_ + size) % step;
    start += size;
  }
}

}  // namespace fxkit::plugin
