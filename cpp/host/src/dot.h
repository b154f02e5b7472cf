// Sums of products in double precision, for the machine at hand.
#pragma once

#include <cstddef>

namespace fxkit::host {

// Vectors come in this many numbers; a product's length is a multiple of it.
constexpr std::size_t dot_unit = 8;

using Dot = double (*)(const double* a, const double* b, std::size_t count);

// The best for this machine. Its order of summing depends on `count` only.
Dot best_dot();

// One for each instruction set, compiled in a file of its own.
double dot_baseline(const double* a, const double* b, std::size_t count);
double dot_avx2(const double* a, const double* b, std::size_t count);
double dot_avx512(const double* a, const double* b, std::size_t count);

}  // namespace fxkit::host
