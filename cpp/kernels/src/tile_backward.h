// A tile of the batch, backward through time.
//
// Time is walked in blocks that fit the second-level cache. Within a block, each layer (from the
// top) first goes back step by step, which is serial, and leaves the gradients of its
// pre-activations in panels; the weights' gradients are then one matrix product over the whole
// block, whose sums stay in registers.
#pragma once

#include "tile_forward.h"

namespace {

using fxkit::kernels::BackwardTile;
using fxkit::kernels::WeightGradients;

template <class Cell, int Vectors>
struct TileBackward {
  using Slot = Slots<Cell, Vectors>;
  static constexpr size_t lanes = Slot::lanes;
  static constexpr int gates = Cell::gates;
  static constexpr int panel_units = Cell::panel_units;
  static constexpr int panel_rows = panel_units * Cell::gradients;
  static constexpr int sum_rows = panel_units * gates;

  // Rows of the product that carries gradients back to the state and to the input.
  using Rows = Blocks<(many_registers ? 24 : 12) / Vectors, (many_registers ? 8 : 4) / Vectors>;

  static size_t panels(size_t hidden) { return (hidden + panel_units - 1) / panel_units; }

  // Time steps per block: one panel's gradients are read again for every block of columns, and have
  // to stay in a third of a first-level cache of 48 KB; all of them together with the states take
  // about half of a second-level one.
  static size_t block_steps(const Shape& shape) {
    const size_t in_first = (16u << 10) / (panel_rows * lanes * sizeof(float));
    const size_t per_step = panels(shape.hidden) * panel_rows * lanes * sizeof(float);
    const size_t in_second = (768u << 10) / per_step;
    const size_t steps = in_first < in_second ? in_first : in_second;
    const size_t bounded = steps < 8 ? 8 : steps > 64 ? 64 : steps;
    return bounded < shape.time ? bounded : shape.time;
  }

  // Panels are one step longer than a block: an odd stride keeps them off each other's cache sets.
  static size_t panel_stride(size_t steps) { return (steps + 1) * panel_rows * lanes; }

  // Scratch: panels, gradients of the layer's input over the block, input over the block, output
  // gradient of one step (of the states, then of the readout), every layer's state gradients.
  struct Scratch {
    size_t panels, input_gradient, input, output_gradient, read_gradient, states, size;
    size_t feature_stride;  // of one step's input gradient, the same for all layers: a layer
                            // overwrites what it was given from above, step by step
    size_t state;           // size of one state gradient

    explicit Scratch(const Shape& shape) {
      const size_t steps = block_steps(shape);
      const size_t features = shape.input > shape.hidden ? shape.input : shape.hidden;
      panels = 0;
      input_gradient = panels + TileBackward::panels(shape.hidden) * panel_stride(steps);
      feature_stride = Rows::padded(features) * lanes;
      input = input_gradient + steps * feature_stride;
      output_gradient = input + steps * shape.input * lanes;
      read_gradient = output_gradient + shape.hidden * lanes;
      states = read_gradient + shape.outputs * lanes;
      state = Rows::padded(shape.hidden) * lanes;
      size = states + 2 * shape.layers * state;
    }
  };

  static size_t scratch_size(const Shape& shape) { return Scratch(shape).size; }

  static size_t packed_rows_size(size_t rows, size_t hidden) {
    return Rows::padded(rows) * panels(hidden) * panel_units * gates;
  }

  static size_t packed_size(size_t input, size_t hidden) {
    return packed_rows_size(hidden, hidden) + packed_rows_size(input, hidden);
  }

  static void pack(size_t input, size_t hidden, const Weights& weights, float* out) {
    pack_transposed(weights.hidden, hidden, hidden, Cell::hidden_gate, out);
    pack_transposed(weights.input, input, hidden, Cell::input_gate,
                    out + packed_rows_size(hidden, hidden));
  }

  // Sums are vectors of partial sums: hidden weights [panel, column, row], input weights likewise,
  // then the gradient rows themselves [panel, row], for the biases.
  static size_t hidden_sums(size_t hidden) { return panels(hidden) * hidden * sum_rows * width; }
  static size_t input_sums(size_t input, size_t hidden) {
    return panels(hidden) * input * sum_rows * width;
  }
  static size_t sums_size(size_t input, size_t hidden) {
    return hidden_sums(hidden) + input_sums(input, hidden) + panels(hidden) * panel_rows * width;
  }

