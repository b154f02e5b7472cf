#include "chain/cabinet.h"

#include <algorithm>
#include <array>

namespace fxkit::plugin {

// Loads before it prepares: after that JUCE's own thread has nothing left to do.
struct Cabinet::Room {
  juce::dsp::Convolution convolution;
};

Cabinet::Cabinet() : playing_(new Item) {}

Cabinet::~Cabinet() {
  delete leaving_;
  delete playing_;
}

void Cabinet::prepare(double rate, std::size_t max_block, std::size_t channels) {
  rate_ = rate;
  // JUCE transforms a whole partition for each call, however short.
  chunk_ = std::clamp<std::size_t>(max_block, 64, 512);
  channels_ = channels;
  fade_.prepare(rate);
  old_.setSize(static_cast<int>(channels), static_cast<int>(chunk_));
  end_fade();
  if (Item* waiting = handover_.take()) delete waiting;
  playing_->value.reset();
  if (impulse_) playing_->value = make(*impulse_);
  handover_.collect();
}

std::unique_ptr<Cabinet::Room> Cabinet::make(const Impulse& impulse) const {
  const Impulse fit = fitted(impulse, rate_);
  const auto& channels = fit.channels;
  juce::AudioBuffer<float> buffer(static_cast<int>(channels.size()),
                                  static_cast<int>(channels[0].size()));
  for (std::size_t c = 0; c < channels.size(); ++c) {
    std::copy(channels[c].begin(), channels[c].end(), buffer.getWritePointer(static_cast<int>(c)));
  }
  auto room = std::make_unique<Room>();
  using Convolution = juce::dsp::Convolution;
  room->convolution.loadImpulseResponse(
      std::move(buffer), rate_, channels.size() > 1 ? Convolution::Stereo::yes : Convolution::Stereo::no,
      Convolution::Trim::no, Convolution::Normalise::no);
  room->convolution.prepare({rate_, static_cast<juce::uint32>(chunk_), static_cast<juce::uint32>(channels_)});
  return room;
}

void Cabinet::offer(std::optional<Impulse> impulse) {
  // Checked before it counts, also where no rate is known yet.
  if (impulse) fitted(*impulse, rate_ > 0 ? rate_ : impulse->rate);
  impulse_ = std::move(impulse);
  if (rate_ > 0) handover_.offer(impulse_ ? make(*impulse_) : nullptr);
}

void Cabinet::collect() { handover_.collect(); }

void Cabinet::end_fade() noexcept {
  if (leaving_) handover_.give_back(std::exchange(leaving_, nullptr));
}

void Cabinet::reset() noexcept {
  end_fade();
  if (Item* next = handover_.take()) handover_.give_back(std::exchange(playing_, next));
  if (playing_->value) playing_->value->convolution.reset();
}

void Cabinet::run(Item* item, float* const* samples, std::size_t frames) noexcept {
  if (!item->value) return;
  juce::dsp::AudioBlock<float> block(samples, channels_, frames);
  item->value->convolution.process(juce::dsp::ProcessContextReplacing<float>(block));
}

void Cabinet::process(float* const* samples, std::size_t frames) noexcept {
  if (!leaving_) {
    if (Item* next = handover_.take()) {
      leaving_ = std::exchange(playing_, next);
      fade_.jump(0);
      fade_.go(1);
    }
  }
  std::array<float*, 2> at{};
  for (std::size_t start = 0; start < frames; start += chunk_) {
    const std::size_t size = std::min(chunk_, frames - start);
    for (std::size_t c = 0; c < channels_; ++c) at[c] = samples[c] + start;
    if (!leaving_) {
      run(playing_, at.data(), size);
      continue;
    }
    for (std::size_t c = 0; c < channels_; ++c) {
      std::copy_n(at[c], size, old_.getWritePointer(static_cast<int>(c)));
    }
    run(leaving_, old_.getArrayOfWritePointers(), size);
    run(playing_, at.data(), size);
    for (std::size_t t = 0; t < size; ++t) {
      const float share = fade_.next();
      for (std::size_t c = 0; c < channels_; ++c) {
        const float old = old_.getReadPointer(static_cast<int>(c))[t];
        at[c][t] = share == 1.0f ? at[c][t] : old + share * (at[c][t] - old);
      }
    }
    if (!fade_.moving()) end_fade();
  }
}

}  // namespace fxkit::plugin
