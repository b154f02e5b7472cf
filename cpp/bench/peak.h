// How many multiply-adds of floats this core does at most: between registers, and while one factor of
// each comes from the first-level cache, as the weights of a recurrent layer do.
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

namespace fxkit::bench {

enum class Factors { in_registers, from_memory };

namespace detail {

constexpr std::size_t memory_bytes = 24 * 1024;
alignas(64) inline float memory[memory_bytes / sizeof(float)];

#define FXK_PEAK_REGISTER(k) \
  sum##k = sum##k * a + b;   \
  __asm__ volatile("" : FXK_PEAK_OPERAND(sum##k));
#define FXK_PEAK_MEMORY(k)        \
  sum##k = sum##k + row[k] * a;   \
  __asm__ volatile("" : FXK_PEAK_OPERAND(sum##k));
#define FXK_PEAK_TWELVE(step) \
  step(0) step(1) step(2) step(3) step(4) step(5) step(6) step(7) step(8) step(9) step(10) step(11)

// Twelve sums that do not depend on each other, as wide as the instruction set. Each has a name of its
// own: an array would lie in memory.
#define FXK_PEAK(name, width, attributes)                                                   \
  attributes inline double name(Factors factors) {                                         \
    typedef float Vec __attribute__((vector_size(width * 4), may_alias));                  \
    Vec sum0{}, sum1{}, sum2{}, sum3{}, sum4{}, sum5{}, sum6{}, sum7{}, sum8{}, sum9{},    \
        sum10{}, sum11{};                                                                  \
    const Vec a = Vec{} + 0.5f, b = Vec{} + 0.25f;                                         \
    constexpr std::size_t rows = memory_bytes / sizeof(Vec) / 12, rounds = 100;            \
    const auto start = std::chrono::steady_clock::now();                                   \
    for (std::size_t round = 0; round < rounds; ++round) {                                 \
      const Vec* row = reinterpret_cast<const Vec*>(memory);                               \
      if (factors == Factors::from_memory) {                                               \
        for (std::size_t i = 0; i < rows; ++i, row += 12) {                                \
          FXK_PEAK_TWELVE(FXK_PEAK_MEMORY)                                                 \
        }                                                                                  \
      } else {                                                                             \
        for (std::size_t i = 0; i < rows; ++i) {                                           \
          FXK_PEAK_TWELVE(FXK_PEAK_REGISTER)                                               \
        }                                                                                  \
      }                                                                                    \
    }                                                                                      \
    const std::chrono::duration<double, std::nano> taken =                                 \
        std::chrono::steady_clock::now() - start;                                          \
    return rounds * rows * 12.0 * width / taken.count();                                   \
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
#undef FXK_PEAK_TWELVE
#undef FXK_PEAK_MEMORY
#undef FXK_PEAK_REGISTER
#undef FXK_PEAK_OPERAND

}  // namespace detail

// 0 where this machine does not have the instruction set.
inline double multiply_adds_per_ns(std::string_view isa, Factors factors) {
#if defined(__x86_64__)
  if (isa == "avx512") {
    return __builtin_cpu_supports("avx512f") ? detail::peak_avx512(factors) : 0;
  }
  if (isa == "avx2") return __builtin_cpu_supports("avx2") ? detail::peak_avx2(factors) : 0;
#endif
  return isa == "baseline" ? detail::peak_baseline(factors) : 0;
}

}  // namespace fxkit::bench
