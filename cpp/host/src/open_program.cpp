#include "open_program.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "backend_library.h"
#include "fxkit/host/allowed_programs.h"
#include "manifest.h"
#include "model_info.h"
#include "window_source.h"

namespace fxkit::host {
namespace {

// As the engine and fxkit in Python: of the probe's largest sample, but never below full scale's.
constexpr double tolerance = 1e-4, floor_level = 1e-6;
constexpr std::size_t max_probe = std::size_t{1} << 20;

std::vector<float> row(const engine::Container& file, const std::string& name) {
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end() || found->second.dtype != engine::Dtype::f32 ||
      found->second.shape.size() != 1 || found->second.count == 0 ||
      found->second.count > max_probe) {
    throw Error("damaged: " + name + " must be there, one row of 32-bit floats");
  }
  return found->second.floats();
}

void prove(const engine::Container& file, WindowSource& source, std::size_t controls) {
  const auto input = row(file, "probe.input"), wanted = row(file, "probe.output");
  const auto knobs = controls > 0 ? row(file, "probe.controls") : std::vector<float>();
  if (wanted.size() != input.size() || knobs.size() != controls) {
    throw Error("damaged: its probe does not fit together");
  }
  const auto got = source.play(input, knobs);
  double error = 0, peak = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double difference = std::abs(static_cast<double>(got[i]) - wanted[i]);
    if (!(difference <= error)) error = difference;  // NaN too
    peak = std::max(peak, std::abs(static_cast<double>(wanted[i])));
  }
  if (!(error <= std::max(tolerance * peak, floor_level))) {
    throw Error("damaged: its program plays the probe " +
                std::to_string(error / std::max(peak, floor_level)) +
                " of the peak away from the model");
  }
}

bool allowed(const std::string& hash, const OpenOptions& options) {
  const auto& extra = options.allowed_programs;
  return std::find(extra.begin(), extra.end(), hash) != extra.end() || program_allowed(hash);
}

}  // namespace

Opened open_program(const engine::Container& file, const std::string& path,
                    const OpenOptions& options) {
  const auto version = file.metadata.find("fxkit.format");
  if (version == file.metadata.end() || version->second != "1") {
    throw Error("its format is not the version 1 that this fxkit reads: update fxkit");
  }
  const auto text = file.metadata.find("fxkit.manifest");
  if (text == file.metadata.end()) throw Error("damaged: it has no manifest");
  const engine::Manifest manifest = engine::read_manifest(text->second);
  const ProgramInfo program = read_program_info(file);
  Opened opened;
  opened.info = info_of_manifest(text->second, path);
  if (program.controls != manifest.controls.size() || program.window - 1 != manifest.latency) {
    throw Error("damaged: program and manifest differ in knobs or latency");
  }
  if (!allowed(program.sha256, options)) {
    throw ProgramNotAllowed("it holds a program of " +
                                (opened.info.author.empty() ? std::string("an unknown author")
                                                            : opened.info.author) +
                                ", which runs only if you trust its source: fxkit allow FILE",
                            program.sha256);
  }
  const fxkit_backend& backend = find_backend(program.backend);
  const engine::Tensor& bytes = file.tensors.find("program")->second;
  WindowSettings settings{opened.info.sample_rate, program.window, program.hop, {}};
  for (const Knob& knob : opened.info.knobs) settings.knobs.push_back(knob.standard);
  auto source = std::make_unique<WindowSource>(
      std::make_unique<WindowProgram>(
          backend, std::string_view(reinterpret_cast<const char*>(bytes.data), bytes.count)),
      std::move(settings));
  prove(file, *source, program.controls);
  opened.info.backend = program.backend + " " + backend.runtime;
  opened.source = std::move(source);
  return opened;
}

}  // namespace fxkit::host
