#include "shared_library.h"

#include "fxkit/fxkit.hpp"
#include "native_path.h"

#if defined(_WIN32)
#define NOMINMAX
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <system_error>
#else
#include <dlfcn.h>
#endif

namespace fxkit::host {
namespace {

Error refused(const std::filesystem::path& path, const std::string& why) {
  return Error("the back end " + engine::utf8_path(path) + " cannot be opened: " + why);
}

}  // namespace

#if defined(_WIN32)

void* open_shared_library(const std::filesystem::path& path) {
  // What the library needs lies beside it; the current folder is not searched.
  const HMODULE library = LoadLibraryExW(
      path.c_str(), nullptr, LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_DEFAULT_DIRS);
  if (library) return library;
  throw refused(path, std::system_category().message(static_cast<int>(GetLastError())));
}

void* shared_function(void* library, const char* name) {
  return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(library), name));
}

std::filesystem::path own_folder() {
  HMODULE self = nullptr;
  constexpr DWORD by_address =
      GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
  wchar_t path[MAX_PATH + 1];
  if (!GetModuleHandleExW(by_address, reinterpret_cast<const wchar_t*>(&own_folder), &self)) return {};
  const DWORD size = GetModuleFileNameW(self, path, MAX_PATH);
  return size > 0 && size < MAX_PATH ? std::filesystem::path(path).parent_path()
                                     : std::filesystem::path();
}

#else

void* open_shared_library(const std::filesystem::path& path) {
  if (void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) return library;
  const char* const why = dlerror();
  throw refused(path, why ? why : "unknown");
}

void* shared_function(void* library, const char* name) { return dlsym(library, name); }

std::filesystem::path own_folder() {
  Dl_info self{};
  if (!dladdr(reinterpret_cast<const void*>(&own_folder), &self) || !self.dli_fname) return {};
  std::error_code failed;
  const std::filesystem::path path = std::filesystem::canonical(self.dli_fname, failed);
  return failed ? std::filesystem::path() : path.parent_path();
}

#endif

}  // namespace fxkit::host
