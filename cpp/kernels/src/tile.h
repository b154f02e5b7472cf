// What passes between the code that splits a call over threads and the code that is compiled once
// per instruction set: a tile is as many batch items as one pass of the kernels carries in its
// vector lanes.
#pragma once

#include <cstddef>

#include "fxkit/kernels/recurrent.h"

namespace fxkit::kernels {

// All arrays inside a tile are [..., lanes]. A slot holds everything of one layer at one time step:
// hidden state, gates and (LSTM) cell state. Slot 0 is the state before the window.
struct ForwardTile {
  const Shape* shape;
  std::size_t items;            // batch items in this tile, at most `lanes`
  const float* x;               // of the tile's first item; so are the five below
  const float* hidden_state;
  const float* cell_state;
  float* y;
  float* last_hidden;
  float* last_cell;
  const float* const* packed;   // per layer
  float* slots;                 // [layers, time + 1, slot], or [layers, 2, slot] if not `keep`
  bool keep;
  float* scratch;               // [input + outputs, lanes]
  Readout readout;
};

struct BackwardTile {
  const Shape* shape;
  std::size_t items;
  const float* x;
  const float* slots;
  const float* y_gradient;
  const float* last_hidden_gradient;
  const float* last_cell_gradient;
  float* x_gradient;
  float* hidden_state_gradient;
  float* cell_state_gradient;
  const float* const* packed;
  float* const* sums;           // per layer, then the readout: gradients so far, added to
  float* scratch;
  Readout readout;
};

// The kernels of one cell, one instruction set and one tile width. Sizes are in floats.
struct TileKernels {
  std::size_t lanes;
  std::size_t (*slot_size)(std::size_t hidden);
  std::size_t (*packed_size)(std::size_t input, std::size_t hidden);
  void (*pack)(std::size_t input, std::size_t hidden, const Weights&, float* packed);
  void (*forward)(const ForwardTile&);
  std::size_t (*backward_packed_size)(std::size_t input, std::size_t hidden);
  void (*pack_backward)(std::size_t input, std::size_t hidden, const Weights&, float* packed);
  std::size_t (*backward_scratch_size)(const Shape&);
  void (*backward)(const BackwardTile&);
  std::size_t (*sums_size)(std::size_t input, std::size_t hidden);
  // Adds up the lanes of `count` threads' sums, in their order.
  void (*finish)(std::size_t input, std::size_t hidden, const float* const* sums,
                 std::size_t count, const WeightGradients&);
  std::size_t (*readout_sums_size)(std::size_t hidden, std::size_t outputs);
  void (*finish_readout)(std::size_t hidden, std::size_t outputs, const float* const* sums,
                         std::size_t count, const ReadoutGradients&);
};

constexpr int tile_widths = 2;  // one or two vectors

// [cell][vectors - 1]
using TileKernelTable = TileKernels[2][tile_widths];

extern const TileKernelTable baseline_kernels;
#if defined(FXK_X86)
extern const TileKernelTable avx2_kernels;
extern const TileKernelTable avx512_kernels;
#endif

}  // namespace fxkit::kernels
