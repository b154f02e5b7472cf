// A model that the engine plays.
#pragma once

#include <utility>

#include "fxkit/fxkit.hpp"
#include "source.h"

namespace fxkit::host {

class EngineSource final : public Source {
 public:
  explicit EngineSource(Engine engine) : engine_(std::move(engine)) {}

  double sample_rate() const noexcept override { return engine_.sample_rate(); }
  std::size_t latency() const noexcept override { return engine_.latency(); }
  void prepare(std::size_t max_block, std::size_t channels) override;
  void process(const float* const* in, float* const* out, std::size_t frames) noexcept override;
  void reset() noexcept override { engine_.reset(); }
  void set_control(std::size_t index, float value) noexcept override {
    engine_.set_control(index, value);
  }

 private:
  Engine engine_;
};

}  // namespace fxkit::host
