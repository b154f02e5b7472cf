// The linear readout of a tile's top layer, forward and backward.
//
// A model reads one sample out of tens of units. Done in here, neither the states nor their
// gradients of a whole window pass through memory.
#pragma once

#include "vector.h"

namespace {

using fxkit::kernels::Readout;
using fxkit::kernels::ReadoutGradients;

template <int Vectors>
struct TileReadout {
  static constexpr size_t lanes = Vectors * width;

  // y[output] = bias + sum over units of weight * state.
  static void forward(const Readout& readout, const float* state, size_t hidden, size_t outputs,
                      float* y) {
    for (size_t o = 0; o < outputs; ++o) {
      const float* weight = readout.weight + o * hidden;
      // Four sums side by side, so that one addition need not wait for the one before.
      Vec total[4][Vectors] = {};
      size_t u = 0;
      for (; u + 4 <= hidden; u += 4) {
        unroll<4>([&](auto i) FXK_INLINE_LAMBDA { add(total[i], weight[u + i], state, u + i); });
      }
      for (; u < hidden; ++u) add(total[0], weight[u], state, u);
      unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA {
        const Vec sum = (total[0][v] + total[1][v]) + (total[2][v] + total[3][v]);
        store(y + o * lanes + v * width, sum + splat(readout.bias[o]));
      });
    }
  }

  // gradient[unit] = sum over outputs of weight * y_gradient; adds to the sums of the weights'
  // gradients [output, unit] and of the biases' [output], each a vector of partial sums.
  static void backward(const Readout& readout, const float* y_gradient, const float* state,
                       size_t hidden, size_t outputs, float* gradient, float* sums) {
    for (size_t o = 0; o < outputs; ++o) {
      Vec dy[Vectors];
      unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA {
        dy[v] = load(y_gradient + o * lanes + v * width);
      });
      const float* weight = readout.weight + o * hidden;
      for (size_t u = 0; u < hidden; ++u, sums += width) {
        const Vec w = splat(weight[u]);
        Vec sum = load(sums);
        unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA {
          float* at = gradient + u * lanes + v * width;
          store(at, o == 0 ? w * dy[v] : load(at) + w * dy[v]);
          sum += dy[v] * load(state + u * lanes + v * width);
        });
        store(sums, sum);
      }
      Vec sum = load(sums);
      unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA { sum += dy[v]; });
      store(sums, sum);
      sums += width;
    }
  }

  static size_t sums_size(size_t hidden, size_t outputs) { return outputs * (hidden + 1) * width; }

  static void finish(size_t hidden, size_t outputs, const float* const* sums, size_t count,
                     const ReadoutGradients& out) {
    size_t at = 0;
    const auto total = [&] {
      float value = 0.0f;
      for (size_t i = 0; i < count; ++i) value += sum(load(sums[i] + at));
      at += width;
      return value;
    };
    for (size_t o = 0; o < outputs; ++o) {
      for (size_t u = 0; u < hidden; ++u) out.weight[o * hidden + u] = total();
      out.bias[o] = total();
    }
  }

 private:
  static FXK_INLINE void add(Vec (&total)[Vectors], float weight, const float* state,
                             size_t unit) {
    const Vec w = splat(weight);
    unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA {
      total[v] += w * load(state + unit * lanes + v * width);
    });
  }
};

}  // namespace
