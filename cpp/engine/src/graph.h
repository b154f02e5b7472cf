// The list of layers of a model file: plain data, checked before anything is made from it.
//
// docs/artifact.md defines every layer. The bounds are those of fxkit.graph.spec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "container.h"
#include "kernels/kernels.h"

namespace fxkit::engine {

enum class LayerType {
  gru,
  lstm,
  conv,
  delay,
  downsample,
  upsample,
  activation,
  add,
  concat,
  dense,
  film,
  gain,
  multiply,
  prelu,
  slice,
};

// What flows between layers: so many channels, one frame every `period` samples.
struct Signal {
  std::size_t channels = 1;
  std::size_t period = 1;

  bool operator==(const Signal&) const = default;
};

// Signals are numbered: 0 is the audio, 1 the knobs (of 0 channels where there are none), and
// layer i makes signal first_layer + i.
constexpr std::size_t audio_signal = 0, controls_signal = 1, first_layer = 2;

// One layer. Only the fields of its type are set; tensors belong to the container.
struct Layer {
  LayerType type{};
  std::string name;
  std::vector<std::size_t> inputs;  // signals
  Signal output;

  const Tensor* weight = nullptr;     // of gru and lstm: weight_hh
  const Tensor* weight_ih = nullptr;
  const Tensor* bias = nullptr;       // of gru and lstm: bias_hh
  const Tensor* bias_ih = nullptr;
  const Tensor* initial_h = nullptr;
  const Tensor* initial_c = nullptr;
  std::size_t reset_every = 0;
  std::size_t dilation = 1, stride = 1, groups = 1;
  std::size_t frames = 0;             // of a delay
  std::size_t factor = 1;             // of downsample and upsample
  bool zeros = false;                 // upsample: zeros between the frames instead of holding them
  std::size_t start = 0, stop = 0;    // of a slice
  Function function{};
  FunctionSettings settings;
};

struct Graph {
  std::size_t controls = 0;
  std::vector<Layer> layers;
  std::size_t output = 0;  // signal

  std::vector<Signal> signals;  // of all numbers
};

using TensorMap = std::map<std::string, Tensor, std::less<>>;

// Reads and checks untrusted JSON against the tensors of its file. Throws LoadError.
Graph read_graph(const std::string& text, const TensorMap& tensors);

}  // namespace fxkit::engine
