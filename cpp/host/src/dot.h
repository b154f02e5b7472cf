// Sums of products in double precision, for the machine at hand.
#pragma once

#include <cstddef>

namespace fxkit::host {

// Vectors come in this many numbers; a product's length is a multiple of it.
constexpr std::size_t dot_unit = 8;

using Dot = double (*)(const double* a, const double* b, std::size_t count);

// The best for this machine. Its order of summing depends on `count` only.
Dot best_dot();

}  // namespace fxkit::host
