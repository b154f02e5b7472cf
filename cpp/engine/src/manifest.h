// What a model file says about itself.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "container.h"

namespace fxkit::engine {

struct Control {
  std::string name;
  float initial = 0.5f;  // the default, in 0..1
};

struct Manifest {
  std::size_t sample_rate = 44100;  // Hz
  std::size_t latency = 0;          // samples
  std::vector<Control> controls;
  std::string no_graph;  // why there are no layers; empty if there are
};

// The text of a model file's manifest. Throws LoadError if there is none, or if the file is in a
// format that this fxkit does not read.
const std::string& manifest_text(const Container& file);

// Checks every entry of untrusted JSON. Throws LoadError.
Manifest read_manifest(const std::string& text);

}  // namespace fxkit::engine
