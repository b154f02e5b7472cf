// A recurrent layer over a block, frame by frame.
#pragma once

#include <algorithm>
#include <cstring>

#include "kernels.h"
#include "matvec.h"
#include "recurrent_input.h"
#include "recurrent_output.h"

namespace {

using fxkit::engine::RecurrentCall;
using fxkit::engine::RecurrentKernels;

template <int N>
constexpr std::integral_constant<int, N> constant{};

template <class Cell>
struct Recurrent {
  using Cut = Blocks<Cell::max_vectors>;

  // Frames whose hidden states are kept before they are turned into rows or read out.
  static constexpr size_t chunk = fxkit::engine::row_unit;
  // Frames whose input share is computed at once.
  static constexpr size_t ahead = 8;
  // Streams that are played side by side, and those of them that share each weight in a register:
  // with 16 registers that made nothing faster.
  static constexpr int together = 2;
  static constexpr int shared = accumulators == 24 ? 2 : 1;

  static size_t units(size_t hidden) { return (hidden + width - 1) / width * width; }
  static size_t columns(size_t hidden) {
    return (hidden + column_unit - 1) / column_unit * column_unit;
  }

  static size_t matrix_size(size_t hidden) {
    return Cell::gates * units(hidden) * columns(hidden);
  }

  // Block by block: the first gates of all columns, then the others.
  static void pack_matrix(const float* weight, size_t hidden, float* out) {
    const Cut cut(units(hidden) / width);
    const auto pack = [&](size_t block, int gate_begin, int gate_end) {
      for (size_t k = 0; k < columns(hidden); ++k) {
        for (int gate = gate_begin; gate < gate_end; ++gate) {
          for (size_t i = 0; i < cut.size(block) * width; ++i) {
            const size_t unit = cut.first(block) * width + i;
            const size_t row = Cell::packed[gate] * hidden + unit;
            const bool real = unit < hidden && k < hidden;
            *out++ = real ? Cell::scale[gate] * weight[row * hidden + k] : 0.0f;
          }
        }
      }
    };
    for (size_t block = 0; block < cut.count; ++block) {
      const int first = Cell::first_gates(static_cast<int>(cut.size(block)));
      pack(block, 0, first);
      if (first < Cell::gates) pack(block, first, Cell::gates);
    }
  }

  static size_t input_size(size_t inputs, size_t hidden) {
    return (Cell::gates * (inputs + 1) + Cell::extra_rows) * units(hidden);
  }

  // Vector by vector of [gates, units]: the bias, then the weights of every input; extra rows last.
  static void pack_input(const float* weight, const float* bias_ih, const float* bias_hh,
                         size_t inputs, size_t hidden, float* out) {
    const size_t count = units(hidden);
    for (int gate = 0; gate < Cell::gates; ++gate) {
      const bool apart = Cell::extra_rows > 0 && gate == Cell::gates - 1;
      for (size_t vector = 0; vector < count; vector += width) {
        for (size_t input = 0; input <= inputs; ++input) {
          for (size_t unit = vector; unit < vector + width; ++unit, ++out) {
            const size_t row = Cell::packed[gate] * hidden + unit;
            double value = 0;
            if (unit < hidden) {
              if (input > 0) {
                value = weight[row * inputs + input - 1];
              } else {
                value += bias_ih ? bias_ih[row] : 0.0f;
                value += bias_hh && !apart ? bias_hh[row] : 0.0f;
              }
            }
            *out = static_cast<float>(Cell::scale[gate] * value);
          }
        }
      }
    }
    if (Cell::extra_rows == 0) return;
    for (size_t unit = 0; unit < count; ++unit) {
      const int gate = Cell::gates - 1;
      const bool real = unit < hidden && bias_hh;
      *out++ = real ? Cell::scale[gate] * bias_hh[gate * hidden + unit] : 0.0f;
    }
  }

  static size_t scratch_size(size_t hidden) {
    return together * units(hidden) * (ahead * Cell::gates + chunk + 1);
  }

  static void run(const RecurrentCall& call) {
    *call.backwards = call.weights.inputs == 1 ? run_all<SingleInput>(call) : run_all<Share>(call);
  }

 private:
  template <class Input>
  static bool run_all(const RecurrentCall& call) {
    bool backwards = *call.backwards;
    size_t stream = 0;
    for (; stream + together <= call.streams; stream += together) {
      backwards = run_streams<together, Input>(call, stream);
    }
    for (; stream < call.streams; ++stream) backwards = run_streams<1, Input>(call, stream);
    return backwards;
  }

  template <int Streams, class Input>
  static bool run_streams(const RecurrentCall& call, size_t stream) {
    const size_t hidden = call.weights.hidden;
    const size_t count = units(hidden);
    const size_t history_size = (chunk + 1) * count;
    float* const shares = call.scratch;
    float* const history = shares + together * ahead * Cell::gates * count;
    float* cell[Streams];
    for (int s = 0; s < Streams; ++s) cell[s] = Cell::has_cell ? call.c + (stream + s) * count : nullptr;
    const float* const extra =
        call.weights.input + Cell::gates * (call.weights.inputs + 1) * count;
    bool backwards = *call.backwards;
    for (size_t start = 0; start < call.frames; start += chunk) {
      const size_t size = std::min(chunk, call.frames - start);
      for (int s = 0; s < Streams; ++s) {
        std::memcpy(history + s * history_size, call.h + (stream + s) * count,
                    count * sizeof(float));
      }
      for (size_t t = 0; t < size; ++t) {
        Units<Input> at[Streams];
        for (int s = 0; s < Streams; ++s) {
          float* const h = history + s * history_size + t * count;
          at[s] = {input(call, stream + s, start, t, shares + s * ahead * Cell::gates * count, Input{}),
                   h, cell[s], h + count};
        }
        frame<Streams>(call.weights.matrix, hidden, count, at, extra, backwards);
        backwards = !backwards;
      }
      for (int s = 0; s < Streams; ++s) {
        const float* states = history + s * history_size + count;
        std::memcpy(call.h + (stream + s) * count, states + (size - 1) * count,
                    count * sizeof(float));
        const size_t row = (stream + s) * call.y_stride + start;
        if (call.readout) {
          read_out(states, count, call.readout, call.readout_bias,
                   call.add ? call.add + row : nullptr, call.y + row, size, call.y_room - start);
        } else {
          states_to_rows(states, count, hidden, call.y + row, call.streams * call.y_stride, size,
                         call.y_room - start);
        }
      }
    }
    return backwards;
  }

