#include "player.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "flush_denormals.h"

namespace fxkit::engine {

Player::Player(Plan plan, const Kernels& kernels, std::vector<float> knobs)
    : plan_(std::move(plan)), kernels_(kernels), targets_(knobs.size()), knobs_(knobs.size()) {
  for (std::size_t i = 0; i < knobs.size(); ++i) targets_[i] = knobs[i];
}

void Player::prepare(std::size_t streams, std::size_t ramp) {
  streams_ = 0;  // should memory run out
  // Behind the last row there is room for what a kernel reads beyond it.
  signals_ = Buffer(plan_.rows * streams * max_block + row_unit);
  scratch_ = Buffer(plan_.scratch);
  for (const auto& node : plan_.nodes) node->prepare(streams);
  ramp_ = std::max<std::size_t>(ramp, 1);
  streams_ = streams;
  reset();
}

void Player::reset() noexcept {
  for (const auto& node : plan_.nodes) node->reset();
  signals_.clear();
  clock_ = 0;
  for (std::size_t i = 0; i < knobs_.size(); ++i) knobs_[i] = {knob(i), knob(i), 0, 0};
}

void Player::process(const float* const* inputs, float* const* outputs,
                     std::size_t frames) noexcept {
  const kernels::FlushDenormals flush;
  read_knobs();
  for (std::size_t start = 0; start < frames; start += max_block) {
    play(inputs, outputs, start, std::min(max_block, frames - start));
  }
}

void Player::read_knobs() noexcept {
  for (std::size_t i = 0; i < knobs_.size(); ++i) {
    Knob& knob = knobs_[i];
    const float target = this->knob(i);
    if (target == knob.target) continue;
    knob.target = target;
    knob.left = ramp_;
    knob.step = (target - knob.value) / static_cast<float>(ramp_);
  }
}

void Player::fill_knobs(const Block& block) noexcept {
  const View view(block, plan_.controls);
  for (std::size_t i = 0; i < knobs_.size(); ++i) {
    Knob& knob = knobs_[i];
    float* const row = view.data + i * streams_ * view.stride;
    for (std::size_t t = 0; t < block.samples; ++t) {
      if (knob.left > 0) {
        knob.value = --knob.left == 0 ? knob.target : knob.value + knob.step;
      }
      row[t] = knob.value;
    }
    for (std::size_t s = 1; s < streams_; ++s) {
      std::memcpy(row + s * view.stride, row, block.samples * sizeof(float));
    }
  }
}

void Player::play(const float* const* inputs, float* const* outputs, std::size_t start,
                  std::size_t frames) noexcept {
  const Block block{&kernels_, signals_.data(), scratch_.data(), streams_, clock_, frames};
  const View audio(block, plan_.audio);
  for (std::size_t s = 0; s < streams_; ++s) {
    float* const row = audio.data + s * audio.stride;
    const float* const in = inputs[s] + start;
    // One NaN would stay in a recurrent layer for ever: what is not finite counts as silence.
    for (std::size_t t = 0; t < frames; ++t) row[t] = std::isfinite(in[t]) ? in[t] : 0.0f;
  }
  if (!knobs_.empty()) fill_knobs(block);
  for (const auto& node : plan_.nodes) node->process(block);
  const View output(block, plan_.output);
  for (std::size_t s = 0; s < streams_; ++s) {
    std::memcpy(outputs[s] + start, output.data + s * output.stride, frames * sizeof(float));
  }
  clock_ += frames;
}

}  // namespace fxkit::engine
