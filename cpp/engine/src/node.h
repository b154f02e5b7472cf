// A layer as it is played: its weights packed for the kernels, its memory, and where its signals lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "graph.h"
#include "kernels/kernels.h"

namespace fxkit::engine {

// Samples that go through all layers before the next ones do: few enough for the signals between
// the layers to stay in the first-level cache, enough to fill the registers of a convolution.
constexpr std::size_t max_block = 64;

// Where a signal lies in the memory that all signals share: `row` is the place of its buffer in
// rows of one channel, `first` the channel of the buffer that it begins with.
struct Place {
  std::size_t row = 0, first = 0, channels = 0, period = 1;
};

// What one block gives a node.
struct Block {
  const Kernels* kernels;
  float* signals;  // max_block floats for each row and stream
  float* scratch;
  std::size_t streams;
  std::uint64_t clock;  // samples before this block
  std::size_t samples;
};

// A signal during one block: the row of channel c and stream s is the (c * streams + s)-th.
struct View {
  float* data;
  std::size_t stride, frames;
  std::uint64_t index;  // of the first frame, from the start of the stream

  View(const Block& block, const Place& place) {
    if (place.period == 1) {
      index = block.clock;
      frames = block.samples;
    } else {
      const auto frames_before = [&](std::uint64_t clock) {
        return (clock + place.period - 1) / place.period;
      };
      index = frames_before(block.clock);
      frames = static_cast<std::size_t>(frames_before(block.clock + block.samples) - index);
    }
    stride = padded(frames);
    data = block.signals + place.row * block.streams * max_block +
           place.first * block.streams * stride;
  }
};

class Node {
 public:
  virtual ~Node() = default;

  // Allocates the memory of so many streams; the streams start afresh.
  virtual void prepare(std::size_t /*streams*/) {}
  virtual void reset() noexcept {}
  virtual void process(const Block& block) noexcept = 0;

  // Floats of Block::scratch that it needs.
  virtual std::size_t scratch() const { return 0; }

  std::vector<Place> inputs;
  Place output;
};

// Packed weights, shared by the nodes that use the same tensors in the same way.
class Weights;

// Makes the node of one layer; a slice has none, and an add is given two inputs.
// `readout` is null or a dense layer of one output that follows, with a second input added to it.
std::unique_ptr<Node> make_recurrent(const Layer& layer, const Layer* readout,
                                     const Kernels& kernels, Weights& weights);
std::unique_ptr<Node> make_conv(const Layer& layer, std::size_t channels, const Kernels& kernels,
                                Weights& weights);
std::unique_ptr<Node> make_pointwise(const Layer& layer);
std::unique_ptr<Node> make_rate(const Layer& layer);

}  // namespace fxkit::engine
