// SHA-256 (FIPS 180-4), by which programs are known.
#pragma once

#include <cstddef>
#include <string>

namespace fxkit::host {

// In 64 lower-case hexadecimal digits.
std::string sha256(const unsigned char* data, std::size_t size);

}  // namespace fxkit::host
