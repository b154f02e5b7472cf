// Causal convolution, of any dilation, stride and number of groups; a dense layer has one tap.
//
// A second input, if there is one, is added to what comes out: a residual path, fused.
#include <cstddef>

#include "../memory.h"
#include "../node.h"
#include "../weights.h"

namespace fxkit::engine {
namespace {

class Conv final : public Node {
 public:
  Conv(const Layer& layer, std::size_t channels, const Kernels& kernels, Weights& weights)
      : channels_(channels),
        outputs_(layer.weight->shape[0]),
        taps_(layer.type == LayerType::conv ? layer.weight->shape[2] : 1),
        dilation_(layer.dilation),
        stride_(layer.stride),
        groups_(layer.groups),
        tap_offsets_(taps_) {
    const std::size_t outputs = outputs_ / groups_, inputs = channels_ / groups_;
    const std::size_t size = outputs * inputs * taps_;
    constexpr int kind = 100;
    weights_ = weights.get(kind, {layer.weight, reinterpret_cast<const void*>(groups_)},
                           layer.weight->count, [&](float* out) {
                             const std::vector<float> values = layer.weight->floats();
                             for (std::size_t group = 0; group < groups_; ++group) {
                               kernels.pack_conv(values.data() + group * size, outputs, inputs,
                                                 taps_, out + group * size);
                             }
                           });
    if (layer.bias) bias_ = layer.bias->floats();
  }

  void prepare(std::size_t streams) override {
    if (past() > 0) history_ = History(channels_ * streams, past(), max_block);
  }

  void reset() noexcept override { history_.clear(); }

  void process(const Block& block) noexcept override {
    const View x(block, inputs[0]), y(block, output);
    if (x.frames == 0) return;
    const std::size_t streams = block.streams;
    const float* row = x.data;
    std::size_t stride = x.stride;
    if (past() > 0) {
      history_.write(x.data, x.stride, x.frames);
      row = history_.row(0);
      stride = history_.stride();
    }
    if (y.frames > 0) {
      // The first of these frames that makes an output.
      const std::size_t first = (stride_ - x.index % stride_) % stride_;
      for (std::size_t j = 0; j < taps_; ++j) {
        const std::size_t back = (taps_ - 1 - j) * dilation_;
        const std::size_t at = past() > 0 ? start(back, first) : first;
        tap_offsets_[j] = static_cast<std::ptrdiff_t>(at);
      }
      const std::size_t outputs = outputs_ / groups_, inputs_per_group = channels_ / groups_;
      const float* add = inputs.size() > 1 ? View(block, inputs[1]).data : nullptr;
      for (std::size_t group = 0; group < groups_; ++group) {
        for (std::size_t s = 0; s < streams; ++s) {
          const std::size_t out = (group * outputs * streams + s) * y.stride;
          block.kernels->conv({weights_ + group * outputs * inputs_per_group * taps_,
                               bias_.empty() ? nullptr : bias_.data() + group * outputs,
                               add ? add + out : nullptr,
                               row + (group * inputs_per_group * streams + s) * stride,
                               streams * stride, tap_offsets_.data(), stride_, inputs_per_group,
                               outputs, taps_, y.data + out, streams * y.stride, y.frames});
        }
      }
    }
    if (past() > 0) history_.advance(x.frames);
  }

 private:
  std::size_t past() const { return (taps_ - 1) * dilation_; }

  // Where the input of the first output lies in the ring; one piece from there, see History.
  std::size_t start(std::size_t back, std::size_t first) const {
    return back >= first ? history_.offset(back - first) : history_.ahead(first - back);
  }

  std::size_t channels_, outputs_, taps_, dilation_, stride_, groups_;
  const float* weights_;
  std::vector<float> bias_;
  std::vector<std::ptrdiff_t> tap_offsets_;
  History history_;
};

}  // namespace

std::unique_ptr<Node> make_conv(const Layer& layer, std::size_t channels, const Kernels& kernels,
                                Weights& weights) {
  return std::make_unique<Conv>(layer, channels, kernels, weights);
}

}  // namespace fxkit::engine
