#include "check_layer.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "error.h"

namespace fxkit::engine {
namespace {

// A product that no file can make small again by overflow.
std::size_t times(std::size_t a, std::size_t b) {
  std::size_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? SIZE_MAX : product;
}

constexpr std::size_t any = SIZE_MAX;

std::string shape_text(const std::vector<std::size_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < std::min<std::size_t>(shape.size(), 6); ++i) {
    if (i > 0) text += ", ";
    text += shape[i] == any ? "any" : std::to_string(shape[i]);
  }
  return text + (shape.size() > 6 ? ", ...]" : "]");
}

using Signals = std::vector<Signal>;

// One function per type; each returns how many numbers the layer remembers.
class Check {
 public:
  Check(LayerFields& fields, const Signals& inputs, Layer& layer)
      : fields_(fields), inputs_(inputs), layer_(layer) {}

  std::size_t recurrent(std::size_t gates, std::size_t memories) {
    const Signal x = one_input();
    layer_.weight_ih = fields_.tensor("weight_ih");
    layer_.weight = fields_.tensor("weight_hh");
    layer_.bias_ih = fields_.tensor("bias_ih", true);
    layer_.bias = fields_.tensor("bias_hh", true);
    layer_.initial_h = fields_.tensor("initial_h", true);
    if (memories > 1) layer_.initial_c = fields_.tensor("initial_c", true);
    layer_.reset_every = fields_.whole("reset_every", 0, 0);
    want("weight_hh", layer_.weight, {any, any});
    const std::size_t rows = layer_.weight->shape[0], hidden = layer_.weight->shape[1];
    if (rows != times(gates, hidden)) {
      throw fields_.error("weight_hh is " + shape_text(layer_.weight->shape) + " but has " +
                          std::to_string(gates) + " gates a unit");
    }
    want("weight_ih", layer_.weight_ih, {rows, x.channels});
    want("bias_ih", layer_.bias_ih, {rows});
    want("bias_hh", layer_.bias, {rows});
    want("initial_h", layer_.initial_h, {hidden});
    want("initial_c", layer_.initial_c, {hidden});
    layer_.output = {hidden, x.period};
    return times(memories, hidden);
  }

  std::size_t conv() {
    const Signal x = one_input();
    layer_.weight = fields_.tensor("weight");
    layer_.bias = fields_.tensor("bias", true);
    layer_.dilation = fields_.whole("dilation", 1, 1);
    layer_.stride = fields_.whole("stride", 1, 1);
    layer_.groups = fields_.whole("groups", 1, 1);
    if (x.channels % layer_.groups != 0) {
      throw fields_.error(std::to_string(x.channels) + " channels cannot be cut into " +
                          std::to_string(layer_.groups) + " groups");
    }
    want("weight", layer_.weight, {any, x.channels / layer_.groups, any});
    const std::size_t outputs = layer_.weight->shape[0];
    if (outputs % layer_.groups != 0) {
      throw fields_.error(std::to_string(outputs) + " outputs cannot be cut into " +
                          std::to_string(layer_.groups) + " groups");
    }
    want("bias", layer_.bias, {outputs});
    layer_.output = {outputs, times(x.period, layer_.stride)};
    return times(times(x.channels, layer_.weight->shape[2] - 1), layer_.dilation);
  }

  std::size_t delay() {
    layer_.output = one_input();
    layer_.frames = fields_.whole("frames", 0, -1);
    return times(layer_.output.channels, layer_.frames);
  }

  std::size_t downsample() {
    const Signal x = one_input();
    layer_.factor = fields_.whole("factor", 1, -1);
    layer_.output = {x.channels, times(x.period, layer_.factor)};
    return 0;
  }

  std::size_t upsample() {
    const Signal x = one_input();
    layer_.factor = fields_.whole("factor", 1, -1);
    const std::string mode = fields_.word("mode").value_or("hold");
    if (mode != "hold" && mode != "zeros") throw fields_.error("mode must be hold or zeros");
    layer_.zeros = mode == "zeros";
    if (x.period % layer_.factor != 0) {
      throw fields_.error("frames that come every " + std::to_string(x.period) +
                          " samples cannot come " + std::to_string(layer_.factor) +
                          " times as often");
    }
    layer_.output = {x.channels, x.period / layer_.factor};
    return x.channels;
  }

