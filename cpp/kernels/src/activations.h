// Sigmoid and tanh, exact to a few units in the last place; NaN in, NaN out.
#pragma once

#include "vector.h"

namespace {

struct Exp2 {
  Vec scale;     // 2^round(x)
  Vec fraction;  // 2^(x - round(x)) - 1
};

// 2^x as scale * (1 + fraction), for |x| <= 126 (larger x are clamped).
//
// The polynomial is the minimax fit of 2^f - 1 = f q(f) on [-1/2, 1/2] (relative error of 2^f:
// 2e-9). The comparisons are written so that NaN passes through them.
FXK_INLINE Exp2 exp2_parts(Vec x) {
  x = at_least(at_most(x, 126.0f), -126.0f);
  // Adding 1.5 * 2^23 rounds to an integer; 127 on top makes its low bits the biased exponent.
  const float magic = 12582912.0f + 127.0f;
  const Vec shifted = x + magic;
  const Vec f = x - (shifted - magic);
  const Vec scale = reinterpret_cast<Vec>(reinterpret_cast<IntVec>(shifted) << 23);
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
