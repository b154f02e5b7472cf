// Three bands: a shelf below 120 Hz, a bell at 700 Hz, a shelf above 3 kHz.
//
// Second-order filters (R. Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter
// coefficients"), shelves with slope 1, the bell with Q = 0.7. A gain moves on a straight line in
// decibels, in steps of 32 frames. A band at 0 dB that has come to rest is left out.
#pragma once

#include <array>
#include <cstddef>

#include "chain/ramp.h"

namespace fxkit::plugin {

class Equaliser {
 public:
  static constexpr std::size_t bands = 3;
  static constexpr std::array<double, bands> frequencies{120, 700, 3000};  // Hz
  static constexpr std::size_t max_channels = 2;

  void prepare(double rate) noexcept;
  void reset() noexcept;                                   // gains are where they should be
  void set_gain(std::size_t band, float db) noexcept;
  void process(float* const* samples, std::size_t channels, std::size_t frames) noexcept;

 private:
  struct Band {
    Ramp gain;                                // dB, in steps
    float target = 0;
    double b0 = 1, b1 = 0, b2 = 0, a1 = 0, a2 = 0;
    std::array<std::array<double, 2>, max_channels> memory{};

    bool idle() const noexcept;
  };

  void design(std::size_t band) noexcept;

  std::array<Band, bands> bands_;
  double rate_ = 48000;
  std::size_t phase_ = 0;  // frames since the last step
};

}  // namespace fxkit::plugin
