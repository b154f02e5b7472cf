#include "open_program.h"

#include <algorithm>

#include "backend_library.h"
#include "fxkit/host/allowed_programs.h"
#include "manifest.h"
#include "model_info.h"
#include "probe.h"
#include "window_source.h"

namespace fxkit::host {
namespace {

void prove(const engine::Container& file, WindowSource& source, std::size_t controls) {
  const engine::Probe probe = engine::read_probe(file, controls);
  engine::check_probe(probe, source.play(probe.input, probe.knobs));
}

bool allowed(const std::string& hash, const OpenOptions& options) {
  const auto& extra = options.allowed_programs;
  return std::find(extra.begin(), extra.end(), hash) != extra.end() || program_allowed(hash);
}

}  // namespace

Opened open_program(const engine::Container& file, const std::string& path,
                    const OpenOptions& options) {
  const std::string& text = engine::manifest_text(file);
  const engine::Manifest manifest = engine::read_manifest(text);
  const ProgramInfo program = read_program_info(file);
  Opened opened;
  opened.info = info_of_manifest(text, path);
  if (program.controls != manifest.controls.size() || program.window - 1 != manifest.latency) {
    throw Error("damaged: program and manifest differ in knobs or latency");
  }
  if (!allowed(program.sha256, options)) {
    const std::string author = opened.info.author.empty() ? "unknown author" : opened.info.author;
    throw ProgramNotAllowed("it holds a program (" + opened.info.name + ", " + author +
                                "), which runs only if you trust its source: fxkit allow FILE",
                            program.sha256, opened.info.name + ", " + author);
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
