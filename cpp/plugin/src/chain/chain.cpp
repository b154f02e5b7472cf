#include "chain/chain.h"

#include <algorithm>
#include <cmath>

namespace fxkit::plugin {
namespace {

constexpr std::size_t largest_part = 4096;  // frames; longer blocks are cut

float factor(float db) { return db == 0 ? 1.0f : std::pow(10.0f, db / 20); }

void raise(std::atomic<float>& peak, const float* const* samples, std::size_t channels,
           std::size_t frames) {
  float most = peak.load(std::memory_order_relaxed);
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t t = 0; t < frames; ++t) most = std::max(most, std::abs(samples[c][t]));
  }
  peak.store(most, std::memory_order_relaxed);
}

}  // namespace

void Chain::prepare(double rate, std::size_t max_block, std::size_t inputs, std::size_t outputs) {
  inputs_ = outputs_ = 0;  // should something fail
  chunk_ = std::clamp<std::size_t>(max_block, 1, largest_part);
  memory_.assign(2 * chunk_, 0.0f);
  dry_ = {memory_.data(), memory_.data() + chunk_};
  for (auto* ramp : {&input_, &level_, &mix_, &output_, &bypass_}) ramp->prepare(rate);
  gate_.prepare(rate);
  equaliser_.prepare(rate);
  delay_.prepare(rate, inputs, static_cast<std::size_t>(longest_latency * rate));
  cabinet.prepare(rate, max_block, outputs);
  slot.prepare(rate, std::min(max_block, chunk_), inputs);
  inputs_ = inputs;
  outputs_ = outputs;
  reset();
}

void Chain::set(const Settings& settings) noexcept {
  settings_ = settings;
  input_.go(factor(settings.input_db));
  gate_.set_threshold(settings.gate_db);
  for (std::size_t i = 0; i < Equaliser::bands; ++i) equaliser_.set_gain(i, settings.bands_db[i]);
  level_.go(settings.level);
  mix_.go(settings.mix);
  output_.go(factor(settings.output_db));
  bypass_.go(settings.bypass ? 1.0f : 0.0f);
}

void Chain::start() noexcept {
  if (inputs_ == 0) return;
  // No frames: the slot takes what is offered, and reset() ends the fade to it.
  slot.process(nullptr, nullptr, 0);
  slot.reset();
  cabinet.reset();
  gate_.reset();
  equaliser_.reset();
  delay_.set(slot.latency());
  delay_.reset();
  input_.jump(factor(settings_.input_db));
  level_.jump(settings_.level);
  mix_.jump(settings_.mix);
  output_.jump(factor(settings_.output_db));
  bypass_.jump(settings_.bypass ? 1.0f : 0.0f);
}

void Chain::process(float* const* samples, std::size_t frames) noexcept {
  if (inputs_ == 0 || frames == 0) return;
  if (fresh_.exchange(false, std::memory_order_acq_rel)) start();
  for (std::size_t start = 0; start < frames; start += chunk_) {
    std::array<float*, 2> at{};
    for (std::size_t c = 0; c < outputs_; ++c) at[c] = samples[c] + start;
    part(at.data(), std::min(chunk_, frames - start));
  }
}

void Chain::part(float* const* samples, std::size_t frames) noexcept {
  for (std::size_t c = 0; c < inputs_; ++c) {
    for (std::size_t t = 0; t < frames; ++t) {
      if (!std::isfinite(samples[c][t])) samples[c][t] = 0;
    }
  }
  raise(input_peak_, samples, inputs_, frames);
  delay_.push(samples, frames);

  apply(input_, samples, inputs_, frames);
  gate_.process(samples, inputs_, frames);
  slot.process(samples, samples, frames);
  if (outputs_ > inputs_) std::copy_n(samples[0], frames, samples[1]);
  equaliser_.process(samples, outputs_, frames);
  cabinet.process(samples, frames);
  apply(level_, samples, outputs_, frames);

  delay_.set(slot.latency());
  delay_.read(dry_.data(), frames);
  if (outputs_ > inputs_) std::copy_n(dry_[0], frames, dry_[1]);
  const bool all = mix_.rests_at(1.0f) && output_.rests_at(1.0f) && bypass_.rests_at(0.0f);
  for (std::size_t t = 0; t < frames && !all; ++t) {
    const float mix = mix_.next(), gain = output_.next(), bypass = bypass_.next();
    for (std::size_t c = 0; c < outputs_; ++c) {
      const float dry = dry_[c][t];
      const float wet = mix == 1.0f ? samples[c][t] : dry + mix * (samples[c][t] - dry);
      const float out = wet * gain;
      samples[c][t] = bypass == 1.0f ? dry : out + bypass * (dry - out);
    }
  }
  raise(output_peak_, samples, outputs_, frames);
}

}  // namespace fxkit::plugin
