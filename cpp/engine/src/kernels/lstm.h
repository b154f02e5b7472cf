// One frame of an LSTM for a block of units: torch.nn.LSTM's arithmetic, gates i, f, g, o.
#pragma once

#include "exponent.h"
#include "matvec.h"

namespace {

struct Lstm {
  static constexpr int gates = 4;
  static constexpr bool has_cell = true;
  // The output gate comes last: the new cell is computed while it accumulates.
  static constexpr int first_gates = 3;
  static constexpr int max_vectors = accumulators / (3 * 2);
  static constexpr float scale[gates] = {sigmoid_scale, sigmoid_scale, tanh_scale, sigmoid_scale};
  static constexpr int extra_rows = 0;

  // See `Gru::frame`; `cell` is updated in place.
  template <int Vectors, int Streams>
  static FXK_NOINLINE void frame(const float* weights, size_t columns,
                               const float* const (&h)[Streams],
                               const float* const (&input)[Streams], const float*, size_t units,
                               size_t first, float* const (&out)[Streams],
                               float* const (&cell)[Streams], bool backwards) {
    Vec ifg[3 * Vectors * Streams];
    Vec output[Vectors * Streams];
    unroll<Streams>([&](auto s) FXK_INLINE_LAMBDA {
      unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA {
        const float* at = input[s] + first + v * width;
        unroll<3>([&](auto gate) FXK_INLINE_LAMBDA {
          ifg[(s * 3 + gate) * Vectors + v] = load(at + gate * units);
        });
        output[s * Vectors + v] = load(at + 3 * units);
      });
    });
    accumulate<3 * Vectors, Streams>(weights, columns, h, backwards, ifg);
    Vec squashed[Vectors * Streams];
    unroll<Streams>([&](auto s) FXK_INLINE_LAMBDA {
      unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA {
        const Vec i = sigmoid_of_exponent(ifg[s * 3 * Vectors + v]);
        const Vec f = sigmoid_of_exponent(ifg[(s * 3 + 1) * Vectors + v]);
        const Vec g = tanh_of_exponent(ifg[(s * 3 + 2) * Vectors + v]);
        float* at = cell[s] + first + v * width;
        const Vec c = f * load(at) + i * g;
        store(at, c);
        squashed[s * Vectors + v] = tanh_of_exponent(c * tanh_scale);
      });
    });
    accumulate<Vectors, Streams>(weights + columns * 3 * Vectors * width, columns, h, backwards,
                                 output);
    unroll<Streams>([&](auto s) FXK_INLINE_LAMBDA {
      unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA {
        store(out[s] + first + v * width,
              sigmoid_of_exponent(output[s * Vectors + v]) * squashed[s * Vectors + v]);
      });
    });
  }
};

}  // namespace
