#include "fxkit/host/allowed_programs.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "fxkit/fxkit.hpp"
#include "native_path.h"

namespace fxkit::host {
namespace {

std::filesystem::path variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? std::filesystem::path(value) : std::filesystem::path();
}

std::filesystem::path file() {
#if defined(_WIN32)
  const std::filesystem::path folder = variable("APPDATA");
#elif defined(__APPLE__)
  std::filesystem::path folder = variable("HOME");
  if (!folder.empty()) folder = folder / "Library" / "Application Support";
#else
  std::filesystem::path folder = variable("XDG_CONFIG_HOME");
  if (!folder.is_absolute()) {  // the specification says to ignore others
    folder = variable("HOME");
    if (!folder.empty()) folder /= ".config";
  }
#endif
  return folder.empty() ? folder : folder / "fxkit" / "allowed-programs";
}

bool is_hash(const std::string& text) {
  return text.size() == 64 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c); });
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

std::string allowed_programs_file() { return engine::utf8_path(file()); }

bool program_allowed(const std::string& hash) {
  if (!is_hash(hash)) return false;
  std::ifstream in(file());
  std::string line;
  while (std::getline(in, line)) {
    const std::string word = line.substr(0, line.find_first_of(" \t\r"));
    if (is_hash(word) && lower(word) == lower(hash)) return true;
  }
  return false;
}

void allow_program(const std::string& hash, const std::string& note) {
  if (!is_hash(hash)) throw Error("a program is allowed by its SHA-256, 64 hexadecimal digits");
  if (program_allowed(hash)) return;
  const std::filesystem::path path = file();
  if (path.empty()) throw Error("the user has no folder for settings");
  std::error_code failed;
  std::filesystem::create_directories(path.parent_path(), failed);
  bool open_line = false;  // whether the last line lacks its end
  {
    std::ifstream in(path, std::ios::binary | std::ios::ate);
    if (in && in.tellg() > 0) {
      in.seekg(-1, std::ios::end);
      open_line = in.get() != '\n';
    }
  }
  std::ofstream out(path, std::ios::app | std::ios::binary);
  std::string line = lower(hash);
  if (!note.empty()) line += "  " + note;
  std::replace_if(line.begin(), line.end(), [](unsigned char c) { return c < ' '; }, ' ');
  out << (open_line ? "\n" : "") << line << '\n';
  out.close();
  if (!out) throw Error("cannot write " + engine::utf8_path(path));
}

}  // namespace fxkit::host
