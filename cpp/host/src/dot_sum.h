// The sum behind dot.h, compiled once for each instruction set. Uses nothing of the library that other
// files would share.
#pragma once

#include <cstddef>

#include "dot.h"

namespace fxkit::host {
namespace {

using Vector = double __attribute__((vector_size(sizeof(double) * dot_unit)));

inline void load(Vector& v, const double* p) { __builtin_memcpy(&v, p, sizeof v); }

// Four sums at once, so that one addition need not wait for the other.
inline double sum(const double* a, const double* b, std::size_t count) {
  Vector sums[4] = {}, x, y;
  std::size_t i = 0;
  for (; i + 4 * dot_unit <= count; i += 4 * dot_unit) {
    for (std::size_t j = 0; j < 4; ++j) {
      load(x, a + i + j * dot_unit);
      load(y, b + i + j * dot_unit);
      sums[j] += x * y;
    }
  }
  for (; i < count; i += dot_unit) {
    load(x, a + i);
    load(y, b + i);
    sums[0] += x * y;
  }
  const Vector all = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  return ((all[0] + all[4]) + (all[1] + all[5])) + ((all[2] + all[6]) + (all[3] + all[7]));
}

}  // namespace
}  // namespace fxkit::host
