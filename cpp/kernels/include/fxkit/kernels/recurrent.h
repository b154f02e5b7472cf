// GRU and LSTM over a window of samples, forward and backward (BPTT), for training on a CPU.
//
// The arithmetic is torch.nn.GRU's and torch.nn.LSTM's, float32, unidirectional, batch first. The
// batch runs along the vector lanes and is split over threads; for a given number of threads the
// results are the same in every run.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace fxkit::kernels {

enum class Cell { gru, lstm };

// Instruction sets, weakest first; `baseline` is what the compiler assumes of every machine
// (SSE2 on x86-64, NEON on aarch64).
enum class Isa { baseline, avx2, avx512 };

std::string_view name(Isa isa);

// Whether this machine, and this build, can run `isa`.
bool available(Isa isa);

// The strongest available instruction set.
Isa best_isa();

struct Shape {
  std::size_t batch, time, input, hidden, layers;
  std::size_t outputs = 0;  // of a linear readout of the top layer; 0: y is that layer itself

  std::size_t width() const { return outputs ? outputs : hidden; }  // of y
};

// Read out step by step, while the state is at hand: y = weight h + bias. [outputs, hidden] and
// [outputs]; both null where there is no readout.
struct Readout {
  const float* weight = nullptr;
  const float* bias = nullptr;
};

struct ReadoutGradients {
  float* weight = nullptr;
  float* bias = nullptr;
};

// One layer in PyTorch's layout, gates in PyTorch's order (GRU r, z, n; LSTM i, f, g, o; G gates).
struct Weights {
  const float* input;           // [G hidden, input]
  const float* hidden;          // [G hidden, hidden]
  const float* input_bias;      // [G hidden], or null
  const float* hidden_bias;     // [G hidden], or null
};

struct WeightGradients {
  float* input;
  float* hidden;
  float* input_bias;    // or null
  float* hidden_bias;   // or null
};

// States are [layers, batch, hidden], sequences [batch, time, features], all contiguous. The cell
// pointers are read and written for an LSTM only.
struct Forward {
  const float* x;
  const float* hidden_state;
  const float* cell_state;
  std::span<const Weights> weights;
  float* y;
  float* last_hidden;
  float* last_cell;
  float* saved;         // `saved_size` floats for `backward`, or null where no gradient is wanted
  Readout readout = {};
};

struct Backward {
  const float* x;
  std::span<const Weights> weights;
  const float* saved;   // what `forward` left, unchanged
  const float* y_gradient;
  const float* last_hidden_gradient;
  const float* last_cell_gradient;
  float* x_gradient;    // or null where it is not wanted
  float* hidden_state_gradient;
  float* cell_state_gradient;
  std::span<const WeightGradients> weight_gradients;
  Readout readout = {};
  ReadoutGradients readout_gradients = {};
};

// How many floats `forward` saves; `threads` and `isa` must be those that `forward` is given.
std::size_t saved_size(Cell cell, const Shape& shape, int threads, Isa isa);

// The same of a buffer that `forward` wrote; 0 where it was not written for this shape and
// instruction set. Reads the first 64 bytes.
std::size_t saved_size_of(Cell cell, const Shape& shape, const float* saved, Isa isa);

// Throws std::bad_alloc where memory runs out, and nothing else.
void forward(Cell cell, const Shape& shape, const Forward& call, int threads, Isa isa);

// The batch is split as `forward` split it: `threads` here only bounds how many run at once, and
// decides the order of the sums over the batch. `saved` must be what `forward` wrote for the same
// shape and instruction set: `saved_size_of` tells.
void backward(Cell cell, const Shape& shape, const Backward& call, int threads, Isa isa);

}  // namespace fxkit::kernels
