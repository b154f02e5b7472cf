// Plays a window model: its windows are computed on a thread of their own.
//
// The audio thread collects hops of input and hands them over through a ring; the worker hands back
// finished hops. A hop has to be there one hop of time after its window was complete, which is
// declared as latency on top of the model's. One that is late is silent, with a short fade before
// and behind, and counted; windows that are too late are not computed, so that the worker catches
// up. Offline the audio thread waits instead.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "backend_library.h"
#include "ring.h"
#include "source.h"
#include "window_stream.h"

namespace fxkit::host {

struct WindowSettings {
  double sample_rate;        // Hz
  std::size_t window, hop;   // samples
  std::vector<float> knobs;  // what they begin with; as many as the program has
};

class WindowSource final : public Source {
 public:
  static constexpr std::size_t max_controls = 64;

  // Throws fxkit::Error where program and settings do not fit.
  WindowSource(std::unique_ptr<WindowProgram> program, WindowSettings settings);
  ~WindowSource() override;

  double sample_rate() const noexcept override { return settings_.sample_rate; }
  std::size_t latency() const noexcept override { return settings_.window - 1 + delay_; }
  void prepare(std::size_t max_block, std::size_t channels) override;
  void process(const float* const* in, float* const* out, std::size_t frames) noexcept override;
  void reset() noexcept override;
  void set_control(std::size_t index, float value) noexcept override;
  void set_offline(bool offline) noexcept override {
    offline_.store(offline, std::memory_order_relaxed);
  }

  // Hops that were silent or faded because the worker was late, since it was made. Any thread.
  std::size_t missed() const noexcept { return missed_.load(std::memory_order_relaxed); }

  // Plays a signal from the start at once, on the calling thread, at the model's own latency. Not
  // while the worker runs: before prepare.
  std::vector<float> play(const std::vector<float>& in, const std::vector<float>& knobs);

 private:
  struct Hop {
    std::uint64_t epoch = 0, index = 0;
    std::array<float, max_controls> knobs{};
    std::vector<float> samples;  // [channels, hop]
  };

  void stop();
  void work();
  void compute(const Hop& job);
  void nap() const;
  void begin_input() noexcept;
  void end_input() noexcept;
  Hop* find_output(std::uint64_t index, std::size_t ahead) noexcept;
  void begin_output(std::uint64_t index) noexcept;
  void give(float* const* out, std::size_t start, std::size_t at, std::size_t frames) noexcept;

  std::unique_ptr<WindowProgram> program_;
  WindowSettings settings_;
  std::size_t channels_ = 0, delay_, fade_ = 0;
  Ring<Hop> inputs_, outputs_;
  std::array<std::atomic<float>, max_controls> controls_{};
  std::atomic<bool> offline_{false}, stopping_{false};
  std::atomic<std::uint64_t> epoch_{0};   // raised by reset: older hops are void
  std::atomic<std::uint64_t> needed_{0};  // the hop of output that plays or should
  std::atomic<std::size_t> missed_{0};

  // The audio thread's.
  std::uint64_t clock_ = 0, index_ = 0;  // samples since reset, hop of input
  std::size_t fill_ = 0;                 // samples of that hop
  Hop* writing_ = nullptr;               // null where the worker left no slot
  Hop* reading_ = nullptr;               // null where the hop is late
  bool fade_in_ = false, fade_out_ = false;

  // The worker's.
  std::vector<WindowStream> streams_;
  std::vector<float> silence_, unheard_;  // a hop each
  std::uint64_t worker_epoch_ = 0, next_ = 0;
  std::uint64_t whole_from_ = 0;  // the first hop whose window has no lost hop in it
  std::thread worker_;
};

}  // namespace fxkit::host
