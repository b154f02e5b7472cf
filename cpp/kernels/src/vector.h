// A float vector of FXK_WIDTH lanes, written once for every instruction set.
//
// Each file that includes this header is compiled for one instruction set and says how wide its
// registers are; GCC's and Clang's vector extension then turns the same source into AVX-512, AVX2,
// SSE2 or NEON. Everything is in an unnamed namespace: no function compiled for one instruction
// set can be picked by the linker for another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#ifndef FXK_WIDTH
#error "define FXK_WIDTH, the number of float lanes, before including vector.h"
#endif

#define FXK_INLINE inline __attribute__((always_inline))
#define FXK_INLINE_LAMBDA __attribute__((always_inline))

namespace {

constexpr int width = FXK_WIDTH;

typedef float Vec __attribute__((vector_size(FXK_WIDTH * 4)));
typedef std::int32_t IntVec __attribute__((vector_size(FXK_WIDTH * 4)));
typedef float UnalignedVec __attribute__((vector_size(FXK_WIDTH * 4), aligned(4), may_alias));
typedef float AlignedVec __attribute__((vector_size(FXK_WIDTH * 4), may_alias));

FXK_INLINE Vec splat(float x) { return x - Vec{}; }

// `p` must be aligned to a whole vector.
FXK_INLINE Vec load(const float* p) { return *reinterpret_cast<const AlignedVec*>(p); }
FXK_INLINE void store(float* p, Vec v) { *reinterpret_cast<AlignedVec*>(p) = v; }

FXK_INLINE Vec load_unaligned(const float* p) {
  return *reinterpret_cast<const UnalignedVec*>(p);
}
FXK_INLINE void store_unaligned(float* p, Vec v) { *reinterpret_cast<UnalignedVec*>(p) = v; }

template <class F, int... I>
FXK_INLINE void unroll_over(F& f, std::integer_sequence<int, I...>) {
  (f(std::integral_constant<int, I>{}), ...);
}

// Keeps `v` in a register. Where a value that was loaded is multiplied several times, the compiler
// likes to load it again for each product, and loads are what such a loop waits for.
FXK_INLINE Vec in_register(Vec v) {
#if defined(__aarch64__)
  asm("" : "+w"(v));
#elif defined(__AVX512F__)
  asm("" : "+v"(v));
#elif defined(__SSE2__)
  asm("" : "+x"(v));
#endif
  return v;
}

// Calls f(0) ... f(N - 1) with compile-time indices, so that arrays indexed by them live in
// registers.
template <int N, class F>
FXK_INLINE void unroll(F f) {
  unroll_over(f, std::make_integer_sequence<int, N>{});
}

FXK_INLINE Vec reciprocal(Vec x) {
#if defined(__AVX512F__)
  // One Newton step on a 14-bit estimate: 1 ulp, at a quarter of the price of a division.
  const Vec r = reinterpret_cast<Vec>(_mm512_maskz_rcp14_ps(0xffff, reinterpret_cast<__m512>(x)));
  return r + r * (1.0f - x * r);
#else
  return 1.0f / x;
#endif
}

// The smaller (larger) of x and the bound; NaN stays NaN. One instruction, where the compiler would
// make a comparison and a selection of it, which take twice as long.
FXK_INLINE Vec at_most(Vec x, float bound) {
#if defined(__AVX512F__)
  return reinterpret_cast<Vec>(
      _mm512_maskz_min_ps(0xffff, _mm512_set1_ps(bound), reinterpret_cast<__m512>(x)));
#elif defined(__AVX__)
  return reinterpret_cast<Vec>(
      _mm256_min_ps(_mm256_set1_ps(bound), reinterpret_cast<__m256>(x)));
#elif defined(__SSE2__)
  return reinterpret_cast<Vec>(_mm_min_ps(_mm_set1_ps(bound), reinterpret_cast<__m128>(x)));
#elif defined(__aarch64__)
  return reinterpret_cast<Vec>(vminq_f32(reinterpret_cast<float32x4_t>(x), vdupq_n_f32(bound)));
#else
  return x > bound ? splat(bound) : x;
#endif
}

FXK_INLINE Vec at_least(Vec x, float bound) {
#if defined(__AVX512F__)
  return reinterpret_cast<Vec>(
      _mm512_maskz_max_ps(0xffff, _mm512_set1_ps(bound), reinterpret_cast<__m512>(x)));
#elif defined(__AVX__)
  return reinterpret_cast<Vec>(
      _mm256_max_ps(_mm256_set1_ps(bound), reinterpret_cast<__m256>(x)));
#elif defined(__SSE2__)
  return reinterpret_cast<Vec>(_mm_max_ps(_mm_set1_ps(bound), reinterpret_cast<__m128>(x)));
#elif defined(__aarch64__)
  return reinterpret_cast<Vec>(vmaxq_f32(reinterpret_cast<float32x4_t>(x), vdupq_n_f32(bound)));
#else
  return x < bound ? splat(bound) : x;
#endif
}

template <int Distance, int... I>
FXK_INLINE void swap_blocks(Vec& a, Vec& b, std::integer_sequence<int, I...>) {
  const Vec low = __builtin_shufflevector(
      a, b, ((I & Distance) == 0 ? I : width + I - Distance)...);
  const Vec high = __builtin_shufflevector(
      a, b, ((I & Distance) == 0 ? I + Distance : width + I)...);
  a = low;
  b = high;
}

// Transposes a square of `width` rows in registers, by exchanging ever smaller blocks.
template <int Distance = width / 2>
FXK_INLINE void transpose(Vec (&rows)[width]) {
  unroll<width>([&](auto i) FXK_INLINE_LAMBDA {
    if constexpr ((i & Distance) == 0) {
      swap_blocks<Distance>(rows[i], rows[i + Distance],
                            std::make_integer_sequence<int, width>{});
    }
  });
  if constexpr (Distance > 1) transpose<Distance / 2>(rows);
}

FXK_INLINE float sum(Vec v) {
  float total = 0;
  for (int i = 0; i < width; ++i) total += v[i];
  return total;
}

}  // namespace
