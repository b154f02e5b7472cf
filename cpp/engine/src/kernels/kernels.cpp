#include "kernels.h"

namespace fxkit::engine {

const Kernels& kernels_for(Isa isa) {
  switch (isa) {
#if defined(FXK_X86)
    case Isa::avx512:
      return avx512_kernels;
    case Isa::avx2:
      return avx2_kernels;
#endif
    default:
      return baseline_kernels;
  }
}

}  // namespace fxkit::engine