  static void run(const BackwardTile& tile) {
    const Shape& shape = *tile.shape;
    const size_t hidden = shape.hidden;
    const size_t slot_size = Slot::size(hidden);
    const size_t block = block_steps(shape);
    const Scratch scratch(shape);
    float* panel = tile.scratch + scratch.panels;
    float* input = tile.scratch + scratch.input;
    float* input_gradient = tile.scratch + scratch.input_gradient;
    for (size_t i = 0; i < scratch.input_gradient; ++i) panel[i] = 0.0f;
    for (size_t layer = 0; layer < shape.layers; ++layer) load_gradients(tile, scratch, layer);

    for (size_t end = shape.time; end > 0;) {
      const size_t begin = end > block ? end - block : 0;
      const size_t steps = end - begin;
      for (size_t layer = shape.layers; layer-- > 0;) {
        const float* slots = tile.slots + (layer * (shape.time + 1) + begin) * slot_size;
        step_back(tile, scratch, layer, begin, steps, slots);
        // What this layer was fed: the layer below it, or the input of the network.
        const float* fed = input;
        size_t features = shape.input;
        size_t fed_stride = shape.input * lanes;
        if (layer > 0) {
          fed = tile.slots + ((layer - 1) * (shape.time + 1) + begin + 1) * slot_size;
          features = hidden;
          fed_stride = slot_size;
        } else {
          for (size_t t = 0; t < steps; ++t) {
            rows_to_lanes(tile.x + (begin + t) * features, shape.time * features, features,
                          tile.items, lanes, input + t * fed_stride);
          }
        }
        float* sums = tile.sums[layer];
        add_products(panel, Cell::hidden_first, slots, slot_size, steps, block, hidden, hidden,
                     sums);
        sums += hidden_sums(hidden);
        add_products(panel, Cell::input_first, fed, fed_stride, steps, block, features, hidden,
                     sums);
        sums += input_sums(features, hidden);
        add_rows(panel, steps, block, hidden, sums);
      }
      if (tile.x_gradient) {
        for (size_t t = 0; t < steps; ++t) {
          lanes_to_rows(input_gradient + t * scratch.feature_stride, shape.input, tile.items, lanes,
                        tile.x_gradient + (begin + t) * shape.input, shape.time * shape.input);
        }
      }
      end = begin;
    }
    for (size_t layer = 0; layer < shape.layers; ++layer) store_gradients(tile, scratch, layer);
  }

  static void finish(size_t input, size_t hidden, const float* const* sums, size_t count,
                     const WeightGradients& out) {
    size_t at = 0;
    const auto total = [&] {
      float value = 0.0f;
      for (size_t i = 0; i < count; ++i) value += sum(load(sums[i] + at));
      at += width;
      return value;
    };
    const auto unpack = [&](float* matrix, size_t columns, const int (&gate)[gates]) {
      for (size_t p = 0; p < panels(hidden); ++p) {
        for (size_t column = 0; column < columns; ++column) {
          for (size_t row = 0; row < sum_rows; ++row) {
            const float value = total();
            const size_t unit = p * panel_units + row / gates;
            if (unit < hidden) {
              matrix[(gate[row % gates] * hidden + unit) * columns + column] = value;
            }
          }
        }
      }
    };
    unpack(out.hidden, hidden, Cell::hidden_gate);
    unpack(out.input, input, Cell::input_gate);
    for (size_t unit = 0; unit < panels(hidden) * panel_units; ++unit) {
      float rows[Cell::gradients];
      for (float& row : rows) row = total();
      if (unit >= hidden) continue;
      for (size_t i = 0; i < gates; ++i) {
        if (out.hidden_bias) {
          out.hidden_bias[Cell::hidden_gate[i] * hidden + unit] = rows[Cell::hidden_first + i];
        }
        if (out.input_bias) {
          out.input_bias[Cell::input_gate[i] * hidden + unit] = rows[Cell::input_first + i];
        }
      }
    }
  }

