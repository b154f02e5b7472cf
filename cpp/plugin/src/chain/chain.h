// The way of a sample:
//
//   input gain -> gate -> model -> equaliser -> cabinet -> level -> mix with the dry input -> output
//   gain -> bypass
//
// The dry input and bypass are as late as the model. Stages that do nothing change no bit: with
// standard settings the output is exactly the model's. Mono to stereo plays the model once.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <vector>

#include "chain/cabinet.h"
#include "chain/delay.h"
#include "chain/equaliser.h"
#include "chain/gate.h"
#include "chain/ramp.h"
#include "fxkit/host/slot.h"

namespace fxkit::plugin {

struct Settings {
  float input_db = 0, gate_db = Gate::off_db;
  std::array<float, Equaliser::bands> bands_db{};
  float mix = 1;           // share of the effect, 0..1
  float output_db = 0;
  float level = 1;         // factor that makes models equally loud
  bool bypass = false;
};

class Chain {
 public:
  static constexpr double longest_latency = 6;  // seconds

  host::Slot slot;
  Cabinet cabinet;

  // Not while process() runs. inputs <= outputs, both 1 or 2. Throws fxkit::Error.
  void prepare(double rate, std::size_t max_block, std::size_t inputs, std::size_t outputs);

  // Does what reset() asks for now: audio thread, or while process() does not run.
  void start() noexcept;

  // Audio thread, before process(): settings glide to these.
  void set(const Settings&) noexcept;

  // The next block starts afresh: settings are reached at once, what is offered plays at once, no
  // tail of before is heard. Any thread.
  void reset() noexcept { fresh_.store(true, std::memory_order_release); }

  // In place, any number of frames: `outputs` rows, of which the first `inputs` hold the input. NaN
  // and infinity count as silence.
  void process(float* const* samples, std::size_t frames) noexcept;

  // The highest peaks since the last call, linear. Any one thread.
  float take_input_peak() noexcept { return input_peak_.exchange(0, std::memory_order_relaxed); }
  float take_output_peak() noexcept { return output_peak_.exchange(0, std::memory_order_relaxed); }

 private:
  void part(float* const* samples, std::size_t frames) noexcept;

  Settings settings_;
  Gate gate_;
  Equaliser equaliser_;
  Delay delay_;
  Ramp input_, level_, mix_, output_, bypass_;
  std::size_t inputs_ = 0, outputs_ = 0, chunk_ = 1;
  std::vector<float> memory_;
  std::array<float*, 2> dry_{};
  std::atomic<bool> fresh_{true};
  std::atomic<float> input_peak_{0}, output_peak_{0};
};

}  // namespace fxkit::plugin
