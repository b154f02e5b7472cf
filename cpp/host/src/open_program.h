// From a model file without layers, but with a program, to what plays it.
#pragma once

#include <string>

#include "container.h"
#include "open.h"
#include "program.h"

namespace fxkit::host {

// Throws ProgramNotAllowed, Error or engine::LoadError. Nothing of a program that is not allowed is
// handed to a back end.
Opened open_program(const engine::Container& file, const std::string& path,
                    const OpenOptions& options);

}  // namespace fxkit::host
