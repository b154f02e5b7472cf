#include "lowering.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace fxkit::engine {
namespace {

// Longer sums are left as they are: as pairs they would take more memory than their text.
constexpr std::size_t max_sum = 64;

bool is_linear(LayerType type) { return type == LayerType::conv || type == LayerType::dense; }
bool is_recurrent(LayerType type) { return type == LayerType::gru || type == LayerType::lstm; }

class Lowering {
 public:
  explicit Lowering(const Graph& graph) : graph_(graph) {}

  Steps run() {
    find_needed();
    for (std::size_t i = 0; i < first_layer; ++i) {
      add_value(graph_.signals[i], 0);
      value_of_.push_back(i);
    }
    for (std::size_t i = 0; i < graph_.layers.size(); ++i) {
      // What is not needed gets the number of the audio; nobody asks for it.
      value_of_.push_back(needed_[first_layer + i] ? lower_layer(graph_.layers[i], i + 1) : 0);
    }
    Steps result;
    result.output = value_of_[graph_.output];
    count_uses(result.output);
    gone_.assign(steps_.size(), false);
    fuse_sums();
    fuse_readouts();
    // A stable order by position: where two steps share one, the later one uses the earlier.
    std::vector<std::size_t> order(steps_.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return at_[a] < at_[b]; });
    for (const std::size_t i : order) {
      if (!gone_[i]) result.steps.push_back(std::move(steps_[i]));
    }
    result.values = std::move(values_);
    return result;
  }

 private:
  void find_needed() {
    needed_.assign(graph_.signals.size(), false);
    needed_[graph_.output] = true;
    for (std::size_t i = graph_.layers.size(); i-- > 0;) {
      if (!needed_[first_layer + i]) continue;
      for (const std::size_t input : graph_.layers[i].inputs) needed_[input] = true;
    }
  }

  std::size_t add_value(const Signal& signal, std::size_t position) {
    values_.push_back({signal.channels, signal.period, values_.size(), 0});
    position_.push_back(position);
    producer_.push_back(none);
    return values_.size() - 1;
  }

  std::size_t add_step(LayerType type, const Layer* layer, std::vector<std::size_t> inputs,
                       const Signal& signal, std::size_t position) {
    const std::size_t output = add_value(signal, position);
    producer_[output] = steps_.size();
    steps_.push_back({type, layer, std::move(inputs), output});
    at_.push_back(position);
    return output;
  }

  std::size_t lower_layer(const Layer& layer, std::size_t position) {
    std::vector<std::size_t> inputs;
    for (const std::size_t signal : layer.inputs) inputs.push_back(value_of_[signal]);
    switch (layer.type) {
      case LayerType::slice: {
        const std::size_t value = add_value(layer.output, position_[inputs[0]]);
        values_[value].root = values_[inputs[0]].root;
        values_[value].first = values_[inputs[0]].first + layer.start;
        return value;
      }
      case LayerType::film: {
        const Signal both{2 * layer.output.channels, layer.output.period};
        const std::size_t condition =
            add_step(LayerType::dense, &layer, {inputs[1]}, both, position);
        return add_step(LayerType::film, &layer, {inputs[0], condition}, layer.output, position);
      }
      case LayerType::add:
        if (inputs.size() <= max_sum) return lower_sum(layer, inputs);
        break;
      default:
        break;
    }
    return add_step(layer.type, &layer, std::move(inputs), layer.output, position);
  }

  // From left to right, as PyTorch adds, and each pair as early as it can be: a sum over many layers
  // then keeps one signal instead of all of them.
  std::size_t lower_sum(const Layer& layer, const std::vector<std::size_t>& inputs) {
    std::size_t sum = inputs[0];
    for (std::size_t i = 1; i < inputs.size(); ++i) {
      const std::size_t position = std::max(position_[sum], position_[inputs[i]]);
      sum = add_step(LayerType::add, nullptr, {sum, inputs[i]}, layer.output, position);
    }
    return sum;
  }

  void count_uses(std::size_t output) {
    uses_.assign(values_.size(), 0);
    for (const Step& step : steps_) {
      for (const std::size_t input : step.inputs) ++uses_[values_[input].root];
    }
    ++uses_[values_[output].root];
  }

  // The step that makes a value, the whole of its signal, that only one other step wants.
  std::size_t only_for_one(std::size_t value) const {
    if (values_[value].root != value || uses_[value] != 1) return none;
    const std::size_t from = producer_[value];
    return from != none && !gone_[from] ? from : none;
  }

  // y = a + conv(x), where nobody else wants conv(x), becomes one step.
  void fuse_sums() {
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      Step& sum = steps_[i];
      if (sum.type != LayerType::add || sum.inputs.size() != 2) continue;
      for (const std::size_t side : {std::size_t{1}, std::size_t{0}}) {
        const std::size_t other = sum.inputs[1 - side], from = only_for_one(sum.inputs[side]);
        if (from == none) continue;
        if (!is_linear(steps_[from].type) || steps_[from].inputs.size() != 1) continue;
        sum = {steps_[from].type, steps_[from].layer, {steps_[from].inputs[0], other}, sum.output};
        gone_[from] = true;
        break;
      }
    }
  }

  // A dense layer of one output, alone with a recurrent layer's states, is computed while they are
  // still at hand; they are then never written as signals.
  void fuse_readouts() {
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      Step& dense = steps_[i];
      if (gone_[i] || dense.type != LayerType::dense || dense.layer->type != LayerType::dense) continue;
      if (values_[dense.output].channels != 1) continue;
      const std::size_t from = only_for_one(dense.inputs[0]);
      if (from == none || !is_recurrent(steps_[from].type)) continue;
      std::vector<std::size_t> inputs = steps_[from].inputs;
      inputs.insert(inputs.end(), dense.inputs.begin() + 1, dense.inputs.end());
      dense = {steps_[from].type, steps_[from].layer, std::move(inputs), dense.output, dense.layer};
      gone_[from] = true;
    }
  }

  static constexpr std::size_t none = SIZE_MAX;

  const Graph& graph_;
  std::vector<bool> needed_, gone_;
  std::vector<Value> values_;
  std::vector<std::size_t> value_of_;   // of each signal
  std::vector<std::size_t> uses_;       // of each root: how many steps read it
  std::vector<std::size_t> position_;   // of each value: after which layer it is there
  std::vector<std::size_t> producer_;   // of each value: its step
  std::vector<Step> steps_;
  std::vector<std::size_t> at_;         // of each step: its position
};

}  // namespace

Steps lower(const Graph& graph) { return Lowering(graph).run(); }

}  // namespace fxkit::engine
