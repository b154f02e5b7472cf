// What the audio thread calls, once per instruction set: plain functions over plain memory.
//
// A signal is channels times streams rows of `stride` floats: the row of channel c and stream s is
// the (c * streams + s)-th. Strides are multiples of 16 and signals are aligned to 64 bytes, so that
// whole vectors are computed; what lies in a row beyond the frames of the block is never kept.
#pragma once

#include <cstddef>
#include <cstdint>

#include "fxkit/kernels/recurrent.h"

namespace fxkit::engine {

using kernels::Isa;

// Frames that rows are padded to: the widest vector.
constexpr std::size_t row_unit = 16;
constexpr std::size_t padded(std::size_t frames) {
  return (frames + row_unit - 1) / row_unit * row_unit;
}

struct RecurrentWeights {
  const float* matrix;  // from pack_matrix
  const float* input;   // from pack_input
  std::size_t inputs, hidden;
};

struct RecurrentCall {
  RecurrentWeights weights;
  std::size_t streams, frames;
  const float* x;
  std::size_t x_stride;
  float* y;
  std::size_t y_stride;
  std::size_t y_room;  // floats from `y` to the end of its row, padding included
  float* h;            // [streams, units]
  float* c;            // [streams, units]; the LSTM's cell
  bool* backwards;     // whether the next frame walks the weights from their end
  float* scratch;      // scratch_size(hidden)
  // Where these [units] are given, y is one row: bias + add + their sum with the states as weights.
  const float* readout = nullptr;
  float readout_bias = 0;
  const float* add = nullptr;  // a row like y, or null
};

// A GRU or LSTM layer: `units` is the hidden size, padded to whole vectors.
struct RecurrentKernels {
  std::size_t (*units)(std::size_t hidden);
  std::size_t (*matrix_size)(std::size_t hidden);
  void (*pack_matrix)(const float* weight_hh, std::size_t hidden, float* out);
  std::size_t (*input_size)(std::size_t inputs, std::size_t hidden);
  void (*pack_input)(const float* weight_ih, const float* bias_ih, const float* bias_hh,
                     std::size_t inputs, std::size_t hidden, float* out);
  std::size_t (*scratch_size)(std::size_t hidden);
  void (*run)(const RecurrentCall& call);
};

// y[o][t] = bias[o] + add[o][t] + sum over taps j and inputs i of weight[o][i][j] x[i][t + tap j]
struct ConvCall {
  const float* weights;  // from pack_conv
  const float* bias;     // or null
  const float* add;      // rows like those of y (and may be y itself), or null
  const float* x;        // the row of the first input
  std::size_t x_stride;  // floats from one input's row to the next
  const std::ptrdiff_t* taps;  // where each tap reads, relative to the row
  std::size_t step;            // input frames from one output frame to the next
  std::size_t inputs, outputs, tap_count;
  float* y;
  std::size_t y_stride;  // floats from one output's row to the next, of `add` too
  std::size_t frames;
};

enum class Function {
  tanh,
  sigmoid,
  relu,
  leaky_relu,
  elu,
  softplus,
  hardtanh,
  leaky_hardtanh,
  hardsigmoid,
  hardswish,
  softsign,
  silu,
  gelu,
  gelu_tanh,
  sin,
};

struct FunctionSettings {
  float slope = 0, low = 0, high = 0, low_slope = 0, high_slope = 0;
};

// Sizes are multiples of `row_unit`; inputs and outputs may be the same memory.
struct Kernels {
  RecurrentKernels gru, lstm;
  void (*pack_conv)(const float* weight, std::size_t outputs, std::size_t inputs,
                    std::size_t taps, float* out);  // as many floats as the weight has
  void (*conv)(const ConvCall& call);
  void (*activate)(Function function, const FunctionSettings& settings, const float* x, float* y,
                   std::size_t size);
  void (*prelu)(const float* x, float slope, float* y, std::size_t size);
  void (*gain)(const float* x, float weight, float bias, float* y, std::size_t size);
  void (*add)(const float* a, const float* b, float* y, std::size_t size);
  void (*multiply)(const float* a, const float* b, float* y, std::size_t size);
  void (*multiply_add)(const float* a, const float* b, const float* c, float* y,
                       std::size_t size);  // y = a b + c
};

extern const Kernels baseline_kernels;
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;

const Kernels& kernels_for(Isa isa);

}  // namespace fxkit::engine
