// The training kernels against the textbook formulas in double precision: values exactly, gradients
// by central differences. Needs nothing but the library, so that it also runs under sanitizers and
// in an emulator; the Python tests compare with PyTorch.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <random>
#include <vector>

#include "fxkit/kernels/recurrent.h"

namespace {

using namespace fxkit::kernels;
using std::size_t;
using Doubles = std::vector<double>;
using Floats = std::vector<float>;

struct Problem {
  Cell cell;
  Shape shape;
  Doubles values;   // every leaf: x, h, c (LSTM), per layer the four weights, the readout's two
  Doubles weights;  // of the loss: y, last h, last c

  size_t gates() const { return cell == Cell::gru ? 3 : 4; }
  size_t states() const { return cell == Cell::gru ? 1 : 2; }
  size_t input(size_t layer) const { return layer == 0 ? shape.input : shape.hidden; }
  size_t x_size() const { return shape.batch * shape.time * shape.input; }
  size_t y_size() const { return shape.batch * shape.time * shape.width(); }
  size_t state_size() const { return shape.layers * shape.batch * shape.hidden; }
  size_t layer_at(size_t layer) const {
    size_t at = x_size() + states() * state_size();
    for (size_t l = 0; l < layer; ++l) {
      at += gates() * shape.hidden * (input(l) + shape.hidden + 2);
    }
    return at;
  }
};

Problem make(Cell cell, const Shape& shape) {
  Problem problem{cell, shape, {}, {}};
  std::mt19937 random(static_cast<unsigned>(shape.batch * 31 + shape.hidden));
  std::normal_distribution<double> normal;
  const auto draw = [&](Doubles& into, size_t count, double scale) {
    // Rounded to float, so that both sides see the same numbers.
    for (size_t i = 0; i < count; ++i) into.push_back(static_cast<float>(scale * normal(random)));
  };
  draw(problem.values, problem.x_size(), 1.0);
  draw(problem.values, problem.states() * problem.state_size(), 0.5);
  const size_t read = shape.outputs * (shape.hidden + 1);
  draw(problem.values, problem.layer_at(shape.layers) + read - problem.values.size(),
       0.7 / std::sqrt(static_cast<double>(shape.hidden)));
  draw(problem.weights, problem.y_size() + problem.states() * problem.state_size(), 1.0);
  return problem;
}

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

// y, last h, last c of the formulas, in double.
Doubles reference(const Problem& p, const Doubles& values) {
  const size_t batch = p.shape.batch, time = p.shape.time, input = p.shape.input;
  const size_t hidden = p.shape.hidden, layers = p.shape.layers;
  Doubles out(p.y_size());
  Doubles last_h(p.state_size());
  Doubles last_c(p.states() == 2 ? p.state_size() : 0);
  for (size_t b = 0; b < batch; ++b) {
    Doubles fed(values.begin() + static_cast<long>(b * time * input),
                values.begin() + static_cast<long>((b + 1) * time * input));
    for (size_t layer = 0; layer < layers; ++layer) {
      const size_t width = p.input(layer);
      const size_t state_at = (layer * batch + b) * hidden;
      const double* state = values.data() + p.x_size() + state_at;
      Doubles h(state, state + hidden);
      Doubles c(hidden);
      if (p.states() == 2) std::copy_n(state + p.state_size(), hidden, c.begin());
      const double* w = values.data() + p.layer_at(layer);
      const double* u = w + p.gates() * hidden * width;
      const double* wb = u + p.gates() * hidden * hidden;
      const double* ub = wb + p.gates() * hidden;
      Doubles next;
      for (size_t t = 0; t < time; ++t) {
        Doubles from_input(p.gates() * hidden), from_state(p.gates() * hidden);
        for (size_t row = 0; row < p.gates() * hidden; ++row) {
          from_input[row] = wb[row];
          from_state[row] = ub[row];
          for (size_t k = 0; k < width; ++k) {
            from_input[row] += w[row * width + k] * fed[t * width + k];
          }
          for (size_t k = 0; k < hidden; ++k) from_state[row] += u[row * hidden + k] * h[k];
        }
        for (size_t j = 0; j < hidden; ++j) {
          const auto gate = [&](size_t g) {
            return from_input[g * hidden + j] + from_state[g * hidden + j];
          };
          if (p.cell == Cell::gru) {
            const double r = sigmoid(gate(0)), z = sigmoid(gate(1));
            const double n =
                std::tanh(from_input[2 * hidden + j] + r * from_state[2 * hidden + j]);
            h[j] = (1 - z) * n + z * h[j];
          } else {
            c[j] = sigmoid(gate(1)) * c[j] + sigmoid(gate(0)) * std::tanh(gate(2));
            h[j] = sigmoid(gate(3)) * std::tanh(c[j]);
          }
        }
        next.insert(next.end(), h.begin(), h.end());
      }
      fed = next;
      std::copy(h.begin(), h.end(), last_h.begin() + static_cast<long>(state_at));
      if (p.states() == 2) {
        std::copy(c.begin(), c.end(), last_c.begin() + static_cast<long>(state_at));
      }
    }
    if (p.shape.outputs) {
      const double* w = values.data() + p.layer_at(layers);
      Doubles read;
      for (size_t t = 0; t < time; ++t) {
        for (size_t o = 0; o < p.shape.outputs; ++o) {
          double y = w[p.shape.outputs * hidden + o];
          for (size_t u = 0; u < hidden; ++u) y += w[o * hidden + u] * fed[t * hidden + u];
          read.push_back(y);
        }
      }
      fed = read;
    }
    std::copy(fed.begin(), fed.end(), out.begin() + static_cast<long>(b * time * p.shape.width()));
  }
  out.insert(out.end(), last_h.begin(), last_h.end());
  out.insert(out.end(), last_c.begin(), last_c.end());
  return out;
}

double loss(const Problem& p, const Doubles& values) {
  const Doubles out = reference(p, values);
  double total = 0;
  for (size_t i = 0; i < out.size(); ++i) total += out[i] * p.weights[i];
  return total;
}

struct Solution {
  Floats outputs, gradients;
};

Solution solve(const Problem& p, int threads, Isa isa, bool keep) {
  const Floats values(p.values.begin(), p.values.end());
  const Floats wanted(p.weights.begin(), p.weights.end());
  Solution s{Floats(wanted.size()), Floats(values.size())};
  const bool lstm = p.states() == 2;
  const size_t state = p.state_size();
  std::vector<Weights> weights;
  std::vector<WeightGradients> gradients;
  for (size_t layer = 0; layer < p.shape.layers; ++layer) {
    const size_t at = p.layer_at(layer), rows = p.gates() * p.shape.hidden;
    const size_t u = at + rows * p.input(layer), b = u + rows * p.shape.hidden;
    const float* v = values.data();
    float* g = s.gradients.data();
    weights.push_back({v + at, v + u, v + b, v + b + rows});
    gradients.push_back({g + at, g + u, g + b, g + b + rows});
  }
  Readout readout;
  ReadoutGradients readout_gradients;
  if (p.shape.outputs) {
    const size_t at = p.layer_at(p.shape.layers), bias = at + p.shape.outputs * p.shape.hidden;
    readout = {values.data() + at, values.data() + bias};
    readout_gradients = {s.gradients.data() + at, s.gradients.data() + bias};
  }
  // Exactly as long as asked for, so that a sanitizer sees one step too far.
  const size_t size = saved_size(p.cell, p.shape, threads, isa);
  const auto free_aligned = [](float* f) { ::operator delete[](f, std::align_val_t{64}); };
  const std::unique_ptr<float[], decltype(free_aligned)> saved(
      static_cast<float*>(::operator new[](size * sizeof(float), std::align_val_t{64})),
      free_aligned);
  const float* h = values.data() + p.x_size();
  float* last = s.outputs.data() + p.y_size();
  forward(p.cell, p.shape,
          {values.data(), h, lstm ? h + state : nullptr, weights, s.outputs.data(), last,
           lstm ? last + state : nullptr, keep ? saved.get() : nullptr, readout},
          threads, isa);
  if (!keep) return s;
  const float* dlast = wanted.data() + p.y_size();
  float* dh = s.gradients.data() + p.x_size();
  backward(p.cell, p.shape,
           {values.data(), weights, saved.get(), wanted.data(), dlast,
            lstm ? dlast + state : nullptr, s.gradients.data(), dh, lstm ? dh + state : nullptr,
            gradients, readout, readout_gradients},
           threads, isa);
  return s;
}

int failures = 0;

void expect(bool fine, const Problem& p, Isa isa, int threads, const char* what, double error) {
  if (fine) return;
  ++failures;
  std::printf("FAILED %s %.*s batch %zu time %zu input %zu hidden %zu layers %zu threads %d: "
              "%s, error %g\n",
              p.cell == Cell::gru ? "gru" : "lstm", static_cast<int>(name(isa).size()),
              name(isa).data(), p.shape.batch, p.shape.time, p.shape.input, p.shape.hidden,
              p.shape.layers, threads, what, error);
}

void check(const Problem& p) {
  const Doubles expected = reference(p, p.values);
  // A sample of the leaves, the same share of all kinds.
  std::vector<size_t> leaves;
  const size_t stride = std::max<size_t>(1, p.values.size() / 97);
  for (size_t i = 0; i < p.values.size(); i += stride) leaves.push_back(i);
  Doubles slopes;
  double scale = 0;
  for (const size_t i : leaves) {
    Doubles ahead = p.values, behind = p.values;
    ahead[i] += 1e-5;
    behind[i] -= 1e-5;
    slopes.push_back((loss(p, ahead) - loss(p, behind)) / 2e-5);
    scale = std::max(scale, std::abs(slopes.back()));
  }
  for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512}) {
    if (!available(isa)) continue;
    for (const int threads : {1, 3}) {
      const Solution s = solve(p, threads, isa, true);
      double worst = 0;
      for (size_t i = 0; i < expected.size(); ++i) {
        worst = std::max(worst, std::abs(expected[i] - s.outputs[i]));
      }
      expect(worst < 2e-6, p, isa, threads, "outputs", worst);
      expect(solve(p, threads, isa, false).outputs == s.outputs, p, isa, threads,
             "outputs without saving", 0);
      worst = 0;
      for (size_t i = 0; i < leaves.size(); ++i) {
        worst = std::max(worst, std::abs(slopes[i] - s.gradients[leaves[i]]));
      }
      expect(worst < 1e-5 * scale, p, isa, threads, "gradients", worst / scale);
    }
  }
}

}  // namespace

int main() {
  const Shape shapes[] = {{1, 1, 1, 1, 1},  {3, 9, 4, 7, 2},  {33, 5, 1, 16, 1}, {5, 70, 1, 3, 1},
                          {2, 70, 9, 2, 2}, {9, 4, 1, 48, 1}, {17, 6, 2, 13, 3},
                          {33, 5, 1, 16, 1, 1}, {3, 9, 4, 7, 2, 3}, {1, 1, 1, 1, 1, 1}};
  for (const Cell cell : {Cell::gru, Cell::lstm}) {
    for (const Shape& shape : shapes) check(make(cell, shape));
  }
  std::printf("%s\n", failures == 0 ? "all right" : "failed");
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
