// A back end for the tests. A program is a text: KIND WINDOW KNOBS MICROSECONDS, where KIND is
// `gain` (by the first knob, or by a half), `reverse` (in time) or `fail`.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <sstream>
#include <string>
#include <thread>

#include "fxkit/host/backend.h"

struct fxkit_backend_program {
  std::string kind;
  std::size_t window = 0, knobs = 0;
  int microseconds = 0;
};

namespace {

fxkit_backend_program* open(const void* data, std::size_t size, char* error, std::size_t room) {
  std::istringstream text(std::string(static_cast<const char*>(data), size));
  auto* program = new fxkit_backend_program;
  text >> program->kind >> program->window >> program->knobs >> program->microseconds;
  const bool known =
      program->kind == "gain" || program->kind == "reverse" || program->kind == "fail";
  if (text && known && program->window > 0) return program;
  delete program;
  std::snprintf(error, room, "this is no program");
  return nullptr;
}

int run(fxkit_backend_program* program, const float* in, const float* knobs, float* out, char* error,
        std::size_t room) {
  if (program->microseconds > 0) {
    std::this_thread::sleep_for(std::chrono::microseconds(program->microseconds));
  }
  if (program->kind == "fail") {
    if (error != nullptr) std::snprintf(error, room, "as it was told to");
    return 0;
  }
  std::copy_n(in, program->window, out);
  if (program->kind == "reverse") {
    std::reverse(out, out + program->window);
  } else {
    const float gain = program->knobs > 0 ? knobs[0] : 0.5f;
    for (std::size_t i = 0; i < program->window; ++i) out[i] *= gain;
  }
  return 1;
}

const fxkit_backend backend = {
    FXKIT_BACKEND_VERSION,
    "fake",
    "1",
    open,
    [](const fxkit_backend_program* program) { return program->window; },
    [](const fxkit_backend_program* program) { return program->knobs; },
    run,
    [](fxkit_backend_program* program) { delete program; },
};

}  // namespace

extern "C" FXKIT_BACKEND_EXPORT const fxkit_backend* fxkit_backend_get() {
  return &backend;
}
