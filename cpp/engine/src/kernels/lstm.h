// The activations of an LSTM: torch.nn.LSTM's arithmetic, gates i, f, g, o.
#pragma once

#include "exponent.h"
#include "matvec.h"
#include "recurrent_input.h"

namespace {

struct Lstm {
  static constexpr int gates = 4;
  static constexpr bool has_cell = true;
  // The more vectors, the more work beside each one's activations.
  static constexpr int max_vectors = accumulators == 24 ? 4 : 6;
  // Torch's gates in the order in which they are packed: i, g, f, o.
  static constexpr int packed[gates] = {0, 2, 1, 3};
  static constexpr float scale[gates] = {sigmoid_scale, tanh_scale, sigmoid_scale, sigmoid_scale};
  static constexpr int extra_rows = 0;

  // What the sums of a vector's gate begin with.
  static FXK_INLINE Vec start(int gate, auto input, const float*, size_t units) {
    return input(gate * units);
  }

  static constexpr int stages = 4;
  // The gates that are summed first, where the sums of all have no room in the registers at most 12
  // sums, and the stages that need no others.
  static constexpr int first_gates(int vectors) {
    return sums_at_once(vectors * gates) ? gates : vectors > 4 ? 2 : 3;
  }
  static constexpr int first_stages(int vectors) { return vectors > 4 ? 1 : 3; }

  // A stage of the activations of a vector of units; `sums` are those of its gates.
  template <int Stage, class Input>
  static FXK_INLINE void finish(float* sums, const Units<Input>& at, size_t) {
    if constexpr (Stage == 0) {
      // i g
      const Quotient g = tanh_quotient(load(sums + width));
      store(sums, g.denominator * sigmoid_denominator(load(sums)));
      store(sums + width, g.numerator);
    } else if constexpr (Stage == 1) {
      // c = f c + i g, with f = 1 / (1 + e), as c and what is added to it: where f is near 1 the cell
      // keeps what it holds for long, and a rounding of all of it at every sample would add up.
      const Vec e = exponential(load(sums + 2 * width)), f = 1.0f + e;
      const Vec c = load(at.cell), ig = load(sums);
      const Vec numerator = load(sums + width) * f - c * (e * ig);
      store(at.cell, c + quotient(numerator, f * ig));
    } else if constexpr (Stage == 2) {
      const Quotient c = tanh_quotient(load(at.cell) * tanh_scale);
      store(sums, c.numerator);
      store(sums + width, c.denominator);
    } else {
      // h = o tanh c
      const Vec o = sigmoid_denominator(load(sums + 3 * width));
      store(at.out, quotient(load(sums), load(sums + width) * o));
    }
  }
};

}  // namespace
