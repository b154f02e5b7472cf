// The activations of a GRU: torch.nn.GRU's arithmetic, gates r, z, n.
#pragma once

#include "exponent.h"
#include "matvec.h"

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

  static FXK_INLINE const float* start(int gate, const float* input, const float* extra,
                                       size_t units) {
    return gate == 2 ? extra : input + gate * units;
  }

  static constexpr int stages = 2;
  // The reset gate is finished first: its sigmoid is computed while the other two accumulate.
  static constexpr int first_gates(int) { return 1; }
  static constexpr int first_stages(int) { return 1; }

  // See `Lstm::finish`.
  template <int Stage>
  static FXK_INLINE void finish(float* sums, const Units& at, size_t units) {
    if constexpr (Stage == 0) {
      store(sums, reciprocal(sigmoid_denominator(load(sums))));
    } else {
      // n + z (h - n), with z = 1 / (1 + e), as h and what is added to it: see `Lstm`
      const Vec m = load(sums + 2 * width);
      const Quotient n = tanh_quotient(load(at.input + 2 * units) + load(sums) * m);
      const Vec e = exponential(load(sums + width)), h = load(at.h);
      const Vec numerator = e * (n.numerator - h * n.denominator);
      store(at.out, h + quotient(numerator, n.denominator * (1.0f + e)));
    }
  }
};

}  // namespace
