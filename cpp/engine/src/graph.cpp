#include "graph.h"

#include <set>
#include <string>
#include <unordered_map>

#include "check_layer.h"
#include "error.h"
#include "json.h"
#include "layer_fields.h"

namespace fxkit::engine {
namespace {

constexpr std::size_t max_layers = 8192;
constexpr std::size_t max_channels = 4096;
constexpr std::size_t max_width = 1 << 17;   // channels of all signals together
constexpr std::size_t max_memory = 1 << 24;  // numbers that one stream may remember: 64 MiB
constexpr std::size_t max_period = 1 << 16;
constexpr std::size_t max_controls = 64;
constexpr double version = 1;

// A sum that no file can make small again by overflow.
std::size_t plus(std::size_t a, std::size_t b) {
  std::size_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? SIZE_MAX : sum;
}

class Reader {
 public:
  explicit Reader(const TensorMap& tensors) : tensors_(tensors) {}

  Graph read(const std::string& text) {
    Json json(text, "its graph");
    // The layers come as they stand; the number of knobs, which they may refer to, may come later.
    graph_.controls = read_outline(text);
    graph_.signals = {{1, 1}, {graph_.controls, 1}};
    numbers_["x"] = audio_signal;
    if (graph_.controls > 0) numbers_["controls"] = controls_signal;
    std::string output;
    json.object([&](const std::string& key) {
      if (key == "layers") {
        json.array([&] { read_layer(json); });
      } else if (key == "output") {
        output = json.string();
      } else {
        json.skip();
      }
    });
    const auto found = numbers_.find(output);
    if (found == numbers_.end()) {
      throw LoadError("the graph's output " + quoted(output) + " is not one of its layers");
    }
    graph_.output = found->second;
    const Signal& made = graph_.signals[graph_.output];
    if (made != Signal{1, 1}) {
      throw LoadError("the graph's output " + quoted(output) + " has " +
                      std::to_string(made.channels) + " channels every " +
                      std::to_string(made.period) +
                      " samples; it must have 1 channel every sample");
    }
    return std::move(graph_);
  }

 private:
  // Checks all but the layers; returns the number of controls.
  static std::size_t read_outline(const std::string& text) {
    Json json(text, "its graph");
    if (json.peek() != Json::Kind::object) throw LoadError("the graph must be a JSON object");
    std::set<std::string> seen;
    Json::Number found_version{0, false}, controls{-1, false};
    bool sound = true;
    json.object([&](const std::string& key) {
      sound = sound && seen.insert(key).second;
      const auto kind = json.peek();
      if (key == "version" && kind == Json::Kind::number) {
        found_version = json.number();
      } else if (key == "controls" && kind == Json::Kind::number) {
        controls = json.number();
      } else {
        if (key == "layers" && kind != Json::Kind::array) sound = false;
        if (key == "output" && kind != Json::Kind::string) sound = false;
        json.skip();
      }
    });
    json.end();
    if (found_version.whole && found_version.value > version) {
      throw LoadError("the graph is of a newer version than this fxkit reads: update fxkit");
    }
    if (!found_version.whole || found_version.value != version) {
      throw LoadError("the graph has no version that this fxkit knows");
    }
    if (!sound || seen != std::set<std::string>{"version", "controls", "layers", "output"}) {
      throw LoadError("the graph must hold version, controls, layers and output, no more");
    }
    if (!controls.whole || controls.value < 0 || controls.value > max_controls) {
      throw LoadError("the graph's controls must be a number from 0 to 64");
    }
    return static_cast<std::size_t>(controls.value);
  }

  void read_layer(Json& json) {
    if (graph_.layers.size() >= max_layers) {
      throw LoadError("the graph's layers must be a list of at most 8192");
    }
    LayerFields fields(json, tensors_);
    const LayerType type = layer_type(fields);
    if (numbers_.count(fields.name) || fields.name == "controls") {
      throw fields.error("its name is taken");
    }
    Layer layer;
    layer.name = fields.name;
    std::vector<Signal> inputs;
    for (const std::string& name : fields.inputs) {
      const auto found = numbers_.find(name);
      if (found == numbers_.end()) {
        throw fields.error(name == "controls" ? "reads the controls, but the model has none"
                                              : "its input " + quoted(name) +
                                                    " is not an earlier layer");
      }
      layer.inputs.push_back(found->second);
      inputs.push_back(graph_.signals[found->second]);
    }
    remembered_ = plus(remembered_, check_layer(type, fields, inputs, layer));
    fields.end();
    if (layer.output.channels > max_channels) {
      throw fields.error(std::to_string(layer.output.channels) + " channels; at most 4096");
    }
    if (layer.output.period > max_period) {
      throw fields.error("a frame every " + std::to_string(layer.output.period) +
                         " samples; at most 65536");
    }
    width_ = plus(width_, layer.output.channels);
    if (width_ > max_width) {
      throw fields.error("the graph's signals have over 131072 channels together");
    }
    if (remembered_ > max_memory) throw fields.error("the graph remembers over 16777216 numbers");
    numbers_[layer.name] = graph_.signals.size();
    graph_.signals.push_back(layer.output);
    graph_.layers.push_back(std::move(layer));
  }

  const TensorMap& tensors_;
  Graph graph_;
  std::unordered_map<std::string, std::size_t> numbers_;
  std::size_t width_ = 0, remembered_ = 0;
};

}  // namespace

Graph read_graph(const std::string& text, const TensorMap& tensors) {
  return Reader(tensors).read(text);
}

}  // namespace fxkit::engine
