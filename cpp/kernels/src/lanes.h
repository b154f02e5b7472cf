// Moving between PyTorch's layout, where each batch item is a row, and the tile's, where the items
// are vector lanes.
#pragma once

#include "vector.h"

namespace {

using std::size_t;

// lanes_out[c][b] = rows[b * stride + c] for b < items; the other lanes become 0.
inline void rows_to_lanes(const float* rows, size_t stride, size_t columns, size_t items,
                          size_t lanes, float* lanes_out) {
  for (size_t b = 0; b < lanes; b += width) {
    size_t c = 0;
    if (b + width <= items) {
      for (; c + width <= columns; c += width) {
        Vec block[width];
        unroll<width>([&](auto i) FXK_INLINE_LAMBDA {
          block[i] = load_unaligned(rows + (b + i) * stride + c);
        });
        transpose(block);
        unroll<width>([&](auto i) FXK_INLINE_LAMBDA {
          store(lanes_out + (c + i) * lanes + b, block[i]);
        });
      }
    }
    for (; c < columns; ++c) {
      float* out = lanes_out + c * lanes + b;
      for (size_t i = 0; i < width; ++i) {
        out[i] = b + i < items ? rows[(b + i) * stride + c] : 0.0f;
      }
    }
  }
}

// rows[b * stride + c] = lanes_in[c][b] for b < items.
inline void lanes_to_rows(const float* lanes_in, size_t columns, size_t items, size_t lanes,
                          float* rows, size_t stride) {
  for (size_t b = 0; b < items; b += width) {
    size_t c = 0;
    if (b + width <= items) {
      for (; c + width <= columns; c += width) {
        Vec block[width];
        unroll<width>([&](auto i) FXK_INLINE_LAMBDA {
          block[i] = load(lanes_in + (c + i) * lanes + b);
        });
        transpose(block);
        unroll<width>([&](auto i) FXK_INLINE_LAMBDA {
          store_unaligned(rows + (b + i) * stride + c, block[i]);
        });
      }
    }
    const size_t end = b + width < items ? b + width : items;
    for (size_t i = b; i < end; ++i) {
      for (size_t k = c; k < columns; ++k) rows[i * stride + k] = lanes_in[k * lanes + i];
    }
  }
}

}  // namespace
