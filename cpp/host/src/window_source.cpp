#include "window_source.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <span>

#include "fxkit/fxkit.hpp"

namespace fxkit::host {
namespace {

constexpr std::size_t longest_fade = 256;  // samples

}  // namespace

WindowSource::WindowSource(std::unique_ptr<WindowProgram> program, WindowSettings settings)
    : program_(std::move(program)), settings_(std::move(settings)), delay_(settings_.hop) {
  const std::size_t knobs = settings_.knobs.size();
  if (program_->window() != settings_.window || program_->controls() != knobs ||
      knobs > max_controls) {
    throw Error("damaged: its program does not fit what is said about it");
  }
  for (std::size_t i = 0; i < knobs; ++i) controls_[i] = settings_.knobs[i];
}

WindowSource::~WindowSource() { stop(); }

void WindowSource::stop() {
  stopping_ = true;
  if (worker_.joinable()) worker_.join();
  stopping_ = false;
}

void WindowSource::prepare(std::size_t max_block, std::size_t channels) {
  stop();
  const std::size_t hop = settings_.hop;
  // The worker has a hop of time. Where a block is not small against that, what it brings and what
  // it takes away come at one moment, so a block more is needed.
  delay_ = 2 * max_block <= hop ? hop : hop + max_block;
  fade_ = std::min(longest_fade, hop / 8);
  channels_ = channels;
  Hop slot;
  slot.samples.resize(channels * hop);
  const std::size_t slots = 4 + delay_ / hop;
  inputs_.assign(slots, slot);
  outputs_.assign(slots, slot);
  streams_.assign(channels, WindowStream(settings_.window, hop));
  silence_.assign(hop, 0.0f);
  unheard_.assign(hop, 0.0f);
  writing_ = reading_ = nullptr;
  worker_epoch_ = epoch_;
  next_ = 0;
  reset();
  worker_ = std::thread([this] { work(); });
}

void WindowSource::reset() noexcept {
  if (channels_ == 0) return;
  reading_ = nullptr;
  while (outputs_.readable()) outputs_.release();
  needed_.store(0, std::memory_order_relaxed);
  epoch_.fetch_add(1, std::memory_order_release);
  clock_ = index_ = 0;
  fill_ = 0;
  fade_in_ = fade_out_ = false;
}

void WindowSource::set_control(std::size_t index, float value) noexcept {
  if (index < settings_.knobs.size() && value >= 0.0f && value <= 1.0f) {
    controls_[index].store(value, std::memory_order_relaxed);
  }
}

// ---- The audio thread ----

void WindowSource::process(const float* const* in, float* const* out, std::size_t frames) noexcept {
  if (channels_ == 0) return;
  const std::size_t hop = settings_.hop;
  const std::uint64_t first = delay_ + hop - 1;  // when the first hop of output begins
  for (std::size_t start = 0; start < frames;) {
    if (fill_ == 0) begin_input();
    std::size_t size = std::min(frames - start, hop - fill_);
    std::size_t at = 0;  // in the hop of output
    if (clock_ < first) {
      size = static_cast<std::size_t>(std::min<std::uint64_t>(size, first - clock_));
    } else {
      at = static_cast<std::size_t>((clock_ - first) % hop);
      const std::size_t fading = hop - fade_;
      size = std::min(size, at < fading ? fading - at : hop - at);
    }
    if (writing_) {
      for (std::size_t c = 0; c < channels_; ++c) {
        std::memcpy(writing_->samples.data() + c * hop + fill_, in[c] + start, size * sizeof(float));
      }
    }
    fill_ += size;
    if (fill_ == hop) end_input();
    if (clock_ < first) {
      for (std::size_t c = 0; c < channels_; ++c) std::fill_n(out[c] + start, size, 0.0f);
    } else {
      const std::uint64_t index = (clock_ - first) / hop;
      if (at == 0) begin_output(index);
      if (at == hop - fade_) {
        const bool late = !offline_.load(std::memory_order_relaxed) &&
                          !find_output(index + 1, reading_ ? 1 : 0);
        fade_out_ = reading_ && late;
      }
      give(out, start, at, size);
    }
    clock_ += size;
    start += size;
  }
}

void WindowSource::begin_input() noexcept {
  if (writing_) return;  // left over from before a reset
  writing_ = inputs_.writable();
  while (!writing_ && offline_.load(std::memory_order_relaxed)) {
    nap();
    writing_ = inputs_.writable();
  }
}

void WindowSource::end_input() noexcept {
  if (writing_) {
    writing_->epoch = epoch_.load(std::memory_order_relaxed);
    writing_->index = index_;
    for (std::size_t i = 0; i < settings_.knobs.size(); ++i) {
      writing_->knobs[i] = controls_[i].load(std::memory_order_relaxed);
    }
    inputs_.publish();
    writing_ = nullptr;
  }
  ++index_;
  fill_ = 0;
}

// The finished hop `index`, if it is there; `ahead` slots are still in use.
WindowSource::Hop* WindowSource::find_output(std::uint64_t index, std::size_t ahead) noexcept {
  for (;;) {
    Hop* const hop = outputs_.readable(ahead);
    if (!hop) return nullptr;
    const bool old = hop->epoch != epoch_.load(std::memory_order_relaxed) || hop->index < index;
    if (!old) return hop->index == index ? hop : nullptr;
    if (ahead > 0) return nullptr;  // released once it is the first
    outputs_.release();
  }
}

void WindowSource::begin_output(std::uint64_t index) noexcept {
  const bool gap = (!reading_ && index > 0) || fade_out_;
  if (reading_) outputs_.release();
  needed_.store(index, std::memory_order_relaxed);
  reading_ = find_output(index, 0);
  while (!reading_ && offline_.load(std::memory_order_relaxed)) {
    // Where the worker has nothing left to do, the hop was lost before this was offline.
    const bool idle = inputs_.empty();
    reading_ = find_output(index, 0);
    if (reading_ || idle) break;
    nap();
  }
  // A hop that came after all, when the one before had begun to fade, counts too.
  if (!reading_ || fade_out_) missed_.fetch_add(1, std::memory_order_relaxed);
  fade_out_ = false;
  fade_in_ = reading_ && gap;
}

void WindowSource::give(float* const* out, std::size_t start, std::size_t at,
                        std::size_t frames) noexcept {
  const std::size_t hop = settings_.hop;
  for (std::size_t c = 0; c < channels_; ++c) {
    float* const to = out[c] + start;
    if (!reading_) {
      std::fill_n(to, frames, 0.0f);
      continue;
    }
    std::memcpy(to, reading_->samples.data() + c * hop + at, frames * sizeof(float));
    const float step = fade_ > 0 ? 1.0f / static_cast<float>(fade_) : 0.0f;
    if (fade_in_ && at < fade_) {
      for (std::size_t t = 0; t < frames && at + t < fade_; ++t) {
        to[t] *= static_cast<float>(at + t) * step;
      }
    }
    if (fade_out_ && at >= hop - fade_) {
      for (std::size_t t = 0; t < frames; ++t) to[t] *= static_cast<float>(hop - at - t - 1) * step;
    }
  }
}

// ---- The worker ----

void WindowSource::nap() const {
  const double hop = static_cast<double>(settings_.hop) / settings_.sample_rate;
  const bool offline = offline_.load(std::memory_order_relaxed);
  std::this_thread::sleep_for(
      std::chrono::duration<double>(offline ? 5e-5 : std::clamp(hop / 16, 1e-4, 4e-3)));
}

void WindowSource::work() {
  while (!stopping_.load(std::memory_order_relaxed)) {
    Hop* const job = inputs_.readable();
    if (!job) {
      nap();
      continue;
    }
    compute(*job);
    inputs_.release();
  }
}

void WindowSource::compute(const Hop& job) {
  const std::size_t hop = settings_.hop;
  if (job.epoch != worker_epoch_) {
    for (WindowStream& stream : streams_) stream.clear();
    worker_epoch_ = job.epoch;
    next_ = whole_from_ = 0;
  }
  if (job.epoch != epoch_.load(std::memory_order_acquire)) return;
  // Hops for which there was no slot: silence, and a window that is left out. Windows with such a gap
  // in them are not heard, else the sound would come back in the midst of a hop.
  const std::uint64_t lost = job.index - next_, all = settings_.window / hop + 1;
  if (lost > 0) whole_from_ = job.index + (settings_.window + hop - 1) / hop - 1;
  for (std::uint64_t i = 0; i < std::min(lost, all); ++i) {
    for (WindowStream& stream : streams_) {
      stream.advance(nullptr, {}, silence_.data(), unheard_.data());
    }
  }
  next_ = job.index + 1;
  const bool late = job.index < whole_from_ || (!offline_.load(std::memory_order_relaxed) &&
                                                needed_.load(std::memory_order_relaxed) > job.index);
  Hop* ready = nullptr;
  while (!late && !ready) {
    ready = outputs_.writable();
    if (ready) break;
    if (stopping_.load(std::memory_order_relaxed)) return;
    nap();
  }
  const std::span<const float> knobs(job.knobs.data(), settings_.knobs.size());
  for (std::size_t c = 0; c < channels_; ++c) {
    streams_[c].advance(late ? nullptr : program_.get(), knobs, job.samples.data() + c * hop,
                        ready ? ready->samples.data() + c * hop : unheard_.data());
  }
  if (!ready) return;
  ready->epoch = job.epoch;
  ready->index = job.index;
  outputs_.publish();
}

std::vector<float> WindowSource::play(const std::vector<float>& in, const std::vector<float>& knobs) {
  const std::size_t hop = settings_.hop;
  WindowStream stream(settings_.window, hop);
  std::vector<float> out(in.size()), heard(hop), said(hop);
  for (std::size_t start = 0; start + hop <= in.size(); start += hop) {
    std::copy_n(in.begin() + static_cast<std::ptrdiff_t>(start), hop, heard.begin());
    if (!stream.advance(program_.get(), knobs, heard.data(), said.data())) {
      throw Error("its program fails");
    }
    const std::size_t at = start + hop - 1;  // the window's first sample comes with its last
    std::copy_n(said.begin(), std::min(hop, out.size() - at),
                out.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return out;
}

}  // namespace fxkit::host
