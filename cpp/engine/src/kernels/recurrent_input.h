// What a recurrent layer's inputs add to its gates: bias + weight x, by frame.
#pragma once

#include "vector.h"

namespace {

using std::size_t;

// [gates, units] of one frame, computed before for some frames at once, so that each weight is read
// once for all of them.
struct Share {
  const float* at;

  FXK_INLINE Vec operator()(size_t place) const { return load(at + place); }
  FXK_INLINE Share after(size_t units) const { return {at + units}; }
};

// The same of a single input, where it is wanted: two vectors are read instead of one, but none is
// written, and it is this that counts where the matrix nearly fills the first-level cache.
struct SingleInput {
  const float* weights;  // vector by vector the bias and the input's weights
  float x;

  FXK_INLINE Vec operator()(size_t place) const {
    const float* row = weights + 2 * place;
    return load(row) + load(row + width) * splat(x);
  }
  FXK_INLINE SingleInput after(size_t units) const { return {weights + 2 * units, x}; }
};

// What a frame of units is computed from and where it goes, as is the rest of a layer's units.
template <class Input>
struct Units {
  Input input;      // from the first gate on
  const float* h;   // the state before
  float* cell;      // the LSTM's
  float* out;       // the state after

  // Those of the v-th vector.
  FXK_INLINE Units vector(int v) const {
    return {input.after(v * width), h + v * width, cell ? cell + v * width : nullptr,
            out + v * width};
  }
};

// shares[t][row] = bias + weight x of `Frames` frames; weights lie as SingleInput's, for any number
// of inputs. A row's padding may be read.
template <size_t Frames>
FXK_INLINE void input_shares(const float* weights, size_t inputs, const float* x, size_t x_step,
                             size_t rows, float* shares) {
  for (size_t row = 0; row < rows; row += width) {
    Vec sums[Frames];
    const Vec bias = load(weights);
    weights += width;
    unroll<Frames>([&](auto t) FXK_INLINE_LAMBDA { sums[t] = bias; });
    const float* in = x;
    for (size_t i = 0; i < inputs; ++i, in += x_step, weights += width) {
      const Vec w = load(weights);
      unroll<Frames>([&](auto t) FXK_INLINE_LAMBDA { sums[t] += w * splat(in[t]); });
    }
    unroll<Frames>([&](auto t) FXK_INLINE_LAMBDA { store(shares + t * rows + row, sums[t]); });
  }
}

}  // namespace
