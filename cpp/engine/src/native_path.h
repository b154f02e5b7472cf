// A path in UTF-8, as everything here hands paths around, for the file system at hand: on Windows a
// plain string would be read in the user's code page.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace fxkit::engine {

inline std::filesystem::path native_path(std::string_view utf8) {
  return std::filesystem::path(std::u8string(utf8.begin(), utf8.end()));
}

inline std::string utf8_path(const std::filesystem::path& path) {
  const std::u8string text = path.u8string();
  return std::string(text.begin(), text.end());
}

}  // namespace fxkit::engine
