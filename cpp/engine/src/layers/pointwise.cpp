// Layers without memory: functions of one number, gains, sums, products and joined channels.
#include <cstring>

#include "../node.h"

namespace fxkit::engine {
namespace {

std::size_t size_of(const Block& block, const Place& place, const View& view) {
  return place.channels * block.streams * view.stride;
}

class Activation final : public Node {
 public:
  explicit Activation(const Layer& layer) : function_(layer.function), settings_(layer.settings) {}

  void process(const Block& block) noexcept override {
    const View x(block, inputs[0]), y(block, output);
    block.kernels->activate(function_, settings_, x.data, y.data, size_of(block, output, y));
  }

 private:
  Function function_;
  FunctionSettings settings_;
};

class PRelu final : public Node {
 public:
  explicit PRelu(const Layer& layer) : slopes_(layer.weight->floats()) {}

  void process(const Block& block) noexcept override {
    const View x(block, inputs[0]), y(block, output);
    const std::size_t size = block.streams * y.stride;
    for (std::size_t c = 0; c < slopes_.size(); ++c) {
      block.kernels->prelu(x.data + c * size, slopes_[c], y.data + c * size, size);
    }
  }

 private:
  std::vector<float> slopes_;
};

class Gain final : public Node {
 public:
  explicit Gain(const Layer& layer) : weights_(layer.weight->floats()) {
    biases_ = layer.bias ? layer.bias->floats() : std::vector<float>(weights_.size());
  }

  void process(const Block& block) noexcept override {
    const View x(block, inputs[0]), y(block, output);
    const std::size_t size = block.streams * y.stride;
    for (std::size_t c = 0; c < weights_.size(); ++c) {
      block.kernels->gain(x.data + c * size, weights_[c], biases_[c], y.data + c * size, size);
    }
  }

 private:
  std::vector<float> weights_, biases_;
};

class Together final : public Node {
 public:
  explicit Together(bool add) : add_(add) {}

  void process(const Block& block) noexcept override {
    const View y(block, output);
    const auto together = add_ ? block.kernels->add : block.kernels->multiply;
    const float* a = View(block, inputs[0]).data;
    for (std::size_t i = 1; i < inputs.size(); ++i, a = y.data) {
      together(a, View(block, inputs[i]).data, y.data, size_of(block, output, y));
    }
  }

 private:
  bool add_;
};

// The condition's share, [scale; shift], is a dense layer before this one.
class Film final : public Node {
 public:
  void process(const Block& block) noexcept override {
    const View x(block, inputs[0]), both(block, inputs[1]), y(block, output);
    const std::size_t size = size_of(block, output, y);
    block.kernels->multiply_add(both.data, x.data, both.data + size, y.data, size);
  }
};

class Concat final : public Node {
 public:
  void process(const Block& block) noexcept override {
    float* out = View(block, output).data;
    for (const Place& place : inputs) {
      const View x(block, place);
      const std::size_t size = size_of(block, place, x);
      if (size > 0) std::memcpy(out, x.data, size * sizeof(float));
      out += size;
    }
  }
};

}  // namespace

std::unique_ptr<Node> make_pointwise(const Layer& layer) {
  switch (layer.type) {
    case LayerType::activation:
      return std::make_unique<Activation>(layer);
    case LayerType::prelu:
      return std::make_unique<PRelu>(layer);
    case LayerType::gain:
      return std::make_unique<Gain>(layer);
    case LayerType::film:
      return std::make_unique<Film>();
    case LayerType::concat:
      return std::make_unique<Concat>();
    default:
      return std::make_unique<Together>(layer.type == LayerType::add);
  }
}

}  // namespace fxkit::engine
