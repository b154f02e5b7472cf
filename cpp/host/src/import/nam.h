// The architectures of .nam files: each makes a model file of a configuration and its flat weights,
// whose number must be right. Both throw LoadError.
#pragma once

#include <cstddef>
#include <string>

#include "document.h"

namespace fxkit::host::imports {

std::string read_nam_lstm(const Section& config, const Numbers& weights, std::size_t sample_rate);
std::string read_nam_wavenet(const Section& config, const Numbers& weights, std::size_t sample_rate);

}  // namespace fxkit::host::imports
