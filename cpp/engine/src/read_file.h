#pragma once

#include <string_view>
#include <vector>

namespace fxkit::engine {

// Reads an ordinary file of at most `max_file` bytes; the path is UTF-8. Throws LoadError.
std::vector<char> read_file(std::string_view path);

}  // namespace fxkit::engine
