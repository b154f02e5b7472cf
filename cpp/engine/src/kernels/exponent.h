// Sigmoid and tanh of numbers whose factor log2(e) is already in the weights they come from.
#pragma once

#include "activations.h"

namespace {

// What the rows of a gate are multiplied by, so that its exponential is a power of 2.
constexpr float sigmoid_scale = -1.4426950408889634f;
constexpr float tanh_scale = 2.8853900817779268f;

// `exp2_parts` with its polynomial summed as a tree (Estrin's scheme): two multiplications more, but
// done 8 cycles sooner, and in a recurrent layer everything waits for it.
FXK_INLINE Exp2 exp2_parts_soon(Vec x) {
#if defined(__AVX512F__)
  // One instruction for x - round(x), and the power of two is made beside the polynomial. Above the
  // bound 1 / 2^x is 0 for every use; below, 2^x is.
  const auto raw = reinterpret_cast<__m512>(x);
  const Vec f = reinterpret_cast<Vec>(_mm512_maskz_reduce_ps(0xffff, raw, 0));
  const auto whole = _mm512_maskz_roundscale_ps(
      0xffff, reinterpret_cast<__m512>(at_most(x, 100.0f)), 0);
  const Vec scale =
      reinterpret_cast<Vec>(_mm512_maskz_scalef_ps(0xffff, _mm512_set1_ps(1.0f), whole));
#else
  x = at_least(at_most(x, 126.0f), -126.0f);
  const float magic = 12582912.0f + 127.0f;
  const Vec shifted = x + magic;
  const Vec f = x - (shifted - magic);
  const Vec scale = reinterpret_cast<Vec>(reinterpret_cast<IntVec>(shifted) << 23);
#endif
  const Vec f2 = f * f;
  const Vec low = 0.24022648001845973f * f + 0.6931472030495768f;
  const Vec middle = 0.00961842395315095f * f + 0.05550332178733706f;
  const Vec high = 0.00015357430934569356f * f + 0.0013398983155251385f;
  return {scale, ((high * f2 + middle) * f2 + low) * f};
}

// sigmoid(y / sigmoid_scale)
FXK_INLINE Vec sigmoid_of_exponent(Vec y) {
  const Exp2 e = exp2_parts_soon(y);
  return reciprocal((1.0f + e.scale) + e.scale * e.fraction);
}

// tanh(y / tanh_scale)
FXK_INLINE Vec tanh_of_exponent(Vec y) {
  const Exp2 e = exp2_parts_soon(y);
  const Vec numerator = e.scale * e.fraction + (e.scale - 1.0f);
  const Vec denominator = numerator + 2.0f;
#if defined(__AVX512F__)
  // `reciprocal` with the numerator multiplied in before its Newton step: 4 cycles sooner.
  const Vec r = reinterpret_cast<Vec>(
      _mm512_maskz_rcp14_ps(0xffff, reinterpret_cast<__m512>(denominator)));
  const Vec quotient = numerator * r;
  return quotient + quotient * (1.0f - denominator * r);
#else
  return numerator / denominator;
#endif
}

}  // namespace