  std::size_t per_channel(bool bias) {
    layer_.output = one_input();
    layer_.weight = fields_.tensor("weight");
    want("weight", layer_.weight, {layer_.output.channels});
    if (bias) layer_.bias = fields_.tensor("bias", true);
    want("bias", layer_.bias, {layer_.output.channels});
    return 0;
  }

  std::size_t dense() {
    const Signal x = one_input();
    layer_.weight = fields_.tensor("weight");
    layer_.bias = fields_.tensor("bias", true);
    want("weight", layer_.weight, {any, x.channels});
    want("bias", layer_.bias, {layer_.weight->shape[0]});
    layer_.output = {layer_.weight->shape[0], x.period};
    return 0;
  }

  std::size_t film() {
    if (inputs_.size() != 2) {
      throw fields_.error("takes a signal and a condition, not " + std::to_string(inputs_.size()) +
                          " inputs");
    }
    layer_.output = {inputs_[0].channels, same_period()};
    layer_.weight = fields_.tensor("weight");
    layer_.bias = fields_.tensor("bias", true);
    const std::size_t rows = 2 * inputs_[0].channels;
    want("weight", layer_.weight, {rows, inputs_[1].channels});
    want("bias", layer_.bias, {rows});
    return 0;
  }

  std::size_t activation();

  std::size_t together() {
    if (inputs_.size() < 2) {
      throw fields_.error("takes 2 inputs or more, not " + std::to_string(inputs_.size()));
    }
    layer_.output = {inputs_[0].channels, same_period()};
    for (const Signal& x : inputs_) {
      if (x.channels != layer_.output.channels) {
        throw fields_.error("its inputs do not have equally many channels");
      }
    }
    return 0;
  }

  std::size_t concat() {
    if (inputs_.empty()) throw fields_.error("takes 1 input or more");
    layer_.output = {0, same_period()};
    for (const Signal& x : inputs_) layer_.output.channels += x.channels;
    return 0;
  }

  std::size_t slice() {
    const Signal x = one_input();
    layer_.start = fields_.whole("start", 0, -1);
    layer_.stop = fields_.whole("stop", 0, -1);
    if (layer_.start >= layer_.stop || layer_.stop > x.channels) {
      throw fields_.error("no channels " + std::to_string(layer_.start) + " to " +
                          std::to_string(layer_.stop) + " in " + std::to_string(x.channels));
    }
    layer_.output = {layer_.stop - layer_.start, x.period};
    return 0;
  }

 private:
  Signal one_input() const {
    if (inputs_.size() != 1) {
      throw fields_.error("takes 1 input, not " + std::to_string(inputs_.size()));
    }
    return inputs_[0];
  }

  std::size_t same_period() const {
    for (const Signal& x : inputs_) {
      if (x.period != inputs_[0].period) {
        throw fields_.error(
            "its inputs come at different rates; bring them to one with upsample or downsample");
      }
    }
    return inputs_[0].period;
  }

  void want(const char* what, const Tensor* tensor, const std::vector<std::size_t>& shape) const {
    if (!tensor) return;
    const auto& got = tensor->shape;
    bool same = got.size() == shape.size();
    for (std::size_t i = 0; same && i < shape.size(); ++i) {
      same = shape[i] == any || shape[i] == got[i];
    }
    if (!same) {
      throw fields_.error(std::string(what) + " is " + shape_text(got) + " but must be " +
                          shape_text(shape));
    }
    if (tensor->count == 0) throw fields_.error(std::string(what) + ": nothing in it");
  }

