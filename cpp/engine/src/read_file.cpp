#include "read_file.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "container.h"
#include "error.h"
#include "native_path.h"

namespace fxkit::engine {

std::vector<char> read_file(std::string_view path) {
  namespace fs = std::filesystem;
  const fs::path name = native_path(path);
  std::error_code failed;
  const auto refuse = [](const std::string& why) -> LoadError {
    return LoadError("cannot be read: " + why);
  };
  const fs::file_status status = fs::status(name, failed);
  if (status.type() == fs::file_type::not_found) throw LoadError("no such file");
  if (failed) throw refuse(failed.message());
  if (fs::is_directory(status)) throw LoadError("is a folder, not a model file");
  if (!fs::is_regular_file(status)) throw LoadError("is not an ordinary file");
  const std::uintmax_t size = fs::file_size(name, failed);
  if (failed) throw refuse(failed.message());
  if (size > max_file) throw LoadError("is too large for a model file");
  errno = 0;
  std::ifstream file(name, std::ios::binary);
  if (!file) throw refuse(std::strerror(errno));
  std::vector<char> bytes(static_cast<std::size_t>(size));
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (file.bad()) throw refuse(std::strerror(errno));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  return bytes;
}

}  // namespace fxkit::engine
