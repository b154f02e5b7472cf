// Plays the impulse response of a cabinet, and swaps it for another with a crossfade of 20 ms.
#pragma once

#include <juce_dsp/juce_dsp.h>

#include <cstddef>
#include <memory>
#include <optional>

#include "chain/handover.h"
#include "chain/impulse.h"
#include "chain/ramp.h"

namespace fxkit::plugin {

class Cabinet {
 public:
  Cabinet();
  ~Cabinet();

  // Not while process() or offer() runs. Throws fxkit::Error.
  void prepare(double rate, std::size_t max_block, std::size_t channels);

  // The next one, or none. From any one thread that may wait. Throws fxkit::Error.
  void offer(std::optional<Impulse>);
  void collect();

  // Audio thread. Without an impulse response no bit changes.
  void process(float* const* samples, std::size_t frames) noexcept;
  void reset() noexcept;  // and takes what is offered at once

 private:
  struct Room;
  using Item = Handover<Room>::Item;

  std::unique_ptr<Room> make(const Impulse&) const;
  void run(Item*, float* const* samples, std::size_t frames) noexcept;
  void end_fade() noexcept;

  Handover<Room> handover_;
  Item* playing_;            // never null
  Item* leaving_ = nullptr;  // while it fades out
  Ramp fade_;
  juce::AudioBuffer<float> old_;
  double rate_ = 0;
  std::size_t chunk_ = 0, channels_ = 0;
  std::optional<Impulse> impulse_;  // what was offered last, at its own rate
};

}  // namespace fxkit::plugin
