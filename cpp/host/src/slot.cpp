#include "fxkit/host/slot.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "realtime_scope.h"

namespace fxkit::host {

struct Slot::Item {
  std::unique_ptr<Sound> sound;  // none: the input as it is
  Item* next = nullptr;          // in the list of what is retired

  std::size_t latency() const noexcept { return sound ? sound->latency() : 0; }
};

Slot::Slot() : playing_(new Item) {}

Slot::~Slot() {
  collect();
  delete offered_.exchange(nullptr);
  delete leaving_;
  delete playing_;
}

void Slot::prepare(double host_rate, std::size_t max_block, std::size_t channels) {
  if (channels < 1) throw Error("channels must be 1 or more");
  end_fade();
  collect();
  channels_ = channels;
  chunk_ = std::max<std::size_t>(max_block, 1);
  fade_ = std::max<std::size_t>(static_cast<std::size_t>(std::lround(host_rate * fade_seconds)), 1);
  memory_.assign(2 * channels * chunk_, 0);
  for (auto* rows : {&old_, &new_, &out_}) rows->resize(channels);
  in_.resize(channels);
  for (std::size_t c = 0; c < channels; ++c) {
    old_[c] = memory_.data() + c * chunk_;
    new_[c] = memory_.data() + (channels + c) * chunk_;
  }
  std::unique_ptr<Item> waiting(offered_.exchange(nullptr, std::memory_order_acq_rel));
  try {
    if (playing_->sound) playing_->sound->prepare(host_rate, max_block, channels);
    if (waiting && waiting->sound) waiting->sound->prepare(host_rate, max_block, channels);
  } catch (...) {
    playing_->sound.reset();
    latency_ = 0;
    throw;
  }
  offered_.store(waiting.release(), std::memory_order_release);
  latency_ = playing_->latency();
}

void Slot::offer(std::unique_ptr<Sound> sound) {
  auto item = std::make_unique<Item>();
  item->sound = std::move(sound);
  // What was not taken in time comes back and is freed here.
  delete offered_.exchange(item.release(), std::memory_order_acq_rel);
}

void Slot::collect() {
  Item* item = retired_.exchange(nullptr, std::memory_order_acquire);
  while (item) delete std::exchange(item, item->next);
}

bool Slot::busy() const noexcept {
  return offered_.load(std::memory_order_acquire) || fading_.load(std::memory_order_acquire);
}

void Slot::set_control(std::size_t index, float value) noexcept {
  if (index >= max_controls) return;
  controls_[index].store(value, std::memory_order_relaxed);
  turned_.fetch_or(std::uint64_t{1} << index, std::memory_order_release);
}

void Slot::reset() noexcept {
  end_fade();
  if (playing_->sound) playing_->sound->reset();
}

void Slot::process(const float* const* in, float* const* out, std::size_t frames) noexcept {
  if (channels_ == 0) return;
  take();
  apply_settings();
  const engine::RealtimeScope realtime(!offline_applied_);
  std::size_t start = 0;
  while (leaving_ && start < frames) {
    const std::size_t size = std::min(chunk_, frames - start);
    fade(in, out, start, size);
    start += size;
  }
  if (start >= frames) return;
  for (std::size_t c = 0; c < channels_; ++c) {
    in_[c] = in[c] + start;
    out_[c] = out[c] + start;
  }
  play(playing_, in_.data(), out_.data(), frames - start);
}

// Takes what is offered, unless a fade still runs.
void Slot::take() noexcept {
  if (leaving_ || !offered_.load(std::memory_order_relaxed)) return;
  Item* const item = offered_.exchange(nullptr, std::memory_order_acq_rel);
  if (!item) return;
  leaving_ = std::exchange(playing_, item);
  fading_.store(true, std::memory_order_release);
  wait_ = playing_->latency();
  faded_ = 0;
  latency_.store(playing_->latency(), std::memory_order_relaxed);
  if (playing_->sound) playing_->sound->set_offline(offline_applied_);
}

void Slot::apply_settings() noexcept {
  Sound* const sound = playing_->sound.get();
  if (std::uint64_t bits = turned_.exchange(0, std::memory_order_acquire)) {
    for (std::size_t i = 0; i < max_controls && sound; ++i) {
      if (bits >> i & 1) sound->set_control(i, controls_[i].load(std::memory_order_relaxed));
    }
  }
  const bool offline = offline_.load(std::memory_order_relaxed);
  if (offline == offline_applied_) return;
  offline_applied_ = offline;
  for (Item* item : {playing_, leaving_}) {
    if (item && item->sound) item->sound->set_offline(offline);
  }
}

void Slot::play(Item* item, const float* const* in, float* const* out,
                std::size_t frames) noexcept {
  if (item->sound) return item->sound->process(in, out, frames);
  for (std::size_t c = 0; c < channels_; ++c) {
    if (in[c] != out[c]) std::copy_n(in[c], frames, out[c]);
  }
}

// Both play; what is heard goes from one to the other on a straight line.
void Slot::fade(const float* const* in, float* const* out, std::size_t start,
                std::size_t frames) noexcept {
  for (std::size_t c = 0; c < channels_; ++c) in_[c] = in[c] + start;
  play(leaving_, in_.data(), old_.data(), frames);
  play(playing_, in_.data(), new_.data(), frames);
  const std::size_t still = std::min(wait_, frames);
  const float step = 1.0f / static_cast<float>(fade_);
  for (std::size_t c = 0; c < channels_; ++c) {
    float* const to = out[c] + start;
    std::copy_n(old_[c], still, to);
    for (std::size_t t = still; t < frames; ++t) {
      const std::size_t done = std::min(faded_ + (t - still) + 1, fade_);
      const float share = done == fade_ ? 1.0f : static_cast<float>(done) * step;
      to[t] = old_[c][t] + share * (new_[c][t] - old_[c][t]);
    }
  }
  wait_ -= still;
  faded_ += frames - still;
  if (faded_ >= fade_) end_fade();
}

void Slot::end_fade() noexcept {
  if (!leaving_) return;
  retire(std::exchange(leaving_, nullptr));
  fading_.store(false, std::memory_order_release);
}

// Only the audio thread adds to the list, and collect() takes all of it: no item is ever seen twice.
void Slot::retire(Item* item) noexcept {
  item->next = retired_.load(std::memory_order_relaxed);
  while (!retired_.compare_exchange_weak(item->next, item, std::memory_order_release,
                                         std::memory_order_relaxed)) {
  }
}

}  // namespace fxkit::host
