#include "model.h"

#include <algorithm>
#include <vector>

#include "container.h"
#include "error.h"
#include "graph.h"
#include "probe.h"

namespace fxkit::engine {
namespace {

constexpr int format = 1;

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

double prove(const Container& file, Player& player, std::size_t controls) {
  const Probe probe = read_probe(file, controls);
  for (std::size_t i = 0; i < controls; ++i) player.turn(i, probe.knobs[i]);
  player.prepare(1, 1);
  std::vector<float> played(probe.input.size());
  const float* in = probe.input.data();
  float* out = played.data();
  player.process(&in, &out, probe.input.size());
  return check_probe(probe, played);
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
