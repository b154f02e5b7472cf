// What is known about a model before it is heard.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace fxkit::host {

struct Knob {
  std::string name;
  float standard = 0.5f;  // the default, in 0..1
};

// Texts are UTF-8 and empty where the file does not say.
struct ModelInfo {
  std::string path;
  std::string name;  // falls back to the file's stem
  std::string author, gear, licence, task;
  std::string format;            // "fxkit", "nam", "aida-x" or "proteus"
  double sample_rate = 0;        // the model's own, Hz
  std::size_t latency = 0;       // the model's own, in its samples
  std::vector<Knob> knobs;
  std::optional<double> esr;              // score on held-out recordings
  std::optional<double> output_loudness;  // LUFS, of what it was trained to sound like
  std::string backend;                    // what computes the samples: "engine, avx512"
};

}  // namespace fxkit::host
