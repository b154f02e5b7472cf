#include "dot.h"

#include "dot_sum.h"
#include "fxkit/kernels/recurrent.h"

namespace fxkit::host {

double dot_baseline(const double* a, const double* b, std::size_t count) { return sum(a, b, count); }

Dot best_dot() {
#ifdef FXK_X86
  if (kernels::available(kernels::Isa::avx512)) return dot_avx512;
  if (kernels::available(kernels::Isa::avx2)) return dot_avx2;
#endif
  return dot_baseline;
}

}  // namespace fxkit::host