  LayerFields& fields_;
  const Signals& inputs_;
  Layer& layer_;
};

struct FunctionInfo {
  std::string_view name;
  Function function;
  std::vector<std::string_view> settings;
  FunctionSettings defaults;
};

const std::vector<FunctionInfo>& functions() {
  static const std::vector<FunctionInfo> all = {
      {"tanh", Function::tanh, {}, {}},
      {"sigmoid", Function::sigmoid, {}, {}},
      {"relu", Function::relu, {}, {}},
      {"leaky_relu", Function::leaky_relu, {"slope"}, {.slope = 0.01f}},
      {"elu", Function::elu, {"slope"}, {.slope = 1.0f}},
      {"softplus", Function::softplus, {}, {}},
      {"hardtanh", Function::hardtanh, {"low", "high"}, {.low = -1.0f, .high = 1.0f}},
      {"leaky_hardtanh",
       Function::leaky_hardtanh,
       {"low", "high", "low_slope", "high_slope"},
       {.low = -1.0f, .high = 1.0f, .low_slope = 0.01f, .high_slope = 0.01f}},
      {"hardsigmoid", Function::hardsigmoid, {}, {}},
      {"hardswish", Function::hardswish, {}, {}},
      {"softsign", Function::softsign, {}, {}},
      {"silu", Function::silu, {}, {}},
      {"gelu", Function::gelu, {}, {}},
      {"gelu_tanh", Function::gelu_tanh, {}, {}},
      {"sin", Function::sin, {}, {}},
  };
  return all;
}

std::size_t Check::activation() {
  const auto name = fields_.word("function");
  if (!name) throw fields_.error("function is missing");
  const auto found = std::find_if(functions().begin(), functions().end(),
                                  [&](const FunctionInfo& info) { return info.name == *name; });
  if (found == functions().end()) {
    throw fields_.error(quoted(*name) + " is not one of its functions");
  }
  layer_.function = found->function;
  layer_.settings = found->defaults;
  for (const std::string_view setting : found->settings) {
    if (const auto value = fields_.number(setting)) {
      FunctionSettings& s = layer_.settings;
      float& target = setting == "slope"       ? s.slope
                      : setting == "low"       ? s.low
                      : setting == "high"      ? s.high
                      : setting == "low_slope" ? s.low_slope
                                               : s.high_slope;
      target = *value;
    }
  }
  if (layer_.settings.low > layer_.settings.high) throw fields_.error("low is above high");
  layer_.output = one_input();
  return 0;
}

struct LayerKind {
  std::string_view name;
  LayerType type;
  std::size_t (*check)(Check&);
};

constexpr LayerKind kinds[] = {
    {"gru", LayerType::gru, [](Check& c) { return c.recurrent(3, 1); }},
    {"lstm", LayerType::lstm, [](Check& c) { return c.recurrent(4, 2); }},
    {"conv", LayerType::conv, [](Check& c) { return c.conv(); }},
    {"delay", LayerType::delay, [](Check& c) { return c.delay(); }},
    {"downsample", LayerType::downsample, [](Check& c) { return c.downsample(); }},
    {"upsample", LayerType::upsample, [](Check& c) { return c.upsample(); }},
    {"activation", LayerType::activation, [](Check& c) { return c.activation(); }},
    {"add", LayerType::add, [](Check& c) { return c.together(); }},
    {"concat", LayerType::concat, [](Check& c) { return c.concat(); }},
    {"dense", LayerType::dense, [](Check& c) { return c.dense(); }},
    {"film", LayerType::film, [](Check& c) { return c.film(); }},
    {"gain", LayerType::gain, [](Check& c) { return c.per_channel(true); }},
    {"multiply", LayerType::multiply, [](Check& c) { return c.together(); }},
    {"prelu", LayerType::prelu, [](Check& c) { return c.per_channel(false); }},
    {"slice", LayerType::slice, [](Check& c) { return c.slice(); }},
};

}  // namespace

LayerType layer_type(const LayerFields& fields) {
  const auto found = std::find_if(std::begin(kinds), std::end(kinds),
                                  [&](const LayerKind& kind) { return kind.name == fields.type; });
  if (found == std::end(kinds)) {
    throw LoadError("layer " + quoted(fields.name) + ": " + quoted(fields.type) +
                    " is not a layer type that this fxkit knows: a newer one may");
  }
  return found->type;
}

std::size_t check_layer(LayerType type, LayerFields& fields, const std::vector<Signal>& inputs,
                        Layer& layer) {
  layer.type = type;
  Check check(fields, inputs, layer);
  return std::find_if(std::begin(kinds), std::end(kinds),
                      [&](const LayerKind& kind) { return kind.type == type; })
      ->check(check);
}

}  // namespace fxkit::engine
