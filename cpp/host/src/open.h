// From a file to what plays it.
#pragma once

#include <memory>
#include <string>

#include "fxkit/host/model_info.h"
#include "fxkit/host/sound.h"
#include "source.h"

namespace fxkit::host {

struct Opened {
  std::unique_ptr<Source> source;
  ModelInfo info;
};

// See Sound::open.
Opened open_file(const std::string& path, const OpenOptions& options);

}  // namespace fxkit::host
