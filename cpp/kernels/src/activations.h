// Sigmoid and tanh, exact to a few units in the last place; NaN in, NaN out.
#pragma once

#include "vector.h"

namespace {

struct Exp2 {
  Vec scale;     // a power of 2, or of its 16th root
  Vec fraction;  // what remains of 2^x / scale, less 1
};

// Above this, 2^x is as good as infinite to a sigmoid or a tanh, and still a number.
constexpr float largest_power = 100.0f;

#if defined(__AVX512F__)

// 2^(i / 16)
alignas(64) constexpr float sixteenths[16] = {
    1.0f,          1.0442737824f, 1.0905077327f, 1.1387886348f, 1.1892071150f, 1.2418578121f,
    1.2968395547f, 1.3542555469f, 1.4142135624f, 1.4768261459f, 1.5422108254f, 1.6104903319f,
    1.6817928305f, 1.7562521604f, 1.8340080864f, 1.9152065614f};

// 2^x as scale * (1 + fraction), for x up to `largest`; what is larger is clamped, NaN stays NaN.
//
// x is rounded to sixteenths, whose power is looked up in a register; for the rest, 1 / 32 at most, a
// cubic does (Taylor's, relative error 9e-9).
FXK_INLINE Exp2 exp2_parts(Vec x, float largest = largest_power) {
  // Adding 1.5 * 2^19 rounds to sixteenths and leaves their number in the low bits, where the
  // permutation looks.
  constexpr float magic = 786432.0f;
  const Vec shifted = x + magic;
  const Vec rest = reinterpret_cast<Vec>(
      _mm512_maskz_reduce_ps(0xffff, reinterpret_cast<__m512>(x), 4 << 4));
  const auto part = _mm512_maskz_permutexvar_ps(0xffff, reinterpret_cast<__m512i>(shifted),
                                                _mm512_load_ps(sixteenths));
  const auto whole = reinterpret_cast<__m512>(at_most(shifted - magic, largest));
  Vec q = splat(0.05550410866482158f);
  q = q * rest + 0.2402265069591007f;
  q = q * rest + 0.6931471805599453f;
  return {reinterpret_cast<Vec>(_mm512_maskz_scalef_ps(0xffff, part, whole)), q * rest};
}

#else

struct Exponent {
  Vec scale;  // 2^round(x)
  Vec rest;   // x - round(x)
};

// For x up to `largest`, 126 at most; what is larger is clamped. Below -126 2^x is 0 for every use.
// NaN stays NaN.
FXK_INLINE Exponent split_exponent(Vec x, float largest) {
  x = at_least(at_most(x, largest), -126.0f);
  // Adding 1.5 * 2^23 rounds to an integer; 127 on top makes its low bits the biased exponent.
  const float magic = 12582912.0f + 127.0f;
  const Vec shifted = x + magic;
  return {reinterpret_cast<Vec>(reinterpret_cast<IntVec>(shifted) << 23), x - (shifted - magic)};
}

// 2^x as scale * (1 + fraction). The polynomial is the minimax fit of 2^f - 1 = f q(f) on
// [-1/2, 1/2] (relative error of 2^f: 2e-9).
FXK_INLINE Exp2 exp2_parts(Vec x) {
  const auto [scale, f] = split_exponent(x, largest_power);
  Vec q = splat(0.00015357430934569356f);
  q = q * f + 0.0013398983155251385f;
  q = q * f + 0.00961842395315095f;
  q = q * f + 0.05550332178733706f;
  q = q * f + 0.24022648001845973f;
  q = q * f + 0.6931472030495768f;
  return {scale, q * f};
}

#endif

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