 private:
  // Per register block of columns of `matrix`: [unit, gate, column], gates in gradient row order.
  static void pack_transposed(const float* matrix, size_t columns, size_t hidden,
                              const int (&gate)[gates], float* out) {
    Rows::each(columns, [&](size_t first, auto count) {
      for (size_t unit = 0; unit < panels(hidden) * panel_units; ++unit) {
        for (size_t i = 0; i < gates; ++i) {
          for (size_t c = first; c < first + count; ++c) {
            *out++ = unit < hidden && c < columns
                         ? matrix[(gate[i] * hidden + unit) * columns + c]
                         : 0.0f;
          }
        }
      }
    });
  }

  static void load_gradients(const BackwardTile& tile, const Scratch& scratch, size_t layer) {
    const size_t hidden = tile.shape->hidden;
    const size_t offset = layer * tile.shape->batch * hidden;
    float* state = tile.scratch + scratch.states + 2 * layer * scratch.state;
    for (size_t i = 0; i < 2 * scratch.state; ++i) state[i] = 0.0f;
    rows_to_lanes(tile.last_hidden_gradient + offset, hidden, hidden, tile.items, lanes, state);
    if constexpr (Cell::has_cell) {
      rows_to_lanes(tile.last_cell_gradient + offset, hidden, hidden, tile.items, lanes,
                    state + scratch.state);
    }
  }

  static void store_gradients(const BackwardTile& tile, const Scratch& scratch, size_t layer) {
    const size_t hidden = tile.shape->hidden;
    const size_t offset = layer * tile.shape->batch * hidden;
    const float* state = tile.scratch + scratch.states + 2 * layer * scratch.state;
    lanes_to_rows(state, hidden, tile.items, lanes, tile.hidden_state_gradient + offset, hidden);
    if constexpr (Cell::has_cell) {
      lanes_to_rows(state + scratch.state, hidden, tile.items, lanes,
                    tile.cell_state_gradient + offset, hidden);
    }
  }

  // One layer, `steps` steps back from the block's end; fills the panels and, where somebody below
  // wants it, the gradient of the layer's input.
  static void step_back(const BackwardTile& tile, const Scratch& scratch, size_t layer,
                        size_t begin, size_t steps, const float* slots) {
    const Shape& shape = *tile.shape;
    const size_t hidden = shape.hidden;
    const size_t features = layer > 0 ? hidden : shape.input;
    const size_t slot_size = Slot::size(hidden);
    const size_t saved_rows = Slot::saved_rows(hidden);
    const size_t stride = panel_stride(block_steps(shape));
    const bool top = layer + 1 == shape.layers;
    const bool feeds = layer > 0 || tile.x_gradient;
    const float* packed = tile.packed[layer];
    const float* packed_input = packed + packed_rows_size(hidden, hidden);
    float* state = tile.scratch + scratch.states + 2 * layer * scratch.state;
    float* cell = state + scratch.state;
    float* input_gradient = tile.scratch + scratch.input_gradient;

    for (size_t t = steps; t-- > 0;) {
      const float* before = slots + t * slot_size;
      const float* after = before + slot_size;
      const float* output_gradient = input_gradient + t * scratch.feature_stride;
      if (top) {
        float* rows = tile.scratch + scratch.output_gradient;
        float* read = shape.outputs ? tile.scratch + scratch.read_gradient : rows;
        const size_t columns = shape.width();
        rows_to_lanes(tile.y_gradient + (begin + t) * columns, shape.time * columns, columns,
                      tile.items, lanes, read);
        if (shape.outputs) {
          TileReadout<Vectors>::backward(tile.readout, read, after, hidden, shape.outputs, rows,
                                         tile.sums[shape.layers]);
        }
        output_gradient = rows;
      }
      float* panel = tile.scratch + scratch.panels + t * panel_rows * lanes;
      for (size_t unit = 0; unit < hidden; ++unit) {
        const size_t row = unit * lanes;
        const size_t saved = saved_rows + row * Cell::saved;
        Cell::template backward<Vectors>(
            after + saved, before + saved, before + row, output_gradient + row, state + row,
            cell + row,
            panel + unit / panel_units * stride + unit % panel_units * Cell::gradients * lanes);
      }
      carry_back<true>(packed, panel + Cell::hidden_first * lanes, stride, hidden, hidden, state);
      if (feeds) {
        carry_back<false>(packed_input, panel + Cell::input_first * lanes, stride, features,
                          hidden, input_gradient + t * scratch.feature_stride);
      }
    }
  }

