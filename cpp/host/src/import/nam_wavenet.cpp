// The WaveNet of a .nam file, in the form of 0.5 (one kernel size) and of 0.7 (one per layer).
//
// Weights, per layer array: the rechannelling (no bias); per layer a dilated convolution
// [out][in][tap] and its bias, the input mixin (no bias), the 1x1 and its bias, the head's 1x1 and its
// bias if there is one; the array's head, with a bias if it says so. Then the convolutions of the
// head behind the arrays, if any. The last number is the head's scale.
#include <algorithm>
#include <array>

#include "error.h"
#include "nam.h"
#include "settled.h"

namespace fxkit::host::imports {
namespace {

using engine::LoadError;
using engine::quoted;

constexpr std::size_t max_width = 4096, max_taps = 1 << 16, max_dilation = 1 << 16;
constexpr std::size_t max_groups = 4096;

constexpr std::string_view films[] = {
    "conv_pre_film",        "conv_post_film",      "input_mixin_pre_film", "input_mixin_post_film",
    "activation_pre_film",  "activation_post_film", "layer1x1_post_film",   "head1x1_post_film"};

constexpr std::array<std::string_view, 2> functions[] = {
    {"Tanh", "tanh"},           {"Hardtanh", "hardtanh"},   {"ReLU", "relu"},
    {"LeakyReLU", "leaky_relu"}, {"Sigmoid", "sigmoid"},     {"SiLU", "silu"},
    {"Hardswish", "hardswish"}, {"Softsign", "softsign"},   {"LeakyHardtanh", "leaky_hardtanh"},
    {"LeakyHardTanh", "leaky_hardtanh"}};

std::string text(std::size_t number) { return std::to_string(number); }

// The flat list, taken from the front.
class Weights {
 public:
  explicit Weights(const Numbers& values) : values_(values) {}

  Numbers take(std::size_t a, std::size_t b = 1, std::size_t c = 1) {
    std::size_t size = 0;
    if (__builtin_mul_overflow(a, b, &size) || __builtin_mul_overflow(size, c, &size) ||
        size > values_.size() - place_) {
      throw LoadError("weights has " + text(values_.size()) + " numbers, the layers need more");
    }
    Numbers taken(size);
    // As the players of these files keep them.
    for (double& value : taken) value = static_cast<float>(values_[place_++]);
    return taken;
  }

  double last() const { return static_cast<float>(values_.back()); }

  void end() const {
    if (place_ != values_.size()) {
      throw LoadError("weights has " + text(values_.size()) + " numbers, the layers need " + text(place_));
    }
  }

 private:
  const Numbers& values_;
  std::size_t place_ = 0;
};

// An activation that is given by name, or as an object with settings.
Settling activate(SettledGraph& g, const Settling& x, const Value* value, const std::string& where) {
  const auto* name = value ? value->as<std::string>() : nullptr;
  const auto* entries = value ? value->as<Entries>() : nullptr;
  if (!name && !entries) throw LoadError(where + " must be a text or an object");
  const Section config = entries ? Section(*entries, where) : Section::none(where);
  const std::string kind = name ? *name : config.text("type");
  if (kind == "PReLU") {
    Numbers slopes{config.number("negative_slope", 0.01)};
    if (config.has("negative_slopes")) slopes = config.numbers("negative_slopes");
    if (slopes.size() != 1 && slopes.size() != x.channels()) {
      throw LoadError(where + ": " + text(slopes.size()) + " slopes for " + text(x.channels()) + " channels");
    }
    for (double& slope : slopes) slope = static_cast<float>(slope);
    return g.prelu(x, std::move(slopes));
  }
  const auto* found = std::find_if(std::begin(functions), std::end(functions),
                                   [&](const auto& pair) { return pair[0] == kind; });
  if (found == std::end(functions)) {
    throw LoadError(where + ": activation " + quoted(kind) + " is not known here");
  }
  if (kind == "Softsign" && config.number("alpha", 1) != 1) {
    throw LoadError(where + ": Softsign with an alpha other than 1 is not known here");
  }
  const std::string function((*found)[1]);
  std::vector<Setting> settings;
  if (function == "leaky_relu") settings = {{"slope", config.number("negative_slope", 0.01)}};
  if (function == "leaky_hardtanh") {
    settings = {{"low", config.number("min_val", -1)},
                {"high", config.number("max_val", 1)},
                {"low_slope", config.number("min_slope", 0.01)},
                {"high_slope", config.number("max_slope", 0.01)}};
  }
  return g.activation(x, function, settings);
}

// One layer array: a stack of dilated convolutions of one width.
class Array {
 public:
  Array(const Section& config, SettledGraph& g, Weights& weights)
      : config_(config), g_(g), weights_(weights) {
    inputs_ = config.whole("input_size", 1, max_width);
    config.whole("condition_size", 1, 1);
    channels_ = config.whole("channels", 1, max_width);
    bottleneck_ = config.whole("bottleneck", 1, max_width, channels_);
    groups_ = config.whole("groups_input", 1, max_groups, 1);
    config.whole("groups_input_mixin", 1, 1, 1);
    dilations_ = config.wholes("dilations", 1, max_dilation);
    read_kernels();
    read_gates();
    if (config.has("slimmable")) {
      throw LoadError(config.name("slimmable") + ": slimming by slices is not known here");
    }
    for (const std::string_view film : films) {
      const Value* value = config.find(film);
      if (!value || (value->as<bool>() && !*value->as<bool>())) continue;
      if (config.section(film).flag("active", true)) {
        throw LoadError(config.name(film) + " is active: not known here");
      }
    }
  }

