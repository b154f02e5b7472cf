// The Python face of the training kernels: plain buffers in and out, no PyTorch.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "fxkit/kernels/recurrent.h"

namespace nb = nanobind;
namespace kernels = fxkit::kernels;
using nb::literals::operator""_a;

namespace {

using Array = nb::ndarray<float, nb::c_contig, nb::device::cpu>;
using ConstArray = nb::ndarray<const float, nb::c_contig, nb::device::cpu>;
using Arrays = std::vector<Array>;
using ConstArrays = std::vector<ConstArray>;

kernels::Cell cell_named(const std::string& name) {
  if (name == "gru") return kernels::Cell::gru;
  if (name == "lstm") return kernels::Cell::lstm;
  throw nb::value_error("cell must be 'gru' or 'lstm'");
}

kernels::Isa isa_named(const std::string& name) {
  for (const auto isa : {kernels::Isa::baseline, kernels::Isa::avx2, kernels::Isa::avx512}) {
    if (kernels::name(isa) != name) continue;
    if (!kernels::available(isa)) break;
    return isa;
  }
  throw nb::value_error(("this machine or build has no kernels for '" + name + "'").c_str());
}

std::vector<std::string> available_isas() {
  std::vector<std::string> names;
  for (const auto isa : {kernels::Isa::baseline, kernels::Isa::avx2, kernels::Isa::avx512}) {
    if (kernels::available(isa)) names.emplace_back(kernels::name(isa));
  }
  return names;
}

template <class AnyArray>
void expect(const AnyArray& array, std::initializer_list<std::size_t> shape, const char* name) {
  bool same = array.ndim() == shape.size();
  std::size_t axis = 0;
  for (const std::size_t length : shape) same = same && array.shape(axis++) == length;
  if (!same) throw nb::value_error((std::string(name) + " has the wrong shape").c_str());
}

template <class AnyArray>
auto* data_of(const std::optional<AnyArray>& array) {
  return array ? array->data() : nullptr;
}

// Weights come as torch.nn.GRU lists them: per layer input, hidden[, input bias, hidden bias].
template <class Layer, class AnyArray>
std::vector<Layer> layers_of(const std::vector<AnyArray>& flat, const kernels::Shape& shape,
                             bool bias, std::size_t gates) {
  const std::size_t step = bias ? 4 : 2;
  if (flat.size() != step * shape.layers) throw nb::value_error("wrong number of weights");
  std::vector<Layer> layers;
  for (std::size_t layer = 0; layer < shape.layers; ++layer) {
    const AnyArray* at = flat.data() + layer * step;
    const std::size_t rows = gates * shape.hidden;
    expect(at[0], {rows, layer == 0 ? shape.input : shape.hidden}, "an input weight");
    expect(at[1], {rows, shape.hidden}, "a hidden weight");
    if (bias) {
      expect(at[2], {rows}, "an input bias");
      expect(at[3], {rows}, "a hidden bias");
    }
    layers.push_back({at[0].data(), at[1].data(), bias ? at[2].data() : nullptr,
                      bias ? at[3].data() : nullptr});
  }
  return layers;
}

kernels::Shape shape_of(const ConstArray& x, const ConstArray& hidden_state,
                        const std::optional<ConstArray>& readout) {
  if (x.ndim() != 3 || hidden_state.ndim() != 3) {
    throw nb::value_error("x must be [batch, time, input] and the state [layers, batch, hidden]");
  }
  const kernels::Shape shape{x.shape(0), x.shape(1), x.shape(2), hidden_state.shape(2),
                             hidden_state.shape(0), readout ? readout->shape(0) : 0};
  if (!shape.batch || !shape.time || !shape.input || !shape.hidden || !shape.layers) {
    throw nb::value_error("an axis is empty");
  }
  expect(hidden_state, {shape.layers, shape.batch, shape.hidden}, "the state");
  return shape;
}

// The readout, or its gradients: a weight [outputs, hidden] and a bias [outputs], or neither.
template <class Pair, class AnyArray>
Pair readout_of(const std::optional<AnyArray>& weight, const std::optional<AnyArray>& bias,
                const kernels::Shape& shape) {
  if (weight.has_value() != bias.has_value()) {
    throw nb::value_error("a readout has a weight and a bias");
  }
  if (!weight) return {};
  if (!shape.outputs) throw nb::value_error("an axis is empty");
  expect(*weight, {shape.outputs, shape.hidden}, "the readout's weight");
  expect(*bias, {shape.outputs}, "the readout's bias");
  return {weight->data(), bias->data()};
}

void expect_saved(const float* saved, std::size_t length, std::size_t needed) {
  if (length != needed) throw nb::value_error("the saved buffer has the wrong size");
  if (reinterpret_cast<std::uintptr_t>(saved) % 64 != 0) {
    throw nb::value_error("the saved buffer must be aligned to 64 bytes");
  }
}

std::size_t gates_of(kernels::Cell cell) { return cell == kernels::Cell::gru ? 3 : 4; }

void expect_cells(kernels::Cell cell, bool present) {
  if (present != (cell == kernels::Cell::lstm)) {
    throw nb::value_error("an LSTM has cell states, a GRU has none");
  }
}

void forward(const std::string& cell_name, const ConstArray& x, const ConstArray& hidden_state,
             const std::optional<ConstArray>& cell_state, const ConstArrays& weights, bool bias,
             const std::optional<ConstArray>& readout,
             const std::optional<ConstArray>& readout_bias, const Array& y, const Array& last_hidden, const std::optional<Array>& last_cell,
             const std::optional<Array>& saved, int threads, const std::string& isa_name) {
  const kernels::Cell cell = cell_named(cell_name);
  const kernels::Isa isa = isa_named(isa_name);
  const kernels::Shape shape = shape_of(x, hidden_state, readout);
  const auto layers = layers_of<kernels::Weights>(weights, shape, bias, gates_of(cell));
  const auto read = readout_of<kernels::Readout>(readout, readout_bias, shape);
  expect(y, {shape.batch, shape.time, shape.width()}, "y");
  expect(last_hidden, {shape.layers, shape.batch, shape.hidden}, "last_hidden");
  expect_cells(cell, cell_state.has_value());
  expect_cells(cell, last_cell.has_value());
  if (cell_state) {
    expect(*cell_state, {shape.layers, shape.batch, shape.hidden}, "cell_state");
    expect(*last_cell, {shape.layers, shape.batch, shape.hidden}, "last_cell");
  }
  if (saved) {
    expect_saved(saved->data(), saved->size(), kernels::saved_size(cell, shape, threads, isa));
  }
  const kernels::Forward call{x.data(),           hidden_state.data(), data_of(cell_state), layers,
                              y.data(),           last_hidden.data(),  data_of(last_cell),
                              data_of(saved),     read};
  const nb::gil_scoped_release release;
  kernels::forward(cell, shape, call, threads, isa);
}

void backward(const std::string& cell_name, const ConstArray& x, const ConstArrays& weights,
              bool bias, const std::optional<ConstArray>& readout,
              const std::optional<ConstArray>& readout_bias, const ConstArray& saved,
              const ConstArray& y_gradient,
              const ConstArray& last_hidden_gradient,
              const std::optional<ConstArray>& last_cell_gradient,
              const std::optional<Array>& x_gradient, const Array& hidden_state_gradient,
              const std::optional<Array>& cell_state_gradient, const Arrays& weight_gradients,
              const std::optional<Array>& readout_gradient,
              const std::optional<Array>& readout_bias_gradient, int threads, const std::string& isa_name) {
  const kernels::Cell cell = cell_named(cell_name);
  const kernels::Isa isa = isa_named(isa_name);
  const kernels::Shape shape = shape_of(x, last_hidden_gradient, readout);
  const auto layers = layers_of<kernels::Weights>(weights, shape, bias, gates_of(cell));
  const auto gradients =
      layers_of<kernels::WeightGradients>(weight_gradients, shape, bias, gates_of(cell));
  const auto read = readout_of<kernels::Readout>(readout, readout_bias, shape);
  if (readout.has_value() != readout_gradient.has_value()) {
    throw nb::value_error("the readout and its gradients come together");
  }
  const auto read_gradients =
      readout_of<kernels::ReadoutGradients>(readout_gradient, readout_bias_gradient, shape);
  expect(y_gradient, {shape.batch, shape.time, shape.width()}, "y_gradient");
  expect(hidden_state_gradient, {shape.layers, shape.batch, shape.hidden},
         "hidden_state_gradient");
  expect_cells(cell, last_cell_gradient.has_value());
  expect_cells(cell, cell_state_gradient.has_value());
  if (last_cell_gradient) {
    expect(*last_cell_gradient, {shape.layers, shape.batch, shape.hidden}, "last_cell_gradient");
    expect(*cell_state_gradient, {shape.layers, shape.batch, shape.hidden},
           "cell_state_gradient");
  }
  if (x_gradient) expect(*x_gradient, {shape.batch, shape.time, shape.input}, "x_gradient");
  if (saved.size() < 16) throw nb::value_error("the saved buffer has the wrong size");
  expect_saved(saved.data(), saved.size(), kernels::saved_size_of(cell, shape, saved.data(), isa));
  const kernels::Backward call{x.data(),
                               layers,
                               saved.data(),
                               y_gradient.data(),
                               last_hidden_gradient.data(),
                               data_of(last_cell_gradient),
                               data_of(x_gradient),
                               hidden_state_gradient.data(),
                               data_of(cell_state_gradient),
                               gradients,
                               read,
                               read_gradients};
  const nb::gil_scoped_release release;
  kernels::backward(cell, shape, call, threads, isa);
}

std::size_t saved_size(const std::string& cell, std::size_t batch, std::size_t time,
                       std::size_t input, std::size_t hidden, std::size_t layers,
                       std::size_t outputs, int threads, const std::string& isa) {
  return kernels::saved_size(cell_named(cell), {batch, time, input, hidden, layers, outputs},
                             threads, isa_named(isa));
}

// Every training step frees and asks again for the same large tensors. glibc hands them back to the
// system each time, and faulting their pages in anew costs as much as the forward pass.
bool keep_freed_memory() {
#if defined(__GLIBC__)
  // Older versions take 32 MiB at most.
  const bool asks_less =
      mallopt(M_MMAP_THRESHOLD, 1 << 30) == 1 || mallopt(M_MMAP_THRESHOLD, 1 << 25) == 1;
  return mallopt(M_TRIM_THRESHOLD, INT32_MAX) == 1 && asks_less;
#else
  return false;
#endif
}

}  // namespace

