#pragma once

#include <string>
#include <string_view>

#include "fxkit/host/model_info.h"

namespace fxkit::host {

// What the manifest of a model file says. The manifest has been checked. Throws engine::LoadError.
ModelInfo info_of_manifest(std::string_view manifest, const std::string& path);

// The name of a file without folders and ending.
std::string stem(const std::string& path);

}  // namespace fxkit::host