  // Adds the array; `h` becomes what goes to the next one, `head` what goes to the next head.
  void add(Settling& h, std::optional<Settling>& head) {
    if (h.channels() != inputs_) {
      throw LoadError(config_.name("input_size") + " is " + text(inputs_) + ", but " +
                      text(h.channels()) + " channels come in");
    }
    h = g_.conv(h, {.outputs = channels_, .weight = weights_.take(channels_, inputs_), .bias = {}}, true);
    std::vector<Settling> total;
    if (head) total.push_back(std::move(*head));
    for (std::size_t i = 0; i < dilations_.size(); ++i) add_layer(i, h, total);
    if (total.front().channels() != total.back().channels()) {
      throw LoadError(config_.where() + ": " + text(total.front().channels()) +
                      " channels come from the head before, its layers give " +
                      text(total.back().channels()));
    }
    head = add_head(g_.add(total));
  }

 private:
  void add_layer(std::size_t i, Settling& h, std::vector<Settling>& total) {
    const std::size_t rows = bottleneck_ * (gated_[i] ? 2 : 1);
    Settling z = conv(h, rows, kernels_[i], dilations_[i], groups_, true, false);
    z = g_.add({z, g_.conv(g_.x(), {.outputs = rows, .weight = weights_.take(rows), .bias = {}})});
    z = apply(z, i);
    const Section residual = config_.section_or_none("layer1x1");
    const Section skip = config_.section_or_none("head1x1");
    Settling next = h;
    if (!config_.has("layer1x1") || residual.flag("active")) {
      const std::size_t groups = residual.whole("groups", 1, max_groups, 1);
      next = g_.add({h, conv(z, channels_, 1, 1, groups, true, true)});
    }
    if (config_.has("head1x1") && skip.flag("active")) {
      const std::size_t outputs = skip.whole("out_channels", 1, max_width);
      z = conv(z, outputs, 1, 1, skip.whole("groups", 1, max_groups, 1), true, false);
    }
    total.push_back(std::move(z));
    h = std::move(next);
  }

  Settling add_head(const Settling& total) {
    if (config_.has("head")) {
      const Section head = config_.section("head");
      const std::size_t outputs = head.whole("out_channels", 1, max_width);
      const std::size_t taps = head.whole("kernel_size", 1, max_taps);
      return conv(total, outputs, taps, 1, 1, head.flag("bias"), false);
    }
    const std::size_t outputs = config_.whole("head_size", 1, max_width);
    return conv(total, outputs, 1, 1, 1, config_.flag("head_bias"), false);
  }

  Settling conv(const Settling& x, std::size_t outputs, std::size_t taps, std::size_t dilation,
                std::size_t groups, bool bias, bool relative) {
    if (x.channels() % groups != 0 || outputs % groups != 0) {
      throw LoadError(config_.where() + ": " + text(x.channels()) + " and " + text(outputs) +
                      " channels cannot be cut into " + text(groups) + " groups");
    }
    Convolution c{.outputs = outputs, .taps = taps, .dilation = dilation, .groups = groups,
                  .weight = weights_.take(outputs, x.channels() / groups, taps), .bias = {}};
    if (bias) c.bias = weights_.take(outputs);
    return g_.conv(x, c, relative);
  }

