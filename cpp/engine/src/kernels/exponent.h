// What a recurrent layer's gates are made of: sigmoid and tanh as numerator and denominator, so
// that their products and sums need one division.
#pragma once

#include "activations.h"

namespace {

// What the rows of a sigmoid's gate are multiplied by, so that its exponential is a power of 2.
constexpr float sigmoid_scale = -1.4426950408889634f;
// The same of a tanh's gate.
constexpr float tanh_scale = 2.8853900817779268f;

// The largest powers of two that are divided by, so that products of denominators stay finite, also
// times an LSTM's cell, which may have counted for an hour. At 2^-36 a gate is closed, and from 2^25
// on a tanh is 1.
constexpr float largest_of_sigmoid = 36.0f;
constexpr float largest_of_tanh = 28.0f;

// As `exp2_parts`, but sooner: in a recurrent layer everything waits for it.
FXK_INLINE Exp2 exp2_parts_soon(Vec y, float largest) {
#if defined(__AVX512F__)
  return exp2_parts(y, largest);
#else
  // The polynomial is summed as a tree (Estrin's scheme): two multiplications more, but done 8 cycles
  // sooner. A table of eight, which is what these registers hold, saves nothing.
  const auto [scale, f] = split_exponent(y, largest);
  const Vec f2 = f * f;
  const Vec low = 0.24022648001845973f * f + 0.6931472030495768f;
  const Vec middle = 0.00961842395315095f * f + 0.05550332178733706f;
  const Vec high = 0.00015357430934569356f * f + 0.0013398983155251385f;
  return {scale, ((high * f2 + middle) * f2 + low) * f};
#endif
}

// 2^y, a sigmoid's denominator but for 1
FXK_INLINE Vec exponential(Vec y) {
  const Exp2 e = exp2_parts_soon(y, largest_of_sigmoid);
  return e.scale + e.scale * e.fraction;
}

// 1 + 2^y, the denominator of sigmoid(y / sigmoid_scale); NaN stays NaN.
FXK_INLINE Vec sigmoid_denominator(Vec y) {
  const Exp2 e = exp2_parts_soon(y, largest_of_sigmoid);
  return (1.0f + e.scale) + e.scale * e.fraction;
}

struct Quotient {
  Vec numerator, denominator;
};

// tanh(y / tanh_scale) = (2^y - 1) / (2^y + 1), whose numerator is formed without cancellation, so that
// small signals keep their relative precision.
FXK_INLINE Quotient tanh_quotient(Vec y) {
  const Exp2 e = exp2_parts_soon(y, largest_of_tanh);
  const Vec numerator = e.scale * e.fraction + (e.scale - 1.0f);
  return {numerator, numerator + 2.0f};
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
