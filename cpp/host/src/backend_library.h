// Finds and opens the shared library that runs a program.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "fxkit/host/backend.h"

namespace fxkit::host {

// Looks for libfxkit-NAME.so (.dylib, .dll) in the folders of FXKIT_BACKENDS, beside the binary that
// this code is part of, and in ~/.local/lib/fxkit (on Windows %LOCALAPPDATA%\fxkit). It stays open
// until the process ends: a library that has registered operators must not be unloaded. Throws
// fxkit::Error.
const fxkit_backend& find_backend(const std::string& name);

// A program, ready to run; in one thread at a time.
class WindowProgram {
 public:
  // Throws fxkit::Error where the program is damaged.
  WindowProgram(const fxkit_backend& backend, std::string_view bytes);
  ~WindowProgram();
  WindowProgram(const WindowProgram&) = delete;
  WindowProgram& operator=(const WindowProgram&) = delete;

  std::size_t window() const;
  std::size_t controls() const;

  // One window; false where the program fails. `out` may not be `in`.
  bool run(const float* in, const float* controls, float* out) noexcept;

 private:
  const fxkit_backend& backend_;
  fxkit_backend_program* program_;
};

}  // namespace fxkit::host