  Settling apply(const Settling& z, std::size_t i) {
    static const Value tanh{std::string("Tanh")}, sigmoid{std::string("Sigmoid")};
    const std::string where = config_.name("activation") + "[" + text(i) + "]";
    const Value* first = of_layer("activation", i);
    if (!first) first = &tanh;
    if (!gated_[i]) return activate(g_, z, first, where);
    const Value* second = of_layer("secondary_activation", i);
    const auto* name = second ? second->as<std::string>() : nullptr;
    if (!second || second->null() || (name && name->empty())) second = &sigmoid;
    return g_.multiply(activate(g_, g_.slice(z, 0, bottleneck_), first, where),
                       activate(g_, g_.slice(z, bottleneck_, 2 * bottleneck_), second, where));
  }

  // A setting that is one for all layers, or one for each.
  const Value* of_layer(std::string_view key, std::size_t i) const {
    const Value* value = config_.find(key);
    const auto* items = value ? value->as<Items>() : nullptr;
    if (!items) return value;
    check_count(key, items->size());
    return &(*items)[i];
  }

  void check_count(std::string_view key, std::size_t count) const {
    if (count != dilations_.size()) {
      throw LoadError(config_.name(key) + " has " + text(count) + " entries for " +
                      text(dilations_.size()) + " dilations");
    }
  }

  void read_kernels() {
    if (config_.has("kernel_sizes")) {
      kernels_ = config_.wholes("kernel_sizes", 1, max_taps);
      check_count("kernel_sizes", kernels_.size());
    } else {
      kernels_.assign(dilations_.size(), config_.whole("kernel_size", 1, max_taps));
    }
  }

  void read_gates() {
    gated_.assign(dilations_.size(), false);
    if (!config_.has("gating_mode")) {
      gated_.assign(dilations_.size(), config_.flag("gated", false));
      return;
    }
    for (std::size_t i = 0; i < dilations_.size(); ++i) {
      const Value* value = of_layer("gating_mode", i);
      const auto* mode = value->as<std::string>();
      if (!mode || (*mode != "none" && *mode != "gated")) {
        throw LoadError(config_.name("gating_mode") + " " + said(*value) +
                        " is not known here, only none and gated");
      }
      gated_[i] = *mode == "gated";
    }
  }

  Section config_;
  SettledGraph& g_;
  Weights& weights_;
  std::size_t inputs_ = 0, channels_ = 0, bottleneck_ = 0, groups_ = 0;
  std::vector<std::size_t> dilations_, kernels_;
  std::vector<bool> gated_;
};

// The head behind the arrays: an activation before each of its convolutions.
Settling add_post_head(const Section& config, SettledGraph& g, Settling x, Weights& weights) {
  config.whole("in_channels", x.channels(), x.channels(), x.channels());
  const auto taps = config.wholes("kernel_sizes", 1, max_taps);
  const std::size_t width = config.whole("channels", 1, max_width);
  const std::size_t last = config.whole("out_channels", 1, max_width);
  for (std::size_t i = 0; i < taps.size(); ++i) {
    const std::size_t outputs = i + 1 == taps.size() ? last : width;
    x = activate(g, x, config.find("activation"), config.name("activation"));
    Convolution c{.outputs = outputs, .taps = taps[i], .weight = {}, .bias = {}};
    c.weight = weights.take(outputs, x.channels(), taps[i]);
    c.bias = weights.take(outputs);
    x = g.conv(std::move(x), c);
  }
  return x;
}

}  // namespace

std::string read_nam_wavenet(const Section& config, const Numbers& numbers,
                             std::size_t sample_rate) {
  if (config.has("condition_dsp")) {
    throw LoadError("config.condition_dsp: a model inside the model is not known here");
  }
  config.whole("in_channels", 1, 1, 1);
  Weights weights(numbers);
  SettledGraph g;
  Settling h = g.x();
  std::optional<Settling> head;
  for (const Section& array : config.sections("layers")) Array(array, g, weights).add(h, head);
  // The scale comes last in the file but acts before the head behind the arrays.
  Settling y = g.gain(*head, weights.last());
  if (config.has("head")) y = add_post_head(config.section("head"), g, std::move(y), weights);
  weights.take(1);
  weights.end();
  if (y.channels() != 1) {
    throw LoadError("the WaveNet has " + text(y.channels()) + " outputs, only 1 can be played");
  }
  return g.finish(y, sample_rate);
}

}  // namespace fxkit::host::imports
