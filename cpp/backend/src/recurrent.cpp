// The operators fxkit_program::gru and ::lstm: one layer, one direction, on the engine's kernels.
//
// ExecuTorch has no recurrent layers and would run each step as a dozen operators. Packing the
// weights anew for every window costs about as much as one step.
#include <algorithm>
#include <array>
#include <memory>

#include <executorch/extension/kernel_util/make_boxed_from_unboxed_functor.h>
#include <executorch/runtime/kernel/kernel_includes.h>

#include "kernels.h"
#include "memory.h"

namespace fxkit::executorch_backend {
namespace {

using executorch::aten::Tensor;
using executorch::runtime::KernelRuntimeContext;

constexpr std::size_t block = 64;  // frames that are turned into rows at once
constexpr std::size_t line = 64;   // bytes

std::size_t extent(const Tensor& tensor, ssize_t dim) {
  return static_cast<std::size_t>(tensor.size(dim));
}

bool is(const Tensor& tensor, std::initializer_list<std::size_t> sizes) {
  if (tensor.scalar_type() != executorch::aten::ScalarType::Float ||
      static_cast<std::size_t>(tensor.dim()) != sizes.size()) {
    return false;
  }
  ssize_t dim = 0;
  for (const std::size_t size : sizes) {
    if (extent(tensor, dim++) != size) return false;
  }
  return executorch::runtime::tensor_is_default_dim_order(tensor);
}

// Zeros that last until the program has run; null where there is no memory.
float* zeros(KernelRuntimeContext& context, std::size_t count) {
  auto memory = context.allocate_temp(count * sizeof(float), line);
  if (!memory.ok()) return nullptr;
  auto* floats = static_cast<float*>(memory.get());
  std::fill_n(floats, count, 0.0f);
  return floats;
}

struct Layer {
  const Tensor &x, &h;
  const Tensor* c;  // the LSTM's
  const Tensor &weight_ih, &weight_hh, &bias_ih, &bias_hh;
};

// x [B, T, F], h (and c) [B, H]; out [B, T, H], of an LSTM [B, T + 1, H] with the last cell state at
// its end. `gates` is 3 or 4.
bool play(KernelRuntimeContext& context, const Layer& layer, std::size_t gates, Tensor& out) {
  if (layer.x.dim() != 3 || layer.h.dim() != 2) return false;
  const std::size_t batch = extent(layer.x, 0), time = extent(layer.x, 1);
  const std::size_t inputs = extent(layer.x, 2), hidden = extent(layer.h, 1);
  const std::size_t rows_out = time + (layer.c != nullptr ? 1 : 0);
  if (batch < 1 || batch > 64 || inputs < 1 || hidden < 1 || !is(layer.x, {batch, time, inputs}) ||
      !is(layer.h, {batch, hidden}) || (layer.c != nullptr && !is(*layer.c, {batch, hidden})) ||
      !is(layer.weight_ih, {gates * hidden, inputs}) ||
      !is(layer.weight_hh, {gates * hidden, hidden}) || !is(layer.bias_ih, {gates * hidden}) ||
      !is(layer.bias_hh, {gates * hidden}) || !is(out, {batch, rows_out, hidden})) {
    return false;
  }
  const auto& table = engine::kernels_for(kernels::best_isa());
  const engine::RecurrentKernels& recurrent = layer.c != nullptr ? table.lstm : table.gru;
  const std::size_t units = recurrent.units(hidden);
  float* const matrix = zeros(context, recurrent.matrix_size(hidden));
  float* const input = zeros(context, recurrent.input_size(inputs, hidden));
  float* const scratch = zeros(context, recurrent.scratch_size(hidden));
  float* const x = zeros(context, inputs * batch * block);
  float* const y = zeros(context, units * batch * block);
  float* const h = zeros(context, batch * units);
  float* const c = zeros(context, batch * units);
  if (!matrix || !input || !scratch || !x || !y || !h || !c) return false;
  recurrent.pack_matrix(layer.weight_hh.const_data_ptr<float>(), hidden, matrix);
  recurrent.pack_input(layer.weight_ih.const_data_ptr<float>(), layer.bias_ih.const_data_ptr<float>(),
                       layer.bias_hh.const_data_ptr<float>(), inputs, hidden, input);
  for (std::size_t b = 0; b < batch; ++b) {
    std::copy_n(layer.h.const_data_ptr<float>() + b * hidden, hidden, h + b * units);
    if (layer.c) std::copy_n(layer.c->const_data_ptr<float>() + b * hidden, hidden, c + b * units);
  }
  const float* const from = layer.x.const_data_ptr<float>();
  float* const to = out.mutable_data_ptr<float>();
  bool backwards = false;
  for (std::size_t start = 0; start < time; start += block) {
    const std::size_t frames = std::min(block, time - start);
    for (std::size_t b = 0; b < batch; ++b) {
      for (std::size_t t = 0; t < frames; ++t) {
        for (std::size_t i = 0; i < inputs; ++i) {
          x[(i * batch + b) * block + t] = from[(b * time + start + t) * inputs + i];
        }
      }
    }
    recurrent.run({{matrix, input, inputs, hidden}, batch, frames, x, block, y, block, block, h, c,
                   &backwards, scratch});
    for (std::size_t b = 0; b < batch; ++b) {
      for (std::size_t t = 0; t < frames; ++t) {
        for (std::size_t u = 0; u < hidden; ++u) {
          to[(b * rows_out + start + t) * hidden + u] = y[(u * batch + b) * block + t];
        }
      }
    }
  }
  if (layer.c) {
    for (std::size_t b = 0; b < batch; ++b) {
      std::copy_n(c + b * units, hidden, to + (b * rows_out + time) * hidden);
    }
  }
  return true;
}

Tensor& gru_out(KernelRuntimeContext& context, const Tensor& x, const Tensor& h,
                const Tensor& weight_ih, const Tensor& weight_hh, const Tensor& bias_ih,
                const Tensor& bias_hh, Tensor& out) {
  if (!play(context, {x, h, nullptr, weight_ih, weight_hh, bias_ih, bias_hh}, 3, out)) {
    context.fail(executorch::runtime::Error::InvalidArgument);
  }
  return out;
}

Tensor& lstm_out(KernelRuntimeContext& context, const Tensor& x, const Tensor& h, const Tensor& c,
                 const Tensor& weight_ih, const Tensor& weight_hh, const Tensor& bias_ih,
                 const Tensor& bias_hh, Tensor& out) {
  if (!play(context, {x, h, &c, weight_ih, weight_hh, bias_ih, bias_hh}, 4, out)) {
    context.fail(executorch::runtime::Error::InvalidArgument);
  }
  return out;
}

EXECUTORCH_LIBRARY(fxkit_program, "gru.out", gru_out);
EXECUTORCH_LIBRARY(fxkit_program, "lstm.out", lstm_out);

}  // namespace
}  // namespace fxkit::executorch_backend
