// A model file, opened and proven.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "manifest.h"
#include "player.h"
#include "weights.h"

namespace fxkit::engine {

struct Model {
  Manifest manifest;
  std::string manifest_text;
  Isa isa;
  std::unique_ptr<Weights> weights;
  std::unique_ptr<Player> player;
  double probe_error = 0;  // over the largest sample of the probe
};

enum class Proof { probe, none };

// Throws LoadError, or std::bad_alloc.
std::unique_ptr<Model> open_model(std::string_view bytes, Isa isa, Proof proof = Proof::probe);

}  // namespace fxkit::engine
