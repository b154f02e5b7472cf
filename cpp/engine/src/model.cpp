#include "model.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "container.h"
#include "error.h"
#include "graph.h"

namespace fxkit::engine {
namespace {

constexpr int format = 1;
constexpr std::size_t max_probe = 1 << 20;
constexpr double tolerance = 1e-4;  // of the probe's largest sample
constexpr double floor_level = 1e-6;

void check_version(const Container& file) {
  const auto found = file.metadata.find("fxkit.format");
  const std::string text = found == file.metadata.end() ? "" : found->second;
  const bool digits = !text.empty() && text.size() < 10 &&
                      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) throw LoadError("is a safetensors file, but not a model file of fxkit");
  const int version = std::stoi(text);
  if (version > format) {
    throw LoadError("its format is version " + std::to_string(version) +
                    ", this fxkit reads up to " + std::to_string(format) + ": update fxkit");
  }
  if (version < 1) throw LoadError("its format is version 0, which never was");
}

const std::string& metadata(const Container& file, const char* key, const std::string& otherwise) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) throw LoadError(otherwise);
  return found->second;
}

std::vector<float> probe_tensor(const Container& file, const std::string& name,
                                std::size_t length = 0) {
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end() || found->second.shape.size() != 1 ||
      found->second.dtype != Dtype::f32) {
    throw LoadError("damaged: " + name + " must be there, one row of 32-bit floats");
  }
  const std::size_t count = found->second.count;
  if (count == 0 || count > max_probe || (length > 0 && count != length)) {
    throw LoadError("damaged: " + name + " has " + std::to_string(count) + " numbers");
  }
  return found->second.floats();
}

// Plays the probe and returns the largest difference, over the largest sample.
double prove(const Container& file, Player& player, std::size_t controls) {
  const auto input = probe_tensor(file, "probe.input");
  const auto wanted = probe_tensor(file, "probe.output", input.size());
  if (controls > 0) {
    const auto knobs = probe_tensor(file, "probe.controls", controls);
    for (std::size_t i = 0; i < controls; ++i) player.turn(i, knobs[i]);
  }
  player.prepare(1, 1);
  std::vector<float> got(input.size());
  const float* in = input.data();
  float* out = got.data();
  player.process(&in, &out, input.size());
  double error = 0, peak = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double difference = std::abs(static_cast<double>(got[i]) - wanted[i]);
    if (!(difference <= error)) error = difference;  // NaN too
    peak = std::max(peak, std::abs(static_cast<double>(wanted[i])));
  }
  if (!(error <= std::max(tolerance * peak, floor_level))) {
    throw LoadError("damaged: its probe comes out " +
                    std::to_string(error / std::max(peak, floor_level)) +
                    " of the peak away from what the model played when it was saved");
  }
  return error / std::max(peak, floor_level);
}

}  // namespace

std::unique_ptr<Model> open_model(std::string_view bytes, Isa isa, Proof proof) {
  const Container file = read_container(bytes);
  check_version(file);
  auto model = std::make_unique<Model>();
  model->manifest_text = metadata(file, "fxkit.manifest", "damaged: it has no manifest");
  model->manifest = read_manifest(model->manifest_text);
  model->isa = isa;
  const std::string& why = model->manifest.no_graph;
  const std::string none = "it has no layers for the engine: " + (why.empty() ? "and says not why" : why);
  const Graph graph = read_graph(metadata(file, "fxkit.graph", none), file.tensors);
  if (graph.controls != model->manifest.controls.size()) {
    throw LoadError("damaged: graph and manifest differ in the number of controls");
  }
  const Kernels& kernels = kernels_for(isa);
  model->weights = std::make_unique<Weights>(bytes.size() / sizeof(float));
  Plan plan = make_plan(graph, kernels, *model->weights);
  std::vector<float> knobs;
  for (const Control& control : model->manifest.controls) knobs.push_back(control.initial);
  model->player = std::make_unique<Player>(std::move(plan), kernels, knobs);
  if (proof == Proof::probe) model->probe_error = prove(file, *model->player, graph.controls);
  for (std::size_t i = 0; i < knobs.size(); ++i) model->player->turn(i, knobs[i]);
  return model;
}

}  // namespace fxkit::engine
