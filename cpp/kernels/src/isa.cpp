#include "fxkit/kernels/recurrent.h"

namespace fxkit::kernels {

std::string_view name(Isa isa) {
  switch (isa) {
    case Isa::avx512:
      return "avx512";
    case Isa::avx2:
      return "avx2";
    default:
      return "baseline";
  }
}

bool available(Isa isa) {
  if (isa == Isa::baseline) return true;
#if defined(FXK_X86)
  // These ask the operating system as well whether it keeps the wide registers.
  __builtin_cpu_init();
  if (isa == Isa::avx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#else
  return false;
#endif
}

Isa best_isa() {
  for (const Isa isa : {Isa::avx512, Isa::avx2}) {
    if (available(isa)) return isa;
  }
  return Isa::baseline;
}

}  // namespace fxkit::kernels
