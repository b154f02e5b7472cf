// Shared libraries that are opened at run time, on every system.
#pragma once

#include <filesystem>

namespace fxkit::host {

// Opens a library for as long as the process lives. Throws fxkit::Error with the system's reason.
void* open_shared_library(const std::filesystem::path& path);

// The function that a library exports by this name, or null.
void* shared_function(void* library, const char* name);

// The folder of the binary that this code is part of; empty where the system does not say. A
// plug-in is not where its host's program is.
std::filesystem::path own_folder();

}  // namespace fxkit::host
