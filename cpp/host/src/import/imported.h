// A model of another player's file.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "document.h"
#include "fxkit/host/model_info.h"

namespace fxkit::host::imports {

// What a file has to check itself with.
struct SelfCheck {
  std::vector<float> input;
  std::vector<double> output;
  double dry = 0;           // gain of the dry path, which some trainers leave out of `output`
  double tolerance = 1e-2;  // of the output's peak
};

struct Imported {
  std::string bytes;  // a model file without a probe, for Engine::open_unproven
  ModelInfo info;     // but path, latency, rate, knobs and back end
  std::optional<SelfCheck> check;
};

// One function for each file type, in a file of its own. All throw LoadError.
Imported read_nam(const Section& file);
Imported read_aidax(const Section& file);
Imported read_proteus(const Section& file);

// Whichever it is.
Imported read_json(std::string_view text);

}  // namespace fxkit::host::imports
