// GRU and LSTM.
#include <algorithm>

#include "../memory.h"
#include "../node.h"
#include "../weights.h"

namespace fxkit::engine {
namespace {

class Recurrent final : public Node {
 public:
  Recurrent(const Layer& layer, const Layer* readout, const Kernels& kernels, Weights& weights)
      : kernels_(layer.type == LayerType::gru ? kernels.gru : kernels.lstm),
        has_cell_(layer.type == LayerType::lstm),
        reset_every_(layer.reset_every) {
    const std::size_t hidden = layer.weight->shape[1], inputs = layer.weight_ih->shape[1];
    units_ = kernels_.units(hidden);
    const int kind = 2 * static_cast<int>(layer.type);
    weights_.hidden = hidden;
    weights_.inputs = inputs;
    weights_.matrix =
        weights.get(kind, {layer.weight}, kernels_.matrix_size(hidden), [&](float* out) {
          kernels_.pack_matrix(layer.weight->floats().data(), hidden, out);
        });
    weights_.input =
        weights.get(kind + 1, {layer.weight_ih, layer.bias_ih, layer.bias},
                    kernels_.input_size(inputs, hidden), [&](float* out) {
                      const auto values = [](const Tensor* t) {
                        return t ? t->floats() : std::vector<float>();
                      };
                      const auto bias_ih = values(layer.bias_ih), bias_hh = values(layer.bias);
                      kernels_.pack_input(layer.weight_ih->floats().data(),
                                          layer.bias_ih ? bias_ih.data() : nullptr,
                                          layer.bias ? bias_hh.data() : nullptr, inputs, hidden,
                                          out);
                    });
    if (readout) {
      constexpr int kind_of_readout = 10;
      readout_ = weights.get(kind_of_readout, {readout->weight}, units_, [&](float* out) {
        std::ranges::copy(readout->weight->floats(), out);
      });
      if (readout->bias) readout_bias_ = readout->bias->floats()[0];
    }
    if (layer.initial_h) initial_h_ = layer.initial_h->floats();
    if (layer.initial_c) initial_c_ = layer.initial_c->floats();
  }

  void prepare(std::size_t streams) override {
    streams_ = streams;
    h_ = Buffer(streams * units_);
    if (has_cell_) c_ = Buffer(streams * units_);
    reset();
  }

  void reset() noexcept override {
    start_afresh();
    backwards_ = false;
  }

  std::size_t scratch() const override { return kernels_.scratch_size(weights_.hidden); }

  void process(const Block& block) noexcept override {
    const View x(block, inputs[0]), y(block, output);
    const float* const add = inputs.size() > 1 ? View(block, inputs[1]).data : nullptr;
    for (std::size_t start = 0; start < x.frames;) {
      std::size_t frames = x.frames - start;
      if (reset_every_ > 0) {
        const std::uint64_t into = (x.index + start) % reset_every_;
        if (into == 0) start_afresh();
        frames = static_cast<std::size_t>(std::min<std::uint64_t>(frames, reset_every_ - into));
      }
      kernels_.run({weights_, streams_, frames, x.data + start, x.stride, y.data + start, y.stride,
                    y.stride - start, h_.data(), c_.data(), &backwards_, block.scratch,
                    readout_, readout_bias_, add ? add + start : nullptr});
      start += frames;
    }
  }

 private:
  void start_afresh() noexcept {
    fill(h_, initial_h_);
    fill(c_, initial_c_);
  }

  void fill(Buffer& state, const std::vector<float>& initial) noexcept {
    state.clear();
    if (initial.empty() || state.size() == 0) return;
    for (std::size_t s = 0; s < streams_; ++s) {
      std::copy(initial.begin(), initial.end(), state.data() + s * units_);
    }
  }

  RecurrentKernels kernels_;
  RecurrentWeights weights_{};
  const float* readout_ = nullptr;  // a dense layer's weights
  float readout_bias_ = 0;
  bool has_cell_;
  bool backwards_ = false;
  std::size_t reset_every_, units_ = 0, streams_ = 0;
  std::vector<float> initial_h_, initial_c_;
  Buffer h_, c_;
};

}  // namespace

std::unique_ptr<Node> make_recurrent(const Layer& layer, const Layer* readout,
                                     const Kernels& kernels, Weights& weights) {
  return std::make_unique<Recurrent>(layer, readout, kernels, weights);
}

}  // namespace fxkit::engine
