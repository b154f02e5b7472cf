// WAV files, as much as a command-line tool needs: PCM of 16, 24 and 32 bits, and 32-bit floats.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace fxkit::tools {

struct Wav {
  unsigned sample_rate = 0;                  // Hz
  std::vector<std::vector<float>> channels;  // full scale +-1
};

// Throw std::runtime_error, with one line that says what is wrong.
Wav read_wav(const std::string& path);

// Writes 32-bit floats, complete or not at all.
void write_wav(const std::string& path, const Wav& wav);

}  // namespace fxkit::tools
