#include "engine_source.h"

namespace fxkit::host {

void EngineSource::prepare(std::size_t max_block, std::size_t channels) {
  engine_.prepare(engine_.sample_rate(), max_block, channels);
}

void EngineSource::process(const float* const* in, float* const* out,
                           std::size_t frames) noexcept {
  engine_.process(in, out, frames);
}

}  // namespace fxkit::host
