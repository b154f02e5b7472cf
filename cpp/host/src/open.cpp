#include "open.h"

#include <string_view>
#include <vector>

#include "container.h"
#include "engine_source.h"
#include "error.h"
#include "model_info.h"

namespace fxkit::host {
namespace {

const char* isa_of(const OpenOptions& options) {
  return options.isa.empty() ? nullptr : options.isa.c_str();
}

Opened open_artifact(std::string_view bytes, const std::string& path, const OpenOptions& options) {
  Engine engine = Engine::open(bytes.data(), bytes.size(), isa_of(options));
  Opened opened;
  opened.info = info_of_manifest(engine.manifest(), path);
  opened.info.backend = "engine, " + std::string(engine.isa());
  opened.source = std::make_unique<EngineSource>(std::move(engine));
  return opened;
}

}  // namespace

Opened open_file(const std::string& path, const OpenOptions& options) {
  try {
    const std::vector<char> bytes = engine::read_file(path.c_str());
    return open_artifact({bytes.data(), bytes.size()}, path, options);
  } catch (const ProgramNotAllowed& refused) {
    throw ProgramNotAllowed(path + ": " + refused.what(), refused.hash);
  } catch (const std::bad_alloc&) {
    throw Error(path + ": there is not enough memory");
  } catch (const std::exception& problem) {
    throw Error(path + ": " + problem.what());
  }
}

}  // namespace fxkit::host
