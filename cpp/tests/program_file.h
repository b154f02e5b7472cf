// Model files that hold a program, and a folder of their own for what the user allows.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "model_file.h"
#include "sha256.h"

namespace test {

// While it is there, the list of what is allowed is in its folder, and empty at first.
struct Home {
  Home() {
    folder = std::filesystem::temp_directory_path() / ("fxkit-test-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    setenv("XDG_CONFIG_HOME", folder.c_str(), 1);
  }
  ~Home() {
    std::filesystem::remove_all(folder);
    unsetenv("XDG_CONFIG_HOME");
  }
  std::filesystem::path folder;
};

inline std::string hash_of(const std::string& bytes) {
  return fxkit::host::sha256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

// Writes FOLDER/model.fxkit: `file` with the program `bytes` for the back end "fake". `hash`: what
// the file says of the program, by itself the truth.
inline std::filesystem::path write_program(const std::filesystem::path& folder, ModelFile file,
                                           const std::string& bytes, std::size_t window,
                                           std::size_t hop, std::string hash = {}) {
  file.tensors["program"] = {"U8", {bytes.size()}, bytes};
  if (hash.empty()) hash = hash_of(bytes);
  const std::string info = std::string("{\"backend\":\"fake\",\"version\":\"1\",\"window\":") +
                           std::to_string(window) + ",\"hop\":" + std::to_string(hop) +
                           ",\"latency\":" + std::to_string(window - 1) +
                           ",\"controls\":0,\"sha256\":\"" + hash + "\"}";
  const std::filesystem::path path = folder / "model.fxkit";
  std::ofstream out(path, std::ios::binary);
  out << file.pack({{"fxkit.format", "1"}, {"fxkit.manifest", file.manifest()},
                    {"fxkit.program", info}});
  return path;
}

}  // namespace test
