// The gated recurrent unit, as torch.nn.GRU computes it:
//   r = sigmoid(a_r), z = sigmoid(a_z), n = tanh(x_n + r m) with m = W_hn h + b_hn,
//   h' = (1 - z) n + z h.
#pragma once

#include "activations.h"
#include "blocks.h"

namespace {

struct Gru {
  static constexpr int gates = 3;      // rows of each weight matrix per unit: r, z, n
  static constexpr int saved = 4;      // rows kept per unit for the backward pass: r, z, n, m
  static constexpr int gradients = 4;  // rows of pre-activation gradients per unit: m, r, z, n
  static constexpr int biases = 4;     // r, z, n of the input; m
  static constexpr bool has_cell = false;

  // Which gate the i-th gradient row of a unit belongs to, counted from the row where the hidden
  // weights' (m, r, z) or the input weights' (r, z, n) begin.
  static constexpr int hidden_first = 0;
  static constexpr int input_first = 1;
  static constexpr int hidden_gate[gates] = {2, 0, 1};
  static constexpr int input_gate[gates] = {0, 1, 2};

  // Units per register block, for tiles of one and of two vectors: three sums per unit and vector.
  template <int Vectors>
  using Units = Blocks<(many_registers ? 8 : 4) / Vectors, many_registers ? 2 : 2 / Vectors>;

  // Register block of the weight gradients: two units (one where registers are few) by columns.
  static constexpr int panel_units = many_registers ? 2 : 1;
  static constexpr int panel_columns = 4;

  static void pack_bias(const float* input, const float* hidden, size_t size, size_t unit,
                        float* out) {
    const auto at = [&](const float* bias, size_t gate) {
      return bias ? bias[gate * size + unit] : 0.0f;
    };
    out[0] = at(input, 0) + at(hidden, 0);
    out[1] = at(input, 1) + at(hidden, 1);
    out[2] = at(input, 2);
    out[3] = at(hidden, 2);
  }

  // One block of units at one time step.
  //
  // `packed` holds the block's biases [units, 4], input weights [inputs, units, 3] and hidden
  // weights [hidden, units, 3].
  template <int Count, int Vectors>
  static FXK_INLINE void forward(const float* packed, const float* x, size_t inputs,
                                 const float* state, size_t hidden, size_t unit,
                                 const float* /*previous_saved*/, float* saved_rows,
                                 float* new_state) {
    constexpr int lanes = Vectors * width;
    Vec total[Count * 3][Vectors];
    unroll<Count * 3>([&](auto i) FXK_INLINE_LAMBDA {
      unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA {
        total[i][v] = splat(packed[i / 3 * 4 + i % 3]);
      });
    });
    const auto accumulate = [&](const float* weights, const float* rows, size_t count)
                                FXK_INLINE_LAMBDA {
      for (size_t k = 0; k < count; ++k) {
        Vec row[Vectors];
        unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA {
          row[v] = load(rows + k * lanes + v * width);
        });
        unroll<Count * 3>([&](auto i) FXK_INLINE_LAMBDA {
          const Vec w = splat(weights[k * Count * 3 + i]);
          unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA { total[i][v] += w * row[v]; });
        });
      }
    };
    const float* weights = packed + Count * biases;
    accumulate(weights, x, inputs);
    // The input's share of n waits in memory while the registers collect m.
    alignas(64) float input_n[Count * lanes];
    unroll<Count>([&](auto u) FXK_INLINE_LAMBDA {
      unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA {
        store(input_n + u * lanes + v * width, total[u * 3 + 2][v]);
        total[u * 3 + 2][v] = splat(packed[u * 4 + 3]);
      });
    });
    accumulate(weights + inputs * Count * 3, state, hidden);
    unroll<Count>([&](auto u) FXK_INLINE_LAMBDA {
      unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA {
        const size_t row = (unit + u) * lanes + v * width;
        const Vec r = sigmoid(total[u * 3][v]);
        const Vec z = sigmoid(total[u * 3 + 1][v]);
        const Vec m = total[u * 3 + 2][v];
        const Vec n = tanh(load(input_n + u * lanes + v * width) + r * m);
        // A unit of padding has no previous state of its own; its row is never read as a real one.
        store(new_state + row, n + z * (load(state + row) - n));
        float* out = saved_rows + (unit + u) * saved * lanes + v * width;
        store(out, r);
        store(out + lanes, z);
        store(out + 2 * lanes, n);
        store(out + 3 * lanes, m);
      });
    });
  }

  // One unit at one time step. `state_gradient` holds dL/dh' on entry (without `output_gradient`)
  // and the direct share of dL/dh on return.
  template <int Vectors>
  static FXK_INLINE void backward(const float* saved_rows, const float* /*previous_saved*/,
                                  const float* state, const float* output_gradient,
                                  float* state_gradient, float* /*cell_gradient*/, float* out) {
    constexpr int lanes = Vectors * width;
    unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA {
      const int at = v * width;
      const Vec r = load(saved_rows + at);
      const Vec z = load(saved_rows + lanes + at);
      const Vec n = load(saved_rows + 2 * lanes + at);
      const Vec m = load(saved_rows + 3 * lanes + at);
      const Vec dh = load(state_gradient + at) + load(output_gradient + at);
      const Vec through = dh * (1.0f - z);
      const Vec dn = through * (1.0f - n * n);
      const Vec dm = dn * r;
      store(out + at, dm);
      store(out + lanes + at, dm * m * (1.0f - r));
      store(out + 2 * lanes + at, through * z * (load(state + at) - n));
      store(out + 3 * lanes + at, dn);
      store(state_gradient + at, dh * z);
    });
  }
};

}  // namespace
