// Plays one Sound and swaps it for another, with a crossfade, while the audio runs.
//
// process() neither allocates, locks nor frees. What a Sound gives first is not heard: the new one
// plays along for its latency, then the old one fades out and the new one in. What was replaced
// waits for collect().
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "fxkit/host/sound.h"

namespace fxkit::host {

class Slot {
 public:
  static constexpr double fade_seconds = 0.02;
  static constexpr std::size_t max_controls = 64;

  Slot();
  ~Slot();  // not while process() runs
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

  // Not while process() or offer() runs. Prepares also the Sound that plays, and the offered one;
  // one that cannot be prepared is dropped, and its Error thrown. A fade is ended.
  void prepare(double host_rate, std::size_t max_block, std::size_t channels);

  // Audio thread. Without a Sound the output is the input. in[i] == out[i] is allowed.
  void process(const float* const* in, float* const* out, std::size_t frames) noexcept;

  // Hands over the next Sound, which is prepared already; nullptr for the dry input. It is taken at
  // the next process(), or when the running fade has ended; of several that wait the newest wins.
  // From any one thread that may wait.
  void offer(std::unique_ptr<Sound> sound);

  // Frees what was replaced. From a timer, any thread but the audio thread.
  void collect();

  // In samples of the host, of the Sound that plays or fades in. Any thread.
  std::size_t latency() const noexcept { return latency_.load(std::memory_order_relaxed); }

  // Whether a Sound waits to be taken, or a fade runs. Any thread.
  bool busy() const noexcept;

  // Turns a knob of the Sound that plays or fades in, at the next process(). Any thread.
  void set_control(std::size_t index, float value) noexcept;

  // See Sound::set_offline; goes for all that are taken as well. Any thread.
  void set_offline(bool offline) noexcept { offline_.store(offline, std::memory_order_relaxed); }

  // Starts afresh and ends a running fade. Audio thread, or while process() does not run.
  void reset() noexcept;

 private:
  struct Item;  // a Sound, or none, on its way

  void take() noexcept;
  void apply_settings() noexcept;
  void retire(Item* item) noexcept;
  void play(Item* item, const float* const* in, float* const* out, std::size_t frames) noexcept;
  void fade(const float* const* in, float* const* out, std::size_t start,
            std::size_t frames) noexcept;
  void end_fade() noexcept;

  std::atomic<Item*> offered_{nullptr};
  std::atomic<Item*> retired_{nullptr};  // a list
  Item* playing_;                        // the audio thread's, never null
  Item* leaving_ = nullptr;              // the audio thread's, while a fade runs
  std::size_t wait_ = 0;                 // frames until the fade begins
  std::size_t faded_ = 0, fade_ = 1;     // frames of the fade: done, all
  std::size_t channels_ = 0, chunk_ = 1;
  std::vector<float> memory_;            // two signals of `chunk_` frames per channel
  std::vector<float*> old_, new_;        // rows of it
  std::vector<const float*> in_;
  std::vector<float*> out_;
  std::atomic<std::size_t> latency_{0};
  std::atomic<bool> fading_{false}, offline_{false};
  bool offline_applied_ = false;
  std::array<std::atomic<float>, max_controls> controls_{};
  std::atomic<std::uint64_t> turned_{0};  // a bit for each knob that was turned

  static_assert(std::atomic<Item*>::is_always_lock_free);
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
};

}  // namespace fxkit::host
