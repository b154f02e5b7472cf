// A tile of the batch, forward through every layer, time step by time step.
#pragma once

#include "blocks.h"
#include "lanes.h"
#include "tile.h"
#include "tile_readout.h"

namespace {

using fxkit::kernels::ForwardTile;
using fxkit::kernels::Shape;
using fxkit::kernels::Weights;

// A slot is the hidden state [units, lanes], then the saved rows [units, saved, lanes]; the units
// are padded to whole register blocks.
template <class Cell, int Vectors>
struct Slots {
  static constexpr size_t lanes = Vectors * width;
  using Units = typename Cell::template Units<Vectors>;

  static size_t size(size_t hidden) {
    return Units::padded(hidden) * (1 + Cell::saved) * lanes;
  }
  static size_t saved_rows(size_t hidden) { return Units::padded(hidden) * lanes; }
};

template <class Cell, int Vectors>
struct TileForward {
  using Slot = Slots<Cell, Vectors>;
  using Units = typename Slot::Units;
  static constexpr size_t lanes = Slot::lanes;

  static size_t packed_size(size_t input, size_t hidden) {
    return Units::padded(hidden) * (Cell::biases + (input + hidden) * Cell::gates);
  }

  // Per register block of units, in the order in which `Cell::forward` reads it.
  static void pack(size_t input, size_t hidden, const Weights& weights, float* out) {
    Units::each(hidden, [&](size_t first, auto count) {
      for (size_t u = first; u < first + count; ++u, out += Cell::biases) {
        for (int i = 0; i < Cell::biases; ++i) out[i] = 0.0f;
        if (u < hidden) Cell::pack_bias(weights.input_bias, weights.hidden_bias, hidden, u, out);
      }
      const auto pack_matrix = [&](const float* matrix, size_t columns) {
        for (size_t k = 0; k < columns; ++k) {
          for (size_t u = first; u < first + count; ++u) {
            for (size_t gate = 0; gate < Cell::gates; ++gate) {
              *out++ = u < hidden ? matrix[(gate * hidden + u) * columns + k] : 0.0f;
            }
          }
        }
      };
      pack_matrix(weights.input, input);
      pack_matrix(weights.hidden, hidden);
    });
  }

  static void run(const ForwardTile& tile) {
    const Shape& shape = *tile.shape;
    const size_t hidden = shape.hidden;
    const size_t slot_size = Slot::size(hidden);
    const size_t saved_rows = Slot::saved_rows(hidden);
    const size_t slots_per_layer = tile.keep ? shape.time + 1 : 2;
    const auto slot = [&](size_t layer, size_t index) {
      const size_t place = tile.keep ? index : index & 1;
      return tile.slots + (layer * slots_per_layer + place) * slot_size;
    };

    for (size_t layer = 0; layer < shape.layers; ++layer) {
      load_state(tile, layer, slot(layer, 0), slot_size);
    }
    for (size_t t = 0; t < shape.time; ++t) {
      rows_to_lanes(tile.x + t * shape.input, shape.time * shape.input, shape.input, tile.items,
                    lanes, tile.scratch);
      const float* x = tile.scratch;
      size_t inputs = shape.input;
      for (size_t layer = 0; layer < shape.layers; ++layer) {
        const float* before = slot(layer, t);
        float* after = slot(layer, t + 1);
        const float* packed = tile.packed[layer];
        Units::each(hidden, [&](size_t first, auto count) FXK_INLINE_LAMBDA {
          Cell::template forward<decltype(count)::value, Vectors>(
              packed, x, inputs, before, hidden, first, before + saved_rows, after + saved_rows,
              after);
          packed += count * (Cell::biases + (inputs + hidden) * Cell::gates);
        });
        x = after;
        inputs = hidden;
      }
      size_t columns = hidden;
      if (shape.outputs) {
        float* read = tile.scratch + shape.input * lanes;
        TileReadout<Vectors>::forward(tile.readout, x, hidden, shape.outputs, read);
        x = read;
        columns = shape.outputs;
      }
      lanes_to_rows(x, columns, tile.items, lanes, tile.y + t * columns, shape.time * columns);
    }
    for (size_t layer = 0; layer < shape.layers; ++layer) {
      store_state(tile, layer, slot(layer, shape.time));
    }
  }

 private:
  static void load_state(const ForwardTile& tile, size_t layer, float* slot, size_t slot_size) {
    const size_t hidden = tile.shape->hidden;
    const size_t offset = layer * tile.shape->batch * hidden;
    for (size_t i = 0; i < slot_size; ++i) slot[i] = 0.0f;
    rows_to_lanes(tile.hidden_state + offset, hidden, hidden, tile.items, lanes, slot);
    if constexpr (Cell::has_cell) {
      float* cell = slot + Slot::saved_rows(hidden) + Cell::cell_row * lanes;
      for (size_t u = 0; u < hidden; ++u) {
        rows_to_lanes(tile.cell_state + offset + u, hidden, 1, tile.items, lanes,
                      cell + u * Cell::saved * lanes);
      }
    }
  }

  static void store_state(const ForwardTile& tile, size_t layer, const float* slot) {
    const size_t hidden = tile.shape->hidden;
    const size_t offset = layer * tile.shape->batch * hidden;
    lanes_to_rows(slot, hidden, tile.items, lanes, tile.last_hidden + offset, hidden);
    if constexpr (Cell::has_cell) {
      const float* cell = slot + Slot::saved_rows(hidden) + Cell::cell_row * lanes;
      for (size_t u = 0; u < hidden; ++u) {
        lanes_to_rows(cell + u * Cell::saved * lanes, 1, tile.items, lanes,
                      tile.last_cell + offset + u, hidden);
      }
    }
  }
};

}  // namespace
