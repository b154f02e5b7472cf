// The long short-term memory, as torch.nn.LSTM computes it:
//   i, f, o = sigmoid(a_i, a_f, a_o), g = tanh(a_g), c' = f c + i g, h' = o tanh(c').
#pragma once

#include "activations.h"
#include "blocks.h"

namespace {

struct Lstm {
  static constexpr int gates = 4;      // rows of each weight matrix per unit: i, f, g, o
  static constexpr int saved = 5;      // rows kept per unit for the backward pass: i, f, g, o, c'
  static constexpr int gradients = 4;  // rows of pre-activation gradients per unit
  static constexpr int biases = 4;
  static constexpr bool has_cell = true;
  static constexpr int cell_row = 4;   // of the saved rows

  static constexpr int hidden_first = 0;
  static constexpr int input_first = 0;
  static constexpr int hidden_gate[gates] = {0, 1, 2, 3};
  static constexpr int input_gate[gates] = {0, 1, 2, 3};

  // Units per register block, for tiles of one and of two vectors: four sums per unit and vector.
  template <int Vectors>
  using Units =
      Blocks<(many_registers ? 6 : 3) / Vectors, many_registers && Vectors == 1 ? 2 : 1>;

  static constexpr int panel_units = many_registers ? 2 : 1;
  static constexpr int panel_columns = 3;

  static void pack_bias(const float* input, const float* hidden, size_t size, size_t unit,
                        float* out) {
    for (size_t gate = 0; gate < gates; ++gate) {
      const size_t at = gate * size + unit;
      out[gate] = (input ? input[at] : 0.0f) + (hidden ? hidden[at] : 0.0f);
    }
  }

  // One block of units at one time step; `packed` as for the GRU, with four gates.
  template <int Count, int Vectors>
  static FXK_INLINE void forward(const float* packed, const float* x, size_t inputs,
                                 const float* state, size_t hidden, size_t unit,
                                 const float* previous_saved, float* saved_rows,
                                 float* new_state) {
    constexpr int lanes = Vectors * width;
    Vec total[Count * 4][Vectors];
    unroll<Count * 4>([&](auto i) FXK_INLINE_LAMBDA {
      unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA { total[i][v] = splat(packed[i]); });
    });
    const auto accumulate = [&](const float* weights, const float* rows, size_t count)
                                FXK_INLINE_LAMBDA {
      for (size_t k = 0; k < count; ++k) {
        Vec row[Vectors];
        unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA {
          row[v] = load(rows + k * lanes + v * width);
        });
        unroll<Count * 4>([&](auto i) FXK_INLINE_LAMBDA {
          const Vec w = splat(weights[k * Count * 4 + i]);
          unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA { total[i][v] += w * row[v]; });
        });
      }
    };
    const float* weights = packed + Count * biases;
    accumulate(weights, x, inputs);
    accumulate(weights + inputs * Count * 4, state, hidden);
    unroll<Count>([&](auto u) FXK_INLINE_LAMBDA {
      unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA {
        const size_t row = (unit + u) * saved * lanes + v * width;
        const Vec i = sigmoid(total[u * 4][v]);
        const Vec f = sigmoid(total[u * 4 + 1][v]);
        const Vec g = tanh(total[u * 4 + 2][v]);
        const Vec o = sigmoid(total[u * 4 + 3][v]);
        const Vec c = f * load(previous_saved + row + cell_row * lanes) + i * g;
        store(new_state + (unit + u) * lanes + v * width, o * tanh(c));
        float* out = saved_rows + row;
        store(out, i);
        store(out + lanes, f);
        store(out + 2 * lanes, g);
        store(out + 3 * lanes, o);
        store(out + cell_row * lanes, c);
      });
    });
  }

  // One unit at one time step; see the GRU's. `cell_gradient` holds dL/dc' and then dL/dc.
  template <int Vectors>
  static FXK_INLINE void backward(const float* saved_rows, const float* previous_saved,
                                  const float* /*state*/, const float* output_gradient,
                                  float* state_gradient, float* cell_gradient, float* out) {
    constexpr int lanes = Vectors * width;
    unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA {
      const int at = v * width;
      const Vec i = load(saved_rows + at);
      const Vec f = load(saved_rows + lanes + at);
      const Vec g = load(saved_rows + 2 * lanes + at);
      const Vec o = load(saved_rows + 3 * lanes + at);
      const Vec squashed = tanh(load(saved_rows + cell_row * lanes + at));
      const Vec dh = load(state_gradient + at) + load(output_gradient + at);
      const Vec dc = load(cell_gradient + at) + dh * o * (1.0f - squashed * squashed);
      store(out + at, dc * g * i * (1.0f - i));
      store(out + lanes + at,
            dc * load(previous_saved + cell_row * lanes + at) * f * (1.0f - f));
      store(out + 2 * lanes + at, dc * i * (1.0f - g * g));
      store(out + 3 * lanes + at, dh * squashed * o * (1.0f - o));
      store(cell_gradient + at, dc * f);
      store(state_gradient + at, Vec{});
    });
  }
};

}  // namespace
