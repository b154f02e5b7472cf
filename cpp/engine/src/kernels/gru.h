// One frame of a GRU for a block of units: torch.nn.GRU's arithmetic, gates r, z, n.
#pragma once

#include "exponent.h"
#include "matvec.h"

namespace {

struct Gru {
  static constexpr int gates = 3;
  static constexpr bool has_cell = false;
  // The reset gate is finished first: its sigmoid is computed while the other two accumulate.
  static constexpr int first_gates = 1;
  static constexpr int max_vectors = accumulators == 24 ? 4 : 3;
  static constexpr float scale[gates] = {sigmoid_scale, sigmoid_scale, tanh_scale};
  // The hidden bias of n is inside the reset gate; it has a row of its own.
  static constexpr int extra_rows = 1;


  // `input` is the input's share of the gates, `extra` the bias row, `state` and `out` the hidden
  // state, each at the block's first unit; a gate's rows are `units` long.
  template <int Vectors, int Streams>
  static FXK_NOINLINE void frame(const float* weights, size_t columns,
                               const float* const (&h)[Streams],
                               const float* const (&input)[Streams], const float* extra,
                               size_t units, size_t first, float* const (&out)[Streams],
                               float* const (&)[Streams], bool backwards) {
    Vec reset[Vectors * Streams];
    Vec rest[2 * Vectors * Streams];
    unroll<Streams>([&](auto s) FXK_INLINE_LAMBDA {
      unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA {
        const float* at = input[s] + first + v * width;
        reset[s * Vectors + v] = load(at);
        rest[s * 2 * Vectors + v] = load(at + units);
        rest[s * 2 * Vectors + Vectors + v] = load(extra + first + v * width);
      });
    });
    accumulate<Vectors, Streams>(weights, columns, h, backwards, reset);
    unroll<Vectors * Streams>(
        [&](auto i) FXK_INLINE_LAMBDA { reset[i] = sigmoid_of_exponent(reset[i]); });
    accumulate<2 * Vectors, Streams>(weights + columns * Vectors * width, columns, h, backwards,
                                     rest);
    unroll<Streams>([&](auto s) FXK_INLINE_LAMBDA {
      unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA {
        const float* at = input[s] + first + v * width;
        const Vec m = rest[s * 2 * Vectors + Vectors + v];
        const Vec n = tanh_of_exponent(load(at + 2 * units) + reset[s * Vectors + v] * m);
        const Vec z = sigmoid_of_exponent(rest[s * 2 * Vectors + v]);
        store(out[s] + first + v * width, n + z * (load(h[s] + first + v * width) - n));
      });
    });
  }
};

}  // namespace