  // out[row] (+)= sum over units and gates of weight * gradient.
  template <bool Add>
  static FXK_INLINE void carry_back(const float* packed, const float* panel, size_t stride,
                                    size_t rows, size_t hidden, float* out) {
    const size_t count = panels(hidden);
    Rows::each(rows, [&](size_t first, auto block) FXK_INLINE_LAMBDA {
      constexpr int block_rows = decltype(block)::value;
      float* target = out + first * lanes;
      Vec total[block_rows][Vectors];
      unroll<block_rows>([&](auto i) FXK_INLINE_LAMBDA {
        unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA {
          total[i][v] = Add ? load(target + i * lanes + v * width) : Vec{};
        });
      });
      for (size_t p = 0; p < count; ++p) {
        const float* gradients = panel + p * stride;
        for (int unit = 0; unit < panel_units; ++unit, gradients += Cell::gradients * lanes) {
          for (int i = 0; i < gates; ++i, packed += block_rows) {
            Vec row[Vectors];
            unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA {
              row[v] = load(gradients + i * lanes + v * width);
            });
            unroll<block_rows>([&](auto j) FXK_INLINE_LAMBDA {
              const Vec w = splat(packed[j]);
              unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA { total[j][v] += w * row[v]; });
            });
          }
        }
      }
      unroll<block_rows>([&](auto i) FXK_INLINE_LAMBDA {
        unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA {
          store(target + i * lanes + v * width, total[i][v]);
        });
      });
    });
  }

  // sums[panel, column, row] += gradients[row] * values[column], over the block's steps and lanes.
  static void add_products(const float* panel, int first_row, const float* values,
                           size_t values_stride, size_t steps, size_t block, size_t columns,
                           size_t hidden, float* sums) {
    const size_t stride = panel_stride(block);
    for (size_t p = 0; p < panels(hidden); ++p) {
      const float* rows = panel + p * stride + first_row * lanes;
      Blocks<Cell::panel_columns, 1>::each(columns, [&](size_t first, auto count)
                                                        FXK_INLINE_LAMBDA {
        constexpr int block_columns = decltype(count)::value;
        Vec total[block_columns][sum_rows];
        unroll<block_columns>([&](auto c) FXK_INLINE_LAMBDA {
          unroll<sum_rows>([&](auto r) FXK_INLINE_LAMBDA {
            total[c][r] = load(sums + (c * sum_rows + r) * width);
          });
        });
        const float* row_at = rows;
        const float* value_at = values + first * lanes;
        for (size_t t = 0; t < steps; ++t) {
          unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA {
            Vec column[block_columns];
            unroll<block_columns>([&](auto c) FXK_INLINE_LAMBDA {
              column[c] = load(value_at + c * lanes + v * width);
            });
            unroll<sum_rows>([&](auto r) FXK_INLINE_LAMBDA {
              const size_t at = (r / gates * Cell::gradients + r % gates) * lanes + v * width;
              const Vec row = in_register(load(row_at + at));
              unroll<block_columns>([&](auto c) FXK_INLINE_LAMBDA {
                total[c][r] += row * column[c];
              });
            });
          });
          row_at += panel_rows * lanes;
          value_at += values_stride;
        }
        unroll<block_columns>([&](auto c) FXK_INLINE_LAMBDA {
          unroll<sum_rows>([&](auto r) FXK_INLINE_LAMBDA {
            store(sums + (c * sum_rows + r) * width, total[c][r]);
          });
        });
        sums += block_columns * sum_rows * width;
      });
    }
  }

  // sums[panel, row] += gradients[row], over the block's steps and lanes.
  static void add_rows(const float* panel, size_t steps, size_t block, size_t hidden,
                       float* sums) {
    for (size_t p = 0; p < panels(hidden); ++p, sums += panel_rows * width) {
      const float* rows = panel + p * panel_stride(block);
      Vec total[panel_rows];
      unroll<panel_rows>([&](auto r) FXK_INLINE_LAMBDA { total[r] = load(sums + r * width); });
      for (size_t t = 0; t < steps; ++t, rows += panel_rows * lanes) {
        unroll<panel_rows>([&](auto r) FXK_INLINE_LAMBDA {
          unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA {
            total[r] += load(rows + r * lanes + v * width);
          });
        });
      }
      unroll<panel_rows>([&](auto r) FXK_INLINE_LAMBDA { store(sums + r * width, total[r]); });
    }
  }
};

}  // namespace