NB_MODULE(_kernels, m) {
  m.doc() = "GRU and LSTM over a window of samples, forward and backward, float32, on a CPU.";
  m.def("available_isas", &available_isas,
        "The instruction sets this machine and build have kernels for, weakest first.");
  m.def("keep_freed_memory", &keep_freed_memory,
        "Let this process keep the memory it frees, up to 1 GiB at a time, for its next use.");
  m.def("saved_size", &saved_size, "cell"_a, "batch"_a, "time"_a, "features"_a, "hidden"_a,
        "layers"_a, "outputs"_a, "threads"_a, "isa"_a, "How many floats `forward` saves for `backward`.");
  m.def("forward", &forward, "cell"_a, "x"_a, "hidden_state"_a, "cell_state"_a.none(),
        "weights"_a, "bias"_a, "readout"_a.none(), "readout_bias"_a.none(), "y"_a, "last_hidden"_a, "last_cell"_a.none(), "saved"_a.none(),
        "threads"_a, "isa"_a, "Fill y, the last states and, unless None, the saved buffer.");
  m.def("backward", &backward, "cell"_a, "x"_a, "weights"_a, "bias"_a, "readout"_a.none(),
        "readout_bias"_a.none(), "saved"_a,
        "y_gradient"_a, "last_hidden_gradient"_a, "last_cell_gradient"_a.none(),
        "x_gradient"_a.none(), "hidden_state_gradient"_a, "cell_state_gradient"_a.none(),
        "weight_gradients"_a, "readout_gradient"_a.none(), "readout_bias_gradient"_a.none(),
        "threads"_a, "isa"_a, "Fill every gradient that is not None.");
}
