// The noise gate: silences what is quieter than the threshold, all channels alike.
//
// It opens when the peak (which falls with a time constant of 30 ms) passes the threshold, stays open
// for 60 ms after the peak fell 6 dB below it, then closes within 100 ms; it opens within 1 ms.
#pragma once

#include <cstddef>

namespace fxkit::plugin {

class Gate {
 public:
  static constexpr float off_db = -100.0f;  // at this threshold, and below, the gate is off

  void prepare(double rate) noexcept;
  void reset() noexcept;
  void set_threshold(float db) noexcept;

  // Open and at rest, it changes no bit.
  void process(float* const* samples, std::size_t channels, std::size_t frames) noexcept;

 private:
  float threshold_ = 0;                    // linear; 0: off
  float fall_ = 0, up_ = 1, down_ = 1;     // per frame
  int hold_ = 1, left_ = 0;                // frames
  float peak_ = 0, gain_ = 1;
  bool open_ = true;
};

}  // namespace fxkit::plugin
