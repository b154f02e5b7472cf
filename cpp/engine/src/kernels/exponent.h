// Sigmoid and tanh of numbers whose factor log2(e) is already in the weights they come from.
#pragma once

#include "activations.h"

namespace {

// What the rows of a gate are multiplied by, so that its exponential is a power of 2.
constexpr float sigmoid_scale = -1.4426950408889634f;
constexpr float tanh_scale = 2.8853900817779268f;

// sigmoid(y / sigmoid_scale)
FXK_INLINE Vec sigmoid_of_exponent(Vec y) {
  const Exp2 e = exp2_parts(y);
  return reciprocal((1.0f + e.scale) + e.scale * e.fraction);
}

// tanh(y / tanh_scale)
FXK_INLINE Vec tanh_of_exponent(Vec y) {
  const Exp2 e = exp2_parts(y);
  const Vec numerator = e.scale * e.fraction + (e.scale - 1.0f);
  return numerator * reciprocal(numerator + 2.0f);
}

}  // namespace
