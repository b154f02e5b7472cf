#include "open.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

#include "container.h"
#include "engine_source.h"
#include "error.h"
#include "import/imported.h"
#include "model_info.h"
#include "open_program.h"
#include "read_file.h"

namespace fxkit::host {
namespace {

constexpr std::size_t max_json = std::size_t{1} << 26;  // ten times the largest that was seen

const char* isa_of(const OpenOptions& options) {
  return options.isa.empty() ? nullptr : options.isa.c_str();
}

std::string backend_of(const Engine& engine) { return "engine, " + std::string(engine.isa()); }

// A model file begins with the length of its header, which fits the file; in eight letters of text
// there is no such number.
bool is_artifact(std::string_view bytes) {
  if (bytes.size() < 10 || bytes[8] != '{') return false;
  std::uint64_t length = 0;
  for (std::size_t i = 8; i-- > 0;) length = length << 8 | static_cast<unsigned char>(bytes[i]);
  return length <= bytes.size();
}

bool is_json(std::string_view bytes) {
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.remove_prefix(3);
  const auto first = bytes.find_first_not_of(" \t\r\n");
  return first != bytes.npos && bytes[first] == '{';
}

Opened open_artifact(std::string_view bytes, const std::string& path, const OpenOptions& options) {
  const engine::Container file = engine::read_container(bytes);
  if (!file.metadata.contains("fxkit.graph") && has_program(file)) {
    return open_program(file, path, options);
  }
  Engine engine = Engine::open(bytes.data(), bytes.size(), isa_of(options));
  Opened opened;
  opened.info = info_of_manifest(engine.manifest(), path);
  opened.info.backend = backend_of(engine);
  opened.source = std::make_unique<EngineSource>(std::move(engine));
  return opened;
}

// Plays the samples that the file has to check itself with.
void prove(Engine& engine, const imports::SelfCheck& check) {
  std::vector<float> got(check.input.size());
  const float* in = check.input.data();
  float* out = got.data();
  engine.prepare(engine.sample_rate(), got.size(), 1);
  engine.process(&in, &out, got.size());
  double peak = 1e-6, error = 0, error_without_dry = 0;
  const auto grow = [](double& largest, double difference) {
    if (!(std::abs(difference) <= largest)) largest = std::abs(difference);  // NaN too
  };
  for (std::size_t i = 0; i < got.size(); ++i) {
    peak = std::max(peak, std::abs(check.output[i]));
    grow(error, got[i] - check.output[i]);
    grow(error_without_dry, got[i] - check.dry * check.input[i] - check.output[i]);
  }
  const double bound = check.tolerance * peak;
  if (!(error <= bound) && !(error_without_dry <= bound)) {
    throw engine::LoadError(
        "its self-check fails: the network does not make output_batch of input_batch");
  }
}

Opened open_json(std::string_view bytes, const std::string& path, const OpenOptions& options) {
  if (bytes.size() > max_json) throw engine::LoadError("is too large for a model file");
  imports::Imported imported = imports::read_json(bytes);
  Engine engine =
      Engine::open_unproven(imported.bytes.data(), imported.bytes.size(), isa_of(options));
  if (imported.check) prove(engine, *imported.check);
  Opened opened;
  opened.info = std::move(imported.info);
  opened.info.path = path;
  if (opened.info.name.empty()) opened.info.name = stem(path);
  opened.info.sample_rate = engine.sample_rate();
  opened.info.latency = engine.latency();
  for (const std::string& name : engine.control_names()) {
    opened.info.knobs.push_back({name, engine.control_default(opened.info.knobs.size())});
  }
  opened.info.backend = backend_of(engine);
  opened.source = std::make_unique<EngineSource>(std::move(engine));
  return opened;
}

}  // namespace

Opened open_file(const std::string& path, const OpenOptions& options) {
  try {
    const std::vector<char> bytes = engine::read_file(path);
    if (bytes.empty()) throw engine::LoadError("is empty");
    const std::string_view text(bytes.data(), bytes.size());
    if (!is_artifact(text) && is_json(text)) return open_json(text, path, options);
    return open_artifact(text, path, options);
  } catch (const ProgramNotAllowed& refused) {
    throw ProgramNotAllowed(path + ": " + refused.what(), refused.hash, refused.whose);
  } catch (const std::bad_alloc&) {
    throw Error(path + ": there is not enough memory");
  } catch (const std::exception& problem) {
    throw Error(path + ": " + problem.what());
  }
}

}  // namespace fxkit::host
