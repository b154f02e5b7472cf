// Plays a plan block by block; the audio thread's side of the engine.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "memory.h"
#include "plan.h"

namespace fxkit::engine {

class Player {
 public:
  Player(Plan plan, const Kernels& kernels, std::vector<float> knobs);

  // Allocates; `ramp` is how many samples a knob takes to get where it is turned to.
  void prepare(std::size_t streams, std::size_t ramp);
  void process(const float* const* inputs, float* const* outputs, std::size_t frames) noexcept;
  void reset() noexcept;

  // Any thread.
  void turn(std::size_t knob, float value) noexcept {
    targets_[knob].store(value, std::memory_order_relaxed);
  }
  float knob(std::size_t knob) const noexcept {
    return targets_[knob].load(std::memory_order_relaxed);
  }

  std::size_t streams() const noexcept { return streams_; }

 private:
  // A knob on its way to where it is turned to.
  struct Knob {
    float value = 0, target = 0, step = 0;
    std::size_t left = 0;  // samples until it is there
  };

  void read_knobs() noexcept;
  void fill_knobs(const Block& block) noexcept;
  void play(const float* const* inputs, float* const* outputs, std::size_t start,
            std::size_t frames) noexcept;

  Plan plan_;
  const Kernels& kernels_;
  std::vector<std::atomic<float>> targets_;
  std::vector<Knob> knobs_;
  Buffer signals_, scratch_;
  std::size_t streams_ = 0, ramp_ = 1;
  std::uint64_t clock_ = 0;

  static_assert(std::atomic<float>::is_always_lock_free);
};

}  // namespace fxkit::engine
