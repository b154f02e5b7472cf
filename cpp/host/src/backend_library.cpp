#include "backend_library.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "fxkit/fxkit.hpp"
#include "native_path.h"
#include "shared_library.h"

namespace fxkit::host {
namespace {

namespace fs = std::filesystem;

#if defined(_WIN32)
constexpr const char* suffix = ".dll";
constexpr char between_folders = ';';
constexpr const char* own_variable = "LOCALAPPDATA";
constexpr const char* own_place = "fxkit";  // in the folder that the variable names
#else
#if defined(__APPLE__)
constexpr const char* suffix = ".dylib";
#else
constexpr const char* suffix = ".so";
#endif
constexpr char between_folders = ':';
constexpr const char* own_variable = "HOME";
constexpr const char* own_place = ".local/lib/fxkit";
#endif

std::vector<fs::path> folders() {
  std::vector<fs::path> found;
  if (const char* named = std::getenv("FXKIT_BACKENDS")) {
    std::string_view rest = named;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(between_folders), rest.size());
      if (end > 0) found.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  if (const fs::path beside = own_folder(); !beside.empty()) found.push_back(beside);
  if (const char* own = std::getenv(own_variable)) found.push_back(fs::path(own) / own_place);
  return found;
}

bool plain(const std::string& name) {
  return !name.empty() && name.size() <= 32 &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::islower(c) || std::isdigit(c) || c == '-';
         });
}

const fxkit_backend& open_library(const fs::path& path) {
  const auto get = reinterpret_cast<fxkit_backend_get_function>(
      shared_function(open_shared_library(path), FXKIT_BACKEND_SYMBOL));
  const fxkit_backend* const table = get ? get() : nullptr;
  if (!table || table->version != FXKIT_BACKEND_VERSION) {
    throw Error("the back end " + engine::utf8_path(path) +
                " is of another version: make backend builds it anew");
  }
  return *table;
}

}  // namespace

const fxkit_backend& find_backend(const std::string& name) {
  if (!plain(name)) throw Error("damaged: its program names no back end");
  for (const fs::path& folder : folders()) {
    const fs::path path = folder / ("libfxkit-" + name + suffix);
    std::error_code failed;
    if (fs::is_regular_file(path, failed)) return open_library(path);
  }
  const char* const own = std::getenv(own_variable);
  throw Error("it needs the back end " + name + ", which is not installed: make backend, or put " +
              "libfxkit-" + name + suffix + " and what lies beside it into " +
              engine::utf8_path(fs::path(own ? own : "") / own_place));
}

WindowProgram::WindowProgram(const fxkit_backend& backend, std::string_view bytes)
    : backend_(backend) {
  char error[512] = "";
  program_ = backend_.open(bytes.data(), bytes.size(), error, sizeof error);
  if (!program_) throw Error("its program cannot be used: " + std::string(error));
}

WindowProgram::~WindowProgram() { backend_.close(program_); }

std::size_t WindowProgram::window() const { return backend_.window(program_); }
std::size_t WindowProgram::controls() const { return backend_.controls(program_); }

bool WindowProgram::run(const float* in, const float* controls, float* out) noexcept {
  return backend_.run(program_, in, controls, out, nullptr, 0) == 1;
}

}  // namespace fxkit::host
