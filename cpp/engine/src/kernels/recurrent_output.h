// From the states of some frames to rows of a signal.
#pragma once

#include "vector.h"

namespace {

using std::size_t;

// rows[u][t] = states[t][u]; whole vectors of frames are written where a row has the room. `count`
// is the hidden size, padded to whole vectors.
FXK_INLINE void states_to_rows(const float* states, size_t count, size_t hidden, float* rows,
                               size_t stride, size_t frames, size_t room) {
  for (size_t t = 0; t < frames; t += width) {
    if (t + width > room) {
      for (size_t u = 0; u < hidden; ++u) {
        for (size_t i = t; i < frames; ++i) rows[u * stride + i] = states[i * count + u];
      }
      return;
    }
    for (size_t u = 0; u < hidden; u += width) {
      Vec square[width];
      unroll<width>(
          [&](auto i) FXK_INLINE_LAMBDA { square[i] = load(states + (t + i) * count + u); });
      transpose(square);
      unroll<width>([&](auto i) FXK_INLINE_LAMBDA {
        if (u + i < hidden) store_unaligned(rows + (u + i) * stride + t, square[i]);
      });
    }
  }
}

// y[t] = bias + add[t] + sum over u of weights[u] states[t][u]; `add` may be null or y itself.
FXK_INLINE void read_out(const float* states, size_t count, const float* weights, float bias,
                         const float* add, float* y, size_t frames, size_t room) {
  for (size_t t = 0; t < frames; t += width) {
    // The products of each frame, then the sum of each frame's lanes in a lane of its own.
    Vec square[width];
    unroll<width>([&](auto i) FXK_INLINE_LAMBDA { square[i] = Vec{}; });
    for (size_t u = 0; u < count; u += width) {
      const Vec w = in_register(load(weights + u));
      unroll<width>([&](auto i) FXK_INLINE_LAMBDA {
        square[i] += w * load(states + (t + i) * count + u);
      });
    }
    transpose(square);
    Vec total = splat(bias);
    unroll<width>([&](auto i) FXK_INLINE_LAMBDA { total += square[i]; });
    if (t + width <= room) {
      store_unaligned(y + t, add ? total + load_unaligned(add + t) : total);
      continue;
    }
    for (size_t i = t; i < frames; ++i) y[i] = total[i - t] + (add ? add[i] : 0.0f);
  }
}

}  // namespace
