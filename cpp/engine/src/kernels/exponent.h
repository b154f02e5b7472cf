// What a recurrent layer's gates are made of: sigmoid and tanh as numerator and denominator, so
// that their products and sums need one division.
#pragma once

#include "activations.h"

namespace {

// What the rows of a sigmoid's gate are multiplied by, so that its exponential is a power of 2.
constexpr float sigmoid_scale = -1.4426950408889634f;

// The largest power of two that is divided by, so that products of denominators stay finite. At
// 2^-40 a gate is closed.
constexpr float largest_exponent = 40.0f;

// 1 + 2^y, the denominator of sigmoid(y / sigmoid_scale); NaN stays NaN. The polynomials are minimax
// fits of 2^f (relative error: 7.5e-8).
FXK_INLINE Vec sigmoid_denominator(Vec y) {
#if defined(__AVX512F__)
  // f = y - floor(y), and one instruction that multiplies by 2^floor(y).
  const auto raw = reinterpret_cast<__m512>(at_most(y, largest_exponent));
  const Vec f = reinterpret_cast<Vec>(_mm512_maskz_reduce_ps(0xffff, raw, 1));
  const Vec f2 = f * f;
  const Vec low = 0.69315307319883977f * f + 0.99999992506355033f;
  const Vec middle = 0.055826318019281641f * f + 0.24015361705586685f;
  const Vec high = 0.0018775766584476733f * f + 0.0089893401310214063f;
  const auto power = reinterpret_cast<__m512>((high * f2 + middle) * f2 + low);
  return reinterpret_cast<Vec>(_mm512_maskz_scalef_ps(0xffff, power, raw)) + 1.0f;
#else
  y = at_least(at_most(y, largest_exponent), -126.0f);
  // Adding 1.5 * 2^23 rounds to an integer, which is then added to the exponent.
  const float magic = 12582912.0f;
  const Vec shifted = y + magic;
  const Vec f = y - (shifted - magic);
  const Vec f2 = f * f;
  const Vec low = 0.69314696706453738f * f + 1.0000000716546764f;
  const Vec middle = 0.055507132738662012f * f + 0.24022119723864023f;
  const Vec high = 0.0013276471873329531f * f + 0.0096755413334840116f;
  const Vec power = (high * f2 + middle) * f2 + low;
  return reinterpret_cast<Vec>(reinterpret_cast<IntVec>(power) +
                               (reinterpret_cast<IntVec>(shifted) << 23)) +
         1.0f;
#endif
}

struct Quotient {
  Vec numerator, denominator;
};

// tanh x; the denominator is between 1 and 400. A minimax fit of relative error 2e-8 up to 9, where
// tanh is 1: shorter than one with an exponential, and small signals keep their relative precision.
FXK_INLINE Quotient tanh_quotient(Vec x) {
  x = at_least(at_most(x, 9.0f), -9.0f);
  const Vec z = x * x;
  Vec p = 1.3354684469391032e-08f * z + 2.0609100829460658e-05f;
  Vec q = 7.776567940709356e-07f * z + 0.00032856364850886166f;
  p = p * z + 0.003495589131489396f;
  q = q * z + 0.025876985862851143f;
  p = p * z + 0.13381026685237885f;
  q = q * z + 0.4671434164047241f;
  p = p * z + 1.0f;
  q = q * z + 1.0f;
  return {p * x, q};
}

FXK_INLINE Vec quotient(Vec numerator, Vec denominator) {
#if defined(__AVX512F__)
  // One Newton step on a 14-bit estimate, the numerator multiplied in before it.
  const Vec r = reinterpret_cast<Vec>(
      _mm512_maskz_rcp14_ps(0xffff, reinterpret_cast<__m512>(denominator)));
  const Vec q = numerator * r;
  return q + q * (1.0f - denominator * r);
#else
  return numerator / denominator;
#endif
}

}  // namespace
