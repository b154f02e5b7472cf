// Functions of one number, and sums and products of signals, element by element.
#pragma once

#include <cmath>

#include "activations.h"
#include "kernels.h"

namespace {

using fxkit::engine::Function;
using fxkit::engine::FunctionSettings;
using std::size_t;

template <class F>
FXK_INLINE void map(const float* x, float* y, size_t size, F f) {
  for (size_t i = 0; i < size; i += width) store(y + i, f(load(x + i)));
}

FXK_INLINE Vec clamp(Vec x, float low, float high) {
  x = x < low ? splat(low) : x;
  return x > high ? splat(high) : x;
}

// e^x - 1 without cancellation near 0.
FXK_INLINE Vec exp_minus_one(Vec x) {
  const Exp2 e = exp2_parts(x * 1.4426950408889634f);
  return e.scale * e.fraction + (e.scale - 1.0f);
}

// Functions that are rare in models of effects go through the C library, exact and without locks.
template <class F>
FXK_INLINE Vec each_lane(Vec x, F f) {
  for (int i = 0; i < width; ++i) x[i] = f(x[i]);
  return x;
}

inline void activate(Function function, const FunctionSettings& settings, const float* x, float* y,
                     size_t size) {
  const float slope = settings.slope, low = settings.low, high = settings.high;
  const float low_slope = settings.low_slope, high_slope = settings.high_slope;
  switch (function) {
    case Function::tanh:
      return map(x, y, size, [](Vec v) FXK_INLINE_LAMBDA { return tanh(v); });
    case Function::sigmoid:
      return map(x, y, size, [](Vec v) FXK_INLINE_LAMBDA { return sigmoid(v); });
    case Function::relu:
      return map(x, y, size, [](Vec v) FXK_INLINE_LAMBDA { return v < 0.0f ? Vec{} : v; });
    case Function::leaky_relu:
      return map(x, y, size, [=](Vec v) FXK_INLINE_LAMBDA { return v > 0.0f ? v : v * slope; });
    case Function::elu:
      return map(x, y, size, [=](Vec v) FXK_INLINE_LAMBDA {
        return v > 0.0f ? v : slope * exp_minus_one(v);
      });
    case Function::softplus:
      return map(x, y, size, [](Vec v) FXK_INLINE_LAMBDA {
        return each_lane(v, [](float u) { return u > 20.0f ? u : std::log1p(std::exp(u)); });
      });
    case Function::hardtanh:
      return map(x, y, size, [=](Vec v) FXK_INLINE_LAMBDA { return clamp(v, low, high); });
    case Function::leaky_hardtanh:
      return map(x, y, size, [=](Vec v) FXK_INLINE_LAMBDA {
        const Vec below = (v - low) * low_slope + low;
        const Vec above = (v - high) * high_slope + high;
        const Vec inside = v > high ? above : v;
        return v < low ? below : inside;
      });
    case Function::hardsigmoid:
      return map(x, y, size, [](Vec v) FXK_INLINE_LAMBDA {
        return clamp(v + 3.0f, 0.0f, 6.0f) * (1.0f / 6.0f);
      });
    case Function::hardswish:
      return map(x, y, size, [](Vec v) FXK_INLINE_LAMBDA {
        return v * clamp(v + 3.0f, 0.0f, 6.0f) * (1.0f / 6.0f);
      });
    case Function::softsign:
      return map(x, y, size, [](Vec v) FXK_INLINE_LAMBDA {
        const Vec size_of = v < 0.0f ? -v : v;
        return v / (1.0f + size_of);
      });
    case Function::silu:
      return map(x, y, size, [](Vec v) FXK_INLINE_LAMBDA { return v * sigmoid(v); });
    case Function::gelu:
      return map(x, y, size, [](Vec v) FXK_INLINE_LAMBDA {
        return each_lane(
            v, [](float u) { return 0.5f * u * (1.0f + std::erf(u * 0.70710678118654752f)); });
      });
    case Function::gelu_tanh:
      return map(x, y, size, [](Vec v) FXK_INLINE_LAMBDA {
        const Vec inner = 0.7978845608028654f * (v + 0.044715f * v * v * v);
        return 0.5f * v * (1.0f + tanh(inner));
      });
    case Function::sin:
      return map(x, y, size, [](Vec v) FXK_INLINE_LAMBDA {
        return each_lane(v, [](float u) { return std::sin(u); });
      });
  }
}

inline void prelu(const float* x, float slope, float* y, size_t size) {
  map(x, y, size, [=](Vec v) FXK_INLINE_LAMBDA { return v > 0.0f ? v : v * slope; });
}

inline void gain(const float* x, float weight, float bias, float* y, size_t size) {
  map(x, y, size, [=](Vec v) FXK_INLINE_LAMBDA { return v * weight + bias; });
}

inline void add(const float* a, const float* b, float* y, size_t size) {
  for (size_t i = 0; i < size; i += width) store(y + i, load(a + i) + load(b + i));
}

inline void multiply(const float* a, const float* b, float* y, size_t size) {
  for (size_t i = 0; i < size; i += width) store(y + i, load(a + i) * load(b + i));
}

inline void multiply_add(const float* a, const float* b, const float* c, float* y, size_t size) {
  for (size_t i = 0; i < size; i += width) {
    store(y + i, load(a + i) * load(b + i) + load(c + i));
  }
}

}  // namespace
