// How many multiply-adds of floats this core does at most, while nothing has to be loaded.
#pragma once

#include <chrono>
#include <string_view>

namespace fxkit::bench {

namespace detail {

#define FXK_PEAK_STEP(k) \
  sum##k = sum##k * a + b;  \
  __asm__ volatile("" : FXK_PEAK_OPERAND(sum##k));

// Twelve sums that do not depend on each other, as wide as the instruction set. Each has a name of its
// own: an array would lie in memory.
#define FXK_PEAK(name, width, attributes)                                                   \
  attributes inline double name() {                                                        \
    typedef float Vec __attribute__((vector_size(width * 4)));                             \
    Vec sum0{}, sum1{}, sum2{}, sum3{}, sum4{}, sum5{}, sum6{}, sum7{}, sum8{}, sum9{},    \
        sum10{}, sum11{};                                                                  \
    const Vec a = Vec{} + 0.5f, b = Vec{} + 0.25f;                                         \
    constexpr int rounds = 3000;                                                           \
    const auto start = std::chrono::steady_clock::now();                                   \
    for (int i = 0; i < rounds; ++i) {                                                     \
      FXK_PEAK_STEP(0) FXK_PEAK_STEP(1) FXK_PEAK_STEP(2) FXK_PEAK_STEP(3)                  \
      FXK_PEAK_STEP(4) FXK_PEAK_STEP(5) FXK_PEAK_STEP(6) FXK_PEAK_STEP(7)                  \
      FXK_PEAK_STEP(8) FXK_PEAK_STEP(9) FXK_PEAK_STEP(10) FXK_PEAK_STEP(11)                \
    }                                                                                      \
    const std::chrono::duration<double, std::nano> taken =                                 \
        std::chrono::steady_clock::now() - start;                                          \
    return rounds * 12.0 * width / taken.count();                                          \
  }

#if defined(__x86_64__)
#define FXK_PEAK_OPERAND(x) "+v"(x)
FXK_PEAK(peak_avx512, 16, __attribute__((target("avx512f,fma"))))
FXK_PEAK(peak_avx2, 8, __attribute__((target("avx2,fma"))))
#undef FXK_PEAK_OPERAND
#define FXK_PEAK_OPERAND(x) "+x"(x)
#else
#define FXK_PEAK_OPERAND(x) "+w"(x)
#endif
FXK_PEAK(peak_baseline, 4, )
#undef FXK_PEAK
#undef FXK_PEAK_STEP
#undef FXK_PEAK_OPERAND

}  // namespace detail

// 0 where this machine does not have the instruction set.
inline double multiply_adds_per_ns(std::string_view isa) {
#if defined(__x86_64__)
  if (isa == "avx512") return __builtin_cpu_supports("avx512f") ? detail::peak_avx512() : 0;
  if (isa == "avx2") return __builtin_cpu_supports("avx2") ? detail::peak_avx2() : 0;
#endif
  return isa == "baseline" ? detail::peak_baseline() : 0;
}

}  // namespace fxkit::bench
