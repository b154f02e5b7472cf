// What every layer means, in double precision and without a thought to speed: the whole signal at
// once, straight from the formulas in docs/artifact.md.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "graph.h"

namespace test {

using Row = std::vector<double>;
using Signals = std::vector<Row>;  // one row per channel

class Reference {
 public:
  explicit Reference(fxkit::engine::Graph graph) : graph_(std::move(graph)) {}

  Signals play(const std::vector<float>& x, const std::vector<float>& knobs) const {
    std::vector<Signals> signals{{Row(x.begin(), x.end())}, {}};
    for (const float knob : knobs) signals[1].push_back(Row(x.size(), knob));
    for (const auto& layer : graph_.layers) {
      std::vector<Signals> inputs;
      for (const std::size_t i : layer.inputs) inputs.push_back(signals[i]);
      const std::size_t period = layer.output.period;
      signals.push_back(run(layer, inputs, (x.size() + period - 1) / period));
    }
    return signals[graph_.output];
  }

 private:
  using Layer = fxkit::engine::Layer;
  using Type = fxkit::engine::LayerType;

  static Row values(const fxkit::engine::Tensor* tensor, std::size_t otherwise) {
    if (!tensor) return Row(otherwise, 0.0);
    const auto floats = tensor->floats();
    return Row(floats.begin(), floats.end());
  }

  static double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

  static double function(const Layer& layer, double x) {
    using fxkit::engine::Function;
    const auto& s = layer.settings;
    switch (layer.function) {
      case Function::tanh: return std::tanh(x);
      case Function::sigmoid: return sigmoid(x);
      case Function::relu: return std::max(x, 0.0);
      case Function::leaky_relu: return x > 0 ? x : x * s.slope;
      case Function::elu: return x > 0 ? x : s.slope * std::expm1(x);
      case Function::softplus: return x > 20 ? x : std::log1p(std::exp(x));
      case Function::hardtanh: return std::clamp<double>(x, s.low, s.high);
      case Function::leaky_hardtanh:
        return x < s.low    ? (x - s.low) * s.low_slope + s.low
               : x > s.high ? (x - s.high) * s.high_slope + s.high
                            : x;
      case Function::hardsigmoid: return std::clamp(x + 3, 0.0, 6.0) / 6;
      case Function::hardswish: return x * std::clamp(x + 3, 0.0, 6.0) / 6;
      case Function::softsign: return x / (1 + std::abs(x));
      case Function::silu: return x * sigmoid(x);
      case Function::gelu: return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
      case Function::gelu_tanh:
        return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
      case Function::sin: return std::sin(x);
    }
    return 0;
  }

  static Signals dense(const Row& weight, const Row& bias, const Signals& x) {
    Signals y(bias.size(), Row(x[0].size()));
    for (std::size_t o = 0; o < y.size(); ++o) {
      for (std::size_t t = 0; t < y[o].size(); ++t) {
        y[o][t] = bias[o];
        for (std::size_t i = 0; i < x.size(); ++i) y[o][t] += weight[o * x.size() + i] * x[i][t];
      }
    }
    return y;
  }

