#include "backend_library.h"

#include <dlfcn.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "fxkit/fxkit.hpp"

namespace fxkit::host {
namespace {

namespace fs = std::filesystem;

#if defined(__APPLE__)
constexpr const char* suffix = ".dylib";
#else
constexpr const char* suffix = ".so";
#endif

std::vector<fs::path> folders() {
  std::vector<fs::path> found;
  if (const char* named = std::getenv("FXKIT_BACKENDS")) {
    std::string_view rest = named;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(':'), rest.size());
      if (end > 0) found.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  // Of the binary that this code ended up in: a plug-in is not where its host's program is.
  Dl_info self{};
  if (dladdr(reinterpret_cast<const void*>(&folders), &self) && self.dli_fname) {
    std::error_code failed;
    const fs::path path = fs::canonical(self.dli_fname, failed);
    if (!failed) found.push_back(path.parent_path());
  }
  if (const char* home = std::getenv("HOME")) found.push_back(fs::path(home) / ".local/lib/fxkit");
  return found;
}

bool plain(const std::string& name) {
  return !name.empty() && name.size() <= 32 &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::islower(c) || std::isdigit(c) || c == '-';
         });
}

const fxkit_backend& open_library(const std::string& path) {
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char* why = dlerror();
    throw Error("the back end " + path + " cannot be opened: " + (why ? why : "unknown"));
  }
  const auto get =
      reinterpret_cast<fxkit_backend_get_function>(dlsym(library, FXKIT_BACKEND_SYMBOL));
  const fxkit_backend* const table = get ? get() : nullptr;
  if (!table || table->version != FXKIT_BACKEND_VERSION) {
    throw Error("the back end " + path + " is of another version: make backend builds it anew");
  }
  return *table;
}

}  // namespace

const fxkit_backend& find_backend(const std::string& name) {
  if (!plain(name)) throw Error("damaged: its program names no back end");
  for (const fs::path& folder : folders()) {
    const fs::path path = folder / ("libfxkit-" + name + suffix);
    std::error_code failed;
    if (fs::is_regular_file(path, failed)) return open_library(path.string());
  }
  throw Error("it needs the back end " + name + ", which is not installed: make backend, or put " +
              "libfxkit-" + name + suffix + " and what lies beside it into ~/.local/lib/fxkit");
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
