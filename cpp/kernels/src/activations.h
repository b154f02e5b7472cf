// Sigmoid and tanh, exact to a few units in the last place; NaN in, NaN out.
#pragma once

#include "vector.h"

namespace {

struct Exp2 {
  Vec scale;     // 2^round(x)
  Vec fraction;  // 2^(x - round(x)) - 1
};

struct Exponent {
  Vec scale;  // 2^round(x)
  Vec rest;   // x - round(x)
};

// For x up to `highest`, 126 at most; what is larger is clamped. Below -126 2^x is 0 for every use.
// NaN stays NaN.
FXK_INLINE Exponent split_exponent(Vec x, float highest = 100.0f) {
#if defined(__AVX512F__)
  // One instruction for x - round(x), and the power of two is made beside what comes of it.
  const auto raw = reinterpret_cast<__m512>(x);
  const Vec rest = reinterpret_cast<Vec>(_mm512_maskz_reduce_ps(0xffff, raw, 0));
  const auto whole =
      _mm512_maskz_roundscale_ps(0xffff, reinterpret_cast<__m512>(at_most(x, highest)), 0);
  return {reinterpret_cast<Vec>(_mm512_maskz_scalef_ps(0xffff, _mm512_set1_ps(1.0f), whole)), rest};
#else
  x = at_least(at_most(x, highest), -126.0f);
  // Adding 1.5 * 2^23 rounds to an integer; 127 on top makes its low bits the biased exponent.
  const float magic = 12582912.0f + 127.0f;
  const Vec shifted = x + magic;
  return {reinterpret_cast<Vec>(reinterpret_cast<IntVec>(shifted) << 23), x - (shifted - magic)};
#endif
}

// 2^x as scale * (1 + fraction). The polynomial is the minimax fit of 2^f - 1 = f q(f) on
// [-1/2, 1/2] (relative error of 2^f: 2e-9).
FXK_INLINE Exp2 exp2_parts(Vec x) {
  const auto [scale, f] = split_exponent(x);
  Vec q = splat(0.00015357430934569356f);
  q = q * f + 0.0013398983155251385f;
  q = q * f + 0.00961842395315095f;
  q = q * f + 0.05550332178733706f;
  q = q * f + 0.24022648001845973f;
  q = q * f + 0.6931472030495768f;
  return {scale, q * f};
}

FXK_INLINE Vec sigmoid(Vec x) {
  const Exp2 e = exp2_parts(x * -1.4426950408889634f);
  return reciprocal((1.0f + e.scale) + e.scale * e.fraction);
}

// tanh x = (e^2x - 1) / (e^2x + 1); the numerator is formed without cancellation, so that small
// signals keep their relative precision.
FXK_INLINE Vec tanh(Vec x) {
  const Exp2 e = exp2_parts(x * 2.8853900817779268f);
  const Vec numerator = e.scale * e.fraction + (e.scale - 1.0f);
  return numerator * reciprocal(numerator + 2.0f);
}

}  // namespace
