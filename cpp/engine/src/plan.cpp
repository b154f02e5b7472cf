#include "plan.h"

#include <algorithm>
#include <map>

#include "lowering.h"

namespace fxkit::engine {
namespace {

// Rows of the shared memory: handed out, and taken back when a signal has been read for the last
// time, so that all signals together stay small enough for the cache.
class Rows {
 public:
  std::size_t take(std::size_t count) {
    auto best = free_.end();
    for (auto it = free_.begin(); it != free_.end(); ++it) {
      if (it->second >= count && (best == free_.end() || it->second < best->second)) best = it;
    }
    if (best == free_.end()) {
      const std::size_t row = used_;
      used_ += count;
      return row;
    }
    const auto [row, size] = *best;
    free_.erase(best);
    if (size > count) free_[row + count] = size - count;
    return row;
  }

  void give_back(std::size_t row, std::size_t count) {
    auto next = free_.emplace(row, count).first;
    if (const auto after = std::next(next);
        after != free_.end() && after->first == row + next->second) {
      next->second += after->second;
      free_.erase(after);
    }
    if (next != free_.begin()) {
      const auto before = std::prev(next);
      if (before->first + before->second == row) {
        before->second += next->second;
        free_.erase(next);
      }
    }
  }

  std::size_t used() const { return used_; }

 private:
  std::map<std::size_t, std::size_t> free_;  // row -> how many
  std::size_t used_ = 0;
};

class Planner {
 public:
  Planner(const Graph& graph, const Kernels& kernels, Weights& weights)
      : steps_(lower(graph)), kernels_(kernels), weights_(weights) {}

  Plan run() {
    row_.assign(steps_.values.size(), 0);
    find_last_uses();
    plan_.audio = give_place(0);
    plan_.controls = give_place(1);
    for (std::size_t i = 0; i < steps_.steps.size(); ++i) place_step(i);
    plan_.output = place(steps_.output);
    plan_.rows = rows_.used();
    return std::move(plan_);
  }

 private:
  static constexpr std::size_t never = SIZE_MAX;

  std::size_t root(std::size_t value) const { return steps_.values[value].root; }

  void find_last_uses() {
    last_use_.assign(steps_.values.size(), 0);
    for (std::size_t i = 0; i < steps_.steps.size(); ++i) {
      for (const std::size_t input : steps_.steps[i].inputs) last_use_[root(input)] = i;
    }
    // These are written or read from outside.
    for (const std::size_t kept : {std::size_t{0}, std::size_t{1}, root(steps_.output)}) {
      last_use_[kept] = never;
    }
  }

  Place place(std::size_t value) const {
    const Value& v = steps_.values[value];
    return {row_[v.root], v.first, v.channels, v.period};
  }

  Place give_place(std::size_t value) {
    row_[value] = rows_.take(steps_.values[value].channels);
    return place(value);
  }

  // The input whose memory the output may take over, because the step reads each number of it just
  // before it writes the output's in its place.
  std::size_t replaceable(std::size_t i) const {
    const Step& step = steps_.steps[i];
    std::size_t input = 0;
    switch (step.type) {
      case LayerType::activation:
      case LayerType::prelu:
      case LayerType::gain:
      case LayerType::film:
      case LayerType::add:
      case LayerType::multiply:
        break;
      case LayerType::conv:
      case LayerType::dense:
        if (step.inputs.size() < 2) return never;
        input = 1;
        break;
      default:
        return never;
    }
    const std::size_t value = step.inputs[input];
    if (root(value) != value || last_use_[value] != i) return never;
    if (steps_.values[value].channels != steps_.values[step.output].channels) return never;
    const auto same = [&](std::size_t other) { return root(other) == value; };
    if (std::count_if(step.inputs.begin(), step.inputs.end(), same) > 1) return never;
    return value;
  }

  void place_step(std::size_t i) {
    const Step& step = steps_.steps[i];
    const std::size_t replaced = replaceable(i);
    if (replaced != never) {
      row_[step.output] = row_[replaced];
    } else {
      give_place(step.output);
    }
    auto node = make(step);
    node->output = place(step.output);
    for (const std::size_t input : step.inputs) node->inputs.push_back(place(input));
    plan_.scratch = std::max(plan_.scratch, node->scratch());
    plan_.nodes.push_back(std::move(node));
    std::vector<std::size_t> roots;
    for (const std::size_t input : step.inputs) roots.push_back(root(input));
    std::sort(roots.begin(), roots.end());
    roots.erase(std::unique(roots.begin(), roots.end()), roots.end());
    for (const std::size_t value : roots) {
      if (last_use_[value] == i && value != replaced) {
        rows_.give_back(row_[value], steps_.values[value].channels);
      }
    }
  }

  std::unique_ptr<Node> make(const Step& step) {
    static const Layer sum = [] {
      Layer layer;
      layer.type = LayerType::add;
      return layer;
    }();
    const Layer& layer = step.layer ? *step.layer : sum;
    switch (step.type) {
      case LayerType::gru:
      case LayerType::lstm:
        return make_recurrent(layer, step.readout, kernels_, weights_);
      case LayerType::conv:
      case LayerType::dense:
        return make_conv(layer, steps_.values[step.inputs[0]].channels, kernels_, weights_);
      case LayerType::delay:
      case LayerType::downsample:
      case LayerType::upsample:
        return make_rate(layer);
      default:
        return make_pointwise(layer);
    }
  }

  Steps steps_;
  const Kernels& kernels_;
  Weights& weights_;
  Plan plan_;
  Rows rows_;
  std::vector<std::size_t> row_;       // of each root
  std::vector<std::size_t> last_use_;  // of each root: the last step that reads it
};

}  // namespace

Plan make_plan(const Graph& graph, const Kernels& kernels, Weights& weights) {
  return Planner(graph, kernels, weights).run();
}

}  // namespace fxkit::engine