  static Signals recurrent(const Layer& layer, const Signals& x) {
    const bool gru = layer.type == Type::gru;
    const std::size_t hidden = layer.weight->shape[1], gates = gru ? 3 : 4, rows = gates * hidden;
    const Row ih = values(layer.weight_ih, 0), hh = values(layer.weight, 0);
    const Row bias_ih = values(layer.bias_ih, rows), bias_hh = values(layer.bias, rows);
    const Row h0 = values(layer.initial_h, hidden), c0 = values(layer.initial_c, hidden);
    Row h = h0, c = c0;
    Signals y(hidden, Row(x[0].size()));
    for (std::size_t t = 0; t < x[0].size(); ++t) {
      if (layer.reset_every && t % layer.reset_every == 0) {
        h = h0;
        c = c0;
      }
      Row a = bias_ih, b = bias_hh;
      for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t i = 0; i < x.size(); ++i) a[r] += ih[r * x.size() + i] * x[i][t];
        for (std::size_t i = 0; i < hidden; ++i) b[r] += hh[r * hidden + i] * h[i];
      }
      for (std::size_t u = 0; u < hidden; ++u) {
        const auto gate = [&](std::size_t g) { return a[g * hidden + u] + b[g * hidden + u]; };
        if (gru) {
          const double r = sigmoid(gate(0)), z = sigmoid(gate(1));
          const double n = std::tanh(a[2 * hidden + u] + r * b[2 * hidden + u]);
          h[u] = (1 - z) * n + z * h[u];
        } else {
          c[u] = sigmoid(gate(1)) * c[u] + sigmoid(gate(0)) * std::tanh(gate(2));
          h[u] = sigmoid(gate(3)) * std::tanh(c[u]);
        }
        y[u][t] = h[u];
      }
    }
    return y;
  }

  static Signals conv(const Layer& layer, const Signals& x, std::size_t frames) {
    const std::size_t outputs = layer.weight->shape[0], in = layer.weight->shape[1];
    const std::size_t taps = layer.weight->shape[2], per_group = outputs / layer.groups;
    const Row weight = values(layer.weight, 0), bias = values(layer.bias, outputs);
    Signals y(outputs, Row(frames));
    for (std::size_t o = 0; o < outputs; ++o) {
      for (std::size_t m = 0; m < frames; ++m) {
        y[o][m] = bias[o];
        for (std::size_t i = 0; i < in; ++i) {
          for (std::size_t j = 0; j < taps; ++j) {
            const std::size_t back = (taps - 1 - j) * layer.dilation;
            if (m * layer.stride < back) continue;
            y[o][m] += weight[(o * in + i) * taps + j] *
                       x[o / per_group * in + i][m * layer.stride - back];
          }
        }
      }
    }
    return y;
  }

  static Signals run(const Layer& layer, const std::vector<Signals>& inputs, std::size_t frames) {
    const Signals& x = inputs[0];
    Signals y = x;
    const auto each = [&](auto f) {
      for (std::size_t c = 0; c < y.size(); ++c) {
        for (std::size_t t = 0; t < y[c].size(); ++t) y[c][t] = f(c, t);
      }
    };
    const Row weight = values(layer.weight, 0);
    switch (layer.type) {
      case Type::gru:
      case Type::lstm: return recurrent(layer, x);
      case Type::conv: return conv(layer, x, frames);
      case Type::dense: return dense(weight, values(layer.bias, layer.weight->shape[0]), x);
      case Type::delay:
        each([&](auto c, auto t) { return t < layer.frames ? 0.0 : x[c][t - layer.frames]; });
        return y;
      case Type::downsample:
        for (auto& row : y) row.resize(frames);
        each([&](auto c, auto m) { return x[c][m * layer.factor]; });
        return y;
      case Type::upsample:
        for (auto& row : y) row.resize(frames);
        each([&](auto c, auto m) {
          return layer.zeros && m % layer.factor ? 0.0 : x[c][m / layer.factor];
        });
        return y;
      case Type::activation:
        each([&](auto c, auto t) { return function(layer, x[c][t]); });
        return y;
      case Type::prelu:
        each([&](auto c, auto t) { return x[c][t] > 0 ? x[c][t] : weight[c] * x[c][t]; });
        return y;
      case Type::gain: {
        const Row bias = values(layer.bias, x.size());
        each([&](auto c, auto t) { return weight[c] * x[c][t] + bias[c]; });
        return y;
      }
      case Type::add:
      case Type::multiply:
        for (std::size_t i = 1; i < inputs.size(); ++i) {
          each([&](auto c, auto t) {
            return layer.type == Type::add ? y[c][t] + inputs[i][c][t] : y[c][t] * inputs[i][c][t];
          });
        }
        return y;
      case Type::concat:
        for (std::size_t i = 1; i < inputs.size(); ++i) {
          y.insert(y.end(), inputs[i].begin(), inputs[i].end());
        }
        return y;
      case Type::film: {
        const Signals both = dense(weight, values(layer.bias, 2 * x.size()), inputs[1]);
        each([&](auto c, auto t) { return both[c][t] * x[c][t] + both[x.size() + c][t]; });
        return y;
      }
      case Type::slice:
        return Signals(x.begin() + static_cast<std::ptrdiff_t>(layer.start),
                       x.begin() + static_cast<std::ptrdiff_t>(layer.stop));
    }
    return y;
  }

  fxkit::engine::Graph graph_;
};

}  // namespace test
