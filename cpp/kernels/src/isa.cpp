#include "fxkit/kernels/recurrent.h"

#if defined(FXK_X86)
#include <cpuid.h>
#endif

namespace fxkit::kernels {
namespace {

#if defined(FXK_X86)

struct Processor {
  bool avx2 = false, avx512 = false;
};

// Asked of the processor itself: `__builtin_cpu_supports` wants a part of the compiler's run-time
// library, which not every linker on Windows and macOS brings along.
Processor ask() {
  const auto bit = [](unsigned word, int index) { return (word >> index & 1) != 0; };
  Processor found;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return found;
  const bool xgetbv = bit(c, 27), avx = bit(c, 28), fma = bit(c, 12);
  if (!xgetbv || !avx || !fma || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return found;
  // Whether the operating system keeps the wide registers.
  unsigned low = 0, high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  found.avx2 = bit(b, 5) && (low & 0x06) == 0x06;
  const bool all = bit(b, 16) && bit(b, 17) && bit(b, 30) && bit(b, 31);  // F, DQ, BW, VL
  found.avx512 = found.avx2 && all && (low & 0xe6) == 0xe6;
  return found;
}

#endif

}  // namespace

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
  static const Processor processor = ask();
  return isa == Isa::avx2 ? processor.avx2 : processor.avx512;
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
