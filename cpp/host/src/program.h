// What a model file says about the program that it holds.
#pragma once

#include <cstddef>
#include <string>

#include "container.h"

namespace fxkit::host {

struct ProgramInfo {
  std::string backend;  // the name of what runs it
  std::string sha256;   // of the program
  std::size_t window = 0, hop = 0, controls = 0;  // samples, samples, knobs
};

bool has_program(const engine::Container& file);

// Reads it, and checks that it fits the program's bytes. Throws fxkit::Error or engine::LoadError.
ProgramInfo read_program_info(const engine::Container& file);

}  // namespace fxkit::host
