#include "window_stream.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fxkit::host {

std::vector<float> overlap_weights(std::size_t window, std::size_t hop) {
  std::vector<double> fade(window), total(hop);
  for (std::size_t i = 0; i < window; ++i) {
    const double sine =
        std::sin(std::numbers::pi * (static_cast<double>(i) + 0.5) / static_cast<double>(window));
    fade[i] = sine * sine;
    total[i % hop] += fade[i];
  }
  std::vector<float> weights(window);
  for (std::size_t i = 0; i < window; ++i) weights[i] = static_cast<float>(fade[i] / total[i % hop]);
  return weights;
}

WindowStream::WindowStream(std::size_t window, std::size_t hop)
    : hop_(hop),
      weights_(overlap_weights(window, hop)),
      past_(window),
      pending_(window),
      computed_(window) {}

void WindowStream::clear() {
  std::fill(past_.begin(), past_.end(), 0.0f);
  std::fill(pending_.begin(), pending_.end(), 0.0f);
}

bool WindowStream::advance(WindowProgram* program, std::span<const float> controls, const float* in,
                           float* out) {
  const auto hop = static_cast<std::ptrdiff_t>(hop_);
  std::copy(past_.begin() + hop, past_.end(), past_.begin());
  std::copy_n(in, hop_, past_.end() - hop);
  const bool computed = program && program->run(past_.data(), controls.data(), computed_.data());
  if (computed) {
    for (std::size_t i = 0; i < weights_.size(); ++i) pending_[i] += weights_[i] * computed_[i];
  }
  std::copy_n(pending_.begin(), hop_, out);
  std::copy(pending_.begin() + hop, pending_.end(), pending_.begin());
  std::fill(pending_.end() - hop, pending_.end(), 0.0f);
  return computed;
}

}  // namespace fxkit::host
