// Reads whatever comes as a file of another player, and opens and plays what is made of it.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "error.h"
#include "fxkit/fxkit.h"
#include "import/imported.h"
#include "options.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fxkit::host::imports::Imported imported;
  try {
    imported = fxkit::host::imports::read_json({reinterpret_cast<const char*>(data), size});
  } catch (const fxkit::engine::LoadError& error) {
    if (!*error.what() || std::strchr(error.what(), '\n')) std::abort();  // one line, always
    return 0;
  }
  const std::string& bytes = imported.bytes;
  fxkit_engine* engine = fxkit_open_unproven(bytes.data(), bytes.size(), nullptr, nullptr, 0);
  if (engine && fxkit_prepare(engine, fxkit_sample_rate(engine), 64, 1, nullptr, 0)) {
    float samples[70] = {0.5f, -0.5f};
    float* row = samples;
    fxkit_process(engine, &row, &row, 70);
  }
  fxkit_close(engine);
  return 0;
}
