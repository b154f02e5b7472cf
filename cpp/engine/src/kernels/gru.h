// The activations of a GRU: torch.nn.GRU's arithmetic, gates r, z, n.
#pragma once

#include "exponent.h"
#include "matvec.h"
#include "recurrent_input.h"

namespace {

struct Gru {
  static constexpr int gates = 3;
  static constexpr bool has_cell = false;
  // The more vectors, the more work beside each one's activations.
  static constexpr int max_vectors = accumulators == 24 ? 4 : 6;
  static constexpr int packed[gates] = {0, 1, 2};
  static constexpr float scale[gates] = {sigmoid_scale, sigmoid_scale, tanh_scale};
  // The hidden bias of n is inside the reset gate; it has a row of its own.
  static constexpr int extra_rows = 1;

  // What the sums of a vector's gate begin with; `extra` is the vector's hidden bias of n.
  static FXK_INLINE Vec start(int gate, auto input, const float* extra, size_t units) {
    return gate == 2 ? load(extra) : input(gate * units);
  }

  static constexpr int stages = 2;
  // Where the sums of all gates have no room in the registers, the reset gate's come first: its sigmoid
  // is computed while the others accumulate.
  static constexpr int first_gates(int vectors) { return sums_at_once(vectors * gates) ? gates : 1; }
  static constexpr int first_stages(int) { return 1; }

  // See `Lstm::finish`.
  template <int Stage, class Input>
  static FXK_INLINE void finish(float* sums, const Units<Input>& at, size_t units) {
    if constexpr (Stage == 0) {
      store(sums, reciprocal(sigmoid_denominator(load(sums))));
    } else {
      // n + z (h - n), with z = 1 / (1 + e), as h and what is added to it: see `Lstm`
      const Vec m = load(sums + 2 * width);
      const Quotient n = tanh_quotient(at.input(2 * units) + load(sums) * m);
      const Vec e = exponential(load(sums + width)), h = load(at.h);
      const Vec numerator = e * (n.numerator - h * n.denominator);
      store(at.out, h + quotient(numerator, n.denominator * (1.0f + e)));
    }
  }
};

}  // namespace