  // What the inputs add to a frame; shares are computed when the first frame of some asks for them.
  static FXK_INLINE SingleInput input(const RecurrentCall& call, size_t stream, size_t start,
                                      size_t t, float*, SingleInput) {
    return {call.weights.input, call.x[stream * call.x_stride + start + t]};
  }

  static FXK_INLINE Share input(const RecurrentCall& call, size_t stream, size_t start, size_t t,
                                float* shares, Share) {
    const size_t rows = Cell::gates * units(call.weights.hidden);
    if (t % ahead == 0) {
      input_shares<ahead>(call.weights.input, call.weights.inputs,
                          call.x + stream * call.x_stride + start + t, call.streams * call.x_stride,
                          rows, shares);
    }
    return {shares + t % ahead * rows};
  }

  template <int Streams, class Input>
  static FXK_INLINE void frame(const float* matrix, size_t hidden, size_t count,
                               const Units<Input> (&all)[Streams], const float* extra,
                               bool backwards) {
    constexpr int group = std::min(Streams, shared);
    const size_t column_count = columns(hidden);
    const Cut cut(count / width);
    for (size_t i = 0; i < cut.count; ++i) {
      const size_t number = backwards ? cut.count - 1 - i : i;
      const size_t first = cut.first(number);
      const float* weights = matrix + first * width * column_count * Cell::gates;
      for (int s = 0; s < Streams; s += group) {
        Places<group, Input> at;
        for (int j = 0; j < group; ++j) {
          at.h[j] = all[s + j].h;
          at.at[j] = all[s + j].vector(first);
        }
        with_constant<Cell::max_vectors>(cut.size(number), [&](auto vectors) {
          block<vectors>(weights, column_count, at, extra + first * width, count, backwards);
        });
      }
    }
  }

  // The whole hidden states, and where a block's own units are.
  template <int Streams, class Input>
  struct Places {
    const float* h[Streams];
    Units<Input> at[Streams];
  };

  // One frame of a block of units: the sums of all gates, then the activations; or those of the first
  // gates, and what needs no others is computed while the others accumulate.
  template <int Vectors, int Streams, class Input>
  static FXK_NOINLINE void block(const float* weights, size_t columns,
                                 const Places<Streams, Input>& given, const float* extra,
                                 size_t units, bool backwards) {
    constexpr int first = Cell::first_gates(Vectors);
    constexpr int early = first == Cell::gates ? Cell::stages : Cell::first_stages(Vectors);
    const Places<Streams, Input> places = given;  // what is stored through a pointer cannot change these
    alignas(64) float sums[Streams * Vectors * Cell::gates * width];
    const auto sum = [&](int s, int v, int gate) FXK_INLINE_LAMBDA {
      return sums + ((s * Vectors + v) * Cell::gates + gate) * width;
    };
    const auto accumulate_gates = [&](auto begin, auto gates) FXK_INLINE_LAMBDA {
      Vec total[Streams * gates * Vectors];
      const auto each = [&](auto f) FXK_INLINE_LAMBDA {
        unroll<Streams>([&](auto s) FXK_INLINE_LAMBDA {
          unroll<gates>([&](auto gate) FXK_INLINE_LAMBDA {
            unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA {
              f(total[(s * gates + gate) * Vectors + v], s, begin + gate, v);
            });
          });
        });
      };
      each([&](Vec& total, int s, int gate, int v) FXK_INLINE_LAMBDA {
        total = Cell::start(gate, places.at[s].vector(v).input, extra + v * width, units);
      });
      accumulate<gates * Vectors, Streams>(weights + begin * Vectors * columns * width, columns,
                                           places.h, backwards, total);
      each([&](Vec& total, int s, int gate, int v)
               FXK_INLINE_LAMBDA { store(sum(s, v, gate), total); });
    };
    const auto finish = [&](auto begin, auto stages) FXK_INLINE_LAMBDA {
      unroll<stages>([&](auto stage) FXK_INLINE_LAMBDA {
        unroll<Vectors>([&](auto v) FXK_INLINE_LAMBDA {
          unroll<Streams>([&](auto s) FXK_INLINE_LAMBDA {
            Cell::template finish<begin + stage>(sum(s, v, 0), places.at[s].vector(v), units);
          });
        });
      });
    };
    accumulate_gates(constant<0>, constant<first>);
    finish(constant<0>, constant<early>);
    if constexpr (first < Cell::gates) {
      accumulate_gates(constant<first>, constant<Cell::gates - first>);
      finish(constant<early>, constant<Cell::stages - early>);
    }
  }
};

template <class Cell>
constexpr RecurrentKernels recurrent_kernels() {
  using R = Recurrent<Cell>;
  return {&R::units,      &R::matrix_size,  &R::pack_matrix, &R::input_size,
          &R::pack_input, &R::scratch_size, &R::run};
}

}  // namespace
