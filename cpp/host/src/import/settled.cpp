#include "settled.h"

#include <algorithm>
#include <cmath>

namespace fxkit::host::imports {
namespace {

double setting(const std::vector<Setting>& settings, const char* name) {
  for (const Setting& s : settings) {
    if (s.name == name) return s.value;
  }
  return 0;
}

// The functions of docs/artifact.md that a .nam file can ask for, in double precision.
double apply(const std::string& function, const std::vector<Setting>& settings, double x) {
  if (function == "tanh") return std::tanh(x);
  if (function == "sigmoid") return 1 / (1 + std::exp(-x));
  if (function == "silu") return x / (1 + std::exp(-x));
  if (function == "relu") return std::max(x, 0.0);
  if (function == "leaky_relu") return x > 0 ? x : setting(settings, "slope") * x;
  if (function == "hardtanh") return std::clamp(x, -1.0, 1.0);
  if (function == "hardswish") return x * std::clamp(x / 6 + 0.5, 0.0, 1.0);
  if (function == "softsign") return x / (1 + std::abs(x));
  // leaky_hardtanh
  const double low = setting(settings, "low"), high = setting(settings, "high");
  if (x < low) return low + setting(settings, "low_slope") * (x - low);
  if (x > high) return high + setting(settings, "high_slope") * (x - high);
  return x;
}

}  // namespace

Settling SettledGraph::conv(Settling x, const Convolution& c, bool relative) {
  if (c.taps > 1) x = made_relative(std::move(x));
  const std::size_t width = x.channels() / c.groups, height = c.outputs / c.groups;
  std::vector<double> silence(c.outputs), folded(c.outputs);
  bool needed = !c.bias.empty();
  for (std::size_t o = 0; o < c.outputs; ++o) {
    double constant = 0;
    const std::size_t first = o / height * width;
    for (std::size_t i = 0; i < width; ++i) {
      for (std::size_t j = 0; j < c.taps; ++j) {
        constant += c.weight[(o * width + i) * c.taps + j] * x.silence[first + i];
      }
    }
    const double offset = c.bias.empty() ? 0 : c.bias[o];
    silence[o] = constant + offset;
    folded[o] = x.relative ? offset + constant : offset;
    if (relative) folded[o] -= silence[o];
    needed = needed || folded[o] != 0;
  }
  const auto weight = file_.tensor({c.outputs, width, c.taps}, c.weight);
  const auto bias = needed ? file_.tensor({c.outputs}, folded) : std::string();
  auto node = file_.layer("conv", {x.node}, {{"weight", weight}, {"bias", bias}},
                          {{"dilation", static_cast<double>(c.dilation)},
                           {"groups", static_cast<double>(c.groups)}});
  return {std::move(node), std::move(silence), relative};
}

Settling SettledGraph::add(const std::vector<Settling>& signals) {
  if (signals.size() == 1) return signals[0];
  std::vector<std::string> nodes;
  std::vector<double> silence(signals[0].channels(), 0);
  for (const Settling& signal : signals) {
    nodes.push_back(signal.node);
    for (std::size_t c = 0; c < silence.size(); ++c) silence[c] += signal.silence[c];
  }
  return {file_.layer("add", nodes, {}), std::move(silence), signals[0].relative};
}

Settling SettledGraph::multiply(const Settling& a, const Settling& b) {
  std::vector<double> silence(a.channels());
  for (std::size_t c = 0; c < silence.size(); ++c) silence[c] = a.silence[c] * b.silence[c];
  return {file_.layer("multiply", {a.node, b.node}, {}), std::move(silence), false};
}

Settling SettledGraph::activation(const Settling& x, const std::string& function,
                                  const std::vector<Setting>& settings) {
  std::vector<double> silence = x.silence;
  for (double& value : silence) value = apply(function, settings, value);
  return {file_.layer("activation", {x.node}, {{"function", function}}, settings),
          std::move(silence), false};
}

Settling SettledGraph::prelu(const Settling& x, std::vector<double> slopes) {
  slopes.resize(x.channels(), slopes[0]);
  std::vector<double> silence = x.silence;
  for (std::size_t c = 0; c < silence.size(); ++c) {
    if (silence[c] <= 0) silence[c] *= slopes[c];
  }
  return {file_.layer("prelu", {x.node}, {{"weight", file_.tensor({slopes.size()}, slopes)}}),
          std::move(silence), false};
}

Settling SettledGraph::slice(const Settling& x, std::size_t start, std::size_t stop) {
  const auto at = [&](std::size_t i) { return x.silence.begin() + static_cast<std::ptrdiff_t>(i); };
  return {file_.layer("slice", {x.node}, {},
                      {{"start", static_cast<double>(start)}, {"stop", static_cast<double>(stop)}}),
          std::vector<double>(at(start), at(stop)), x.relative};
}

Settling SettledGraph::gain(const Settling& x, double factor) {
  const std::vector<double> weight(x.channels(), factor);
  std::vector<double> silence = x.silence;
  for (double& value : silence) value *= factor;
  return {file_.layer("gain", {x.node}, {{"weight", file_.tensor({weight.size()}, weight)}}),
          std::move(silence), x.relative};
}

std::string SettledGraph::finish(const Settling& y, std::size_t sample_rate) const {
  return file_.bytes(y.node, sample_rate, 0);
}

Settling SettledGraph::made_relative(Settling x) {
  if (x.relative) return x;
  const std::vector<double> ones(x.channels(), 1);
  std::vector<double> away = x.silence;
  for (double& value : away) value = -value;
  x.node = file_.layer("gain", {x.node}, {{"weight", file_.tensor({ones.size()}, ones)},
                                          {"bias", file_.tensor({away.size()}, away)}});
  x.relative = true;
  return x;
}

}  // namespace fxkit::host::imports
