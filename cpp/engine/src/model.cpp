#include "model.h"

#include <vector>

#include "container.h"
#include "error.h"
#include "graph.h"
#include "probe.h"

namespace fxkit::engine {
namespace {

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
  auto model = std::make_unique<Model>();
  model->manifest_text = manifest_text(file);
  model->manifest = read_manifest(model->manifest_text);
  model->isa = isa;
  const std::string& why = model->manifest.no_graph;
  const std::string none = "it has no layers for the engine: " + (why.empty() ? "and says not why" : why);
  const auto layers = file.metadata.find("fxkit.graph");
  if (layers == file.metadata.end()) throw LoadError(none);
  const Graph graph = read_graph(layers->second, file.tensors);
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
