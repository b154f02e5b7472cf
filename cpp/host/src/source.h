// What a Sound plays: a model at its own rate.
//
// The engine is one (engine_source.h). A model that needs a worker thread is another; what the
// worker adds to the delay is part of latency().
#pragma once

#include <cstddef>

namespace fxkit::host {

class Source {
 public:
  virtual ~Source() = default;

  // Hz. Does not change.
  virtual double sample_rate() const noexcept = 0;

  // By how many of its samples the output lags the input; asked for after prepare.
  virtual std::size_t latency() const noexcept = 0;

  // Allocates, and starts afresh. max_block: how many frames usually come at one moment, in one
  // call of process or in several; more are allowed. Throws fxkit::Error.
  virtual void prepare(std::size_t max_block, std::size_t channels) = 0;

  // Audio thread: neither allocates, locks nor throws; in[i] == out[i] is allowed. The input is
  // finite. How the signal is cut into blocks makes no difference.
  virtual void process(const float* const* in, float* const* out, std::size_t frames) noexcept = 0;

  // The next sample is the first one. Audio thread.
  virtual void reset() noexcept = 0;

  // Any thread.
  virtual void set_control(std::size_t index, float value) noexcept = 0;

  // Whether process may wait for a worker, so that nothing is ever late. Any thread.
  virtual void set_offline(bool /*offline*/) noexcept {}
};

}  // namespace fxkit::host
