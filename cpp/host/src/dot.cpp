#include "dot.h"

#include <cstring>

#include "fxkit/kernels/recurrent.h"

namespace fxkit::host {
namespace {

using Vector = double __attribute__((vector_size(sizeof(double) * dot_unit)));

// Two sums at once, so that one addition need not wait for the other.
template <class Load>
[[gnu::always_inline]] inline double sum(const double* a, const double* b, std::size_t count,
                                         Load load) {
  Vector even{}, odd{}, x, y;
  std::size_t i = 0;
  for (; i + 2 * dot_unit <= count; i += 2 * dot_unit) {
    load(x, a + i);
    load(y, b + i);
    even += x * y;
    load(x, a + i + dot_unit);
    load(y, b + i + dot_unit);
    odd += x * y;
  }
  if (i < count) {
    load(x, a + i);
    load(y, b + i);
    even += x * y;
  }
  even += odd;
  return ((even[0] + even[4]) + (even[1] + even[5])) + ((even[2] + even[6]) + (even[3] + even[7]));
}

struct Load {
  [[gnu::always_inline]] void operator()(Vector& v, const double* p) const {
    std::memcpy(&v, p, sizeof v);
  }
};

double dot_baseline(const double* a, const double* b, std::size_t count) {
  return sum(a, b, count, Load{});
}

#ifdef FXK_X86
[[gnu::target("avx2,fma")]] double dot_avx2(const double* a, const double* b, std::size_t count) {
  return sum(a, b, count, Load{});
}
#endif

}  // namespace

Dot best_dot() {
#ifdef FXK_X86
  if (kernels::available(kernels::Isa::avx2)) return dot_avx2;
#endif
  return dot_baseline;
}

}  // namespace fxkit::host
