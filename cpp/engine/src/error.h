#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace fxkit::engine {

// What is wrong with a file, in one line. Never leaves the C interface.
struct LoadError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A stranger's text for an error message: quoted, short, and on one line.
inline std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text.substr(0, 60)) {
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  }
  // A cut inside a character must not leave half of it.
  while (text.size() > 60 && out.size() > 1 && (out.back() & 0xc0) == 0x80) out.pop_back();
  if (text.size() > 60 && out.size() > 1 && (out.back() & 0xc0) == 0xc0) out.pop_back();
  return out + "'";
}

}  // namespace fxkit::engine
