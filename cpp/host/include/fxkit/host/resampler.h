// Converts a signal to another sample rate, block by block, without drift.
//
// out/in = L/M in lowest terms. Output k is the input at position k M/L, seen through a low pass of
// linear phase: a sinc under a Kaiser window, as long as the lower of the two rates asks for.
//
//   y[k] = sum over j of x[j] h(k M/L - j),   h(t) = c sinc(c t) w(t / half),   c = min(1, out/in)
//
// The pass band is flat up to 0.907 of the lower Nyquist frequency (20 kHz at 44.1 kHz); from its
// mirror image about that frequency on, 120 dB are gone, so that what folds lands above the band.
// Each phase is scaled to a gain of 1 for a constant. Samples before the first one are zeros.
//
// Sources: J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window function",
// ISCAS 1974 (window, its shape and its length); R. E. Crochiere, L. R. Rabiner, "Multirate Digital
// Signal Processing", 1983, ch. 2-4 (the polyphase structure). fxkit/polyphase.py is the same in
// Python.
//
// Where L phases would take too much memory, a phase is interpolated between four neighbours of a
// smaller table, with an error below -130 dB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace fxkit::host {

class Resampler {
 public:
  static constexpr std::uint32_t min_rate = 1000, max_rate = 1'000'000;

  // Rates in whole Hz, min_rate to max_rate. Throws fxkit::Error.
  Resampler(std::uint32_t rate_in, std::uint32_t rate_out, std::size_t channels);

  // How many outputs the first n inputs make, all together.
  std::uint64_t outputs_of(std::uint64_t inputs) const noexcept;

  // The most that `frames` more inputs can make.
  std::size_t max_outputs(std::size_t frames) const noexcept;

  // Takes `frames` of each channel, writes what they make, and returns how many. The input must be
  // finite. Allocates nothing. in and out must not overlap.
  std::size_t process(const float* const* in, std::size_t frames, float* const* out) noexcept;

  void reset() noexcept;

  std::uint32_t up() const noexcept { return up_; }      // L
  std::uint32_t down() const noexcept { return down_; }  // M
  // Inputs that are needed beyond the position of an output.
  std::size_t reach() const noexcept { return reach_; }

 private:
  void make_table(double scale);
  void forget() noexcept;
  std::size_t play(float* const* out, std::size_t made) noexcept;
  double sample(const double* x) const noexcept;

  std::uint32_t up_ = 1, down_ = 1;
  std::uint32_t whole_step_ = 1, rest_step_ = 0;  // down_ / up_, from output to output
  std::size_t channels_;
  double (*dot_)(const double*, const double*, std::size_t);
  std::size_t reach_ = 0;      // taps on each side of a position
  std::size_t taps_ = 0;       // of a row, zeros at its end included
  bool exact_ = true;          // a row for each phase; otherwise rows to interpolate between
  std::size_t rows_ = 0;       // for the phases of one input sample
  std::vector<double> table_;

  std::vector<double> heard_;  // a row for each channel: what is still needed, and the newest
  std::size_t row_ = 0;
  std::size_t held_ = 0;       // inputs in a row
  std::size_t next_ = 0;       // the first of them that the next output needs
  std::uint32_t phase_ = 0;    // its position behind a sample, in 1/L
};

}  // namespace fxkit::host
