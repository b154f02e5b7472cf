// Layers that move frames in time: delay, downsample, upsample.
#include <cstring>

#include "../memory.h"
#include "../node.h"

namespace fxkit::engine {
namespace {

class Delay final : public Node {
 public:
  explicit Delay(const Layer& layer) : frames_(layer.frames) {}

  void prepare(std::size_t streams) override {
    history_ = History(output.channels * streams, frames_, max_block);
  }
  void reset() noexcept override { history_.clear(); }

  void process(const Block& block) noexcept override {
    const View x(block, inputs[0]), y(block, output);
    if (x.frames == 0) return;
    history_.write(x.data, x.stride, x.frames);
    const std::size_t at = history_.offset(frames_);
    for (std::size_t row = 0; row < output.channels * block.streams; ++row) {
      std::memcpy(y.data + row * y.stride, history_.row(row) + at, y.frames * sizeof(float));
    }
    history_.advance(x.frames);
  }

 private:
  std::size_t frames_;
  History history_;
};

class Downsample final : public Node {
 public:
  explicit Downsample(const Layer& layer) : factor_(layer.factor) {}

  void process(const Block& block) noexcept override {
    const View x(block, inputs[0]), y(block, output);
    const std::size_t first = (factor_ - x.index % factor_) % factor_;
    for (std::size_t row = 0; row < output.channels * block.streams; ++row) {
      const float* from = x.data + row * x.stride + first;
      for (std::size_t m = 0; m < y.frames; ++m) y.data[row * y.stride + m] = from[m * factor_];
    }
  }

 private:
  std::size_t factor_;
};

class Upsample final : public Node {
 public:
  explicit Upsample(const Layer& layer) : factor_(layer.factor), zeros_(layer.zeros) {}

  void prepare(std::size_t streams) override { last_.assign(output.channels * streams, 0.0f); }
  void reset() noexcept override { std::fill(last_.begin(), last_.end(), 0.0f); }

  void process(const Block& block) noexcept override {
    const View x(block, inputs[0]), y(block, output);
    for (std::size_t row = 0; row < last_.size(); ++row) {
      const float* from = x.data + row * x.stride;
      float* to = y.data + row * y.stride;
      // The frame that sounds when the block begins may have come in an earlier block.
      std::uint64_t source = y.index / factor_;
      std::size_t into = static_cast<std::size_t>(y.index % factor_);
      for (std::size_t m = 0; m < y.frames; ++m) {
        const float held = source < x.index ? last_[row] : from[source - x.index];
        to[m] = zeros_ && into > 0 ? 0.0f : held;
        if (++into == factor_) {
          into = 0;
          ++source;
        }
      }
      if (x.frames > 0) last_[row] = from[x.frames - 1];
    }
  }

 private:
  std::size_t factor_;
  bool zeros_;
  std::vector<float> last_;
};

}  // namespace

std::unique_ptr<Node> make_rate(const Layer& layer) {
  switch (layer.type) {
    case LayerType::delay:
      return std::make_unique<Delay>(layer);
    case LayerType::downsample:
      return std::make_unique<Downsample>(layer);
    default:
      return std::make_unique<Upsample>(layer);
  }
}

}  // namespace fxkit::engine
