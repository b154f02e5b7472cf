#include "wav.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string_view>

#include "native_path.h"

namespace fxkit::tools {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& path, const std::string& why) {
  throw std::runtime_error(path + ": " + why);
}

std::uint32_t number(const unsigned char* bytes, int size) {
  std::uint32_t value = 0;
  for (int i = size; i-- > 0;) value = value << 8 | bytes[i];
  return value;
}

std::vector<unsigned char> read_all(const std::string& path) {
  errno = 0;
  std::ifstream file(engine::native_path(path), std::ios::binary);
  if (!file) fail(path, std::strerror(errno));
  std::vector<unsigned char> bytes;
  std::vector<char> part(1 << 16);
  do {
    file.read(part.data(), static_cast<std::streamsize>(part.size()));
    bytes.insert(bytes.end(), part.begin(), part.begin() + file.gcount());
  } while (file);
  if (file.bad()) fail(path, "cannot be read");
  return bytes;
}

struct Encoding {
  unsigned format = 0, channels = 0, bits = 0;
};

float sample(const unsigned char* bytes, const Encoding& encoding) {
  const std::uint32_t raw = number(bytes, static_cast<int>(encoding.bits / 8));
  if (encoding.format == 3) {
    float value;
    std::memcpy(&value, &raw, 4);
    return value;
  }
  // To the top of 32 bits, so that the sign is where it belongs.
  const auto value = static_cast<std::int32_t>(raw << (32 - encoding.bits));
  return static_cast<float>(value / 2147483648.0);
}

}  // namespace

Wav read_wav(const std::string& path) {
  const auto bytes = read_all(path);
  const auto tag = [&](std::size_t at, const char* name) {
    return at + 4 <= bytes.size() && std::memcmp(bytes.data() + at, name, 4) == 0;
  };
  if (!tag(0, "RIFF") || !tag(8, "WAVE")) fail(path, "is not a WAV file");
  Wav wav;
  Encoding encoding;
  for (std::size_t at = 12; at + 8 <= bytes.size();) {
    const std::size_t start = at + 8;
    const std::size_t size =
        std::min<std::size_t>(number(bytes.data() + at + 4, 4), bytes.size() - start);
    const unsigned char* chunk = bytes.data() + start;
    if (tag(at, "fmt ") && size >= 16) {
      encoding = {number(chunk, 2), number(chunk + 2, 2), number(chunk + 14, 2)};
      // The extensible form says what it is in the first two bytes of an identifier.
      if (encoding.format == 0xfffe && size >= 26) encoding.format = number(chunk + 24, 2);
      wav.sample_rate = number(chunk + 4, 4);
    } else if (tag(at, "data")) {
      const bool pcm = encoding.format == 1 &&
                       (encoding.bits == 16 || encoding.bits == 24 || encoding.bits == 32);
      if (!pcm && !(encoding.format == 3 && encoding.bits == 32)) {
        fail(path, "must be PCM of 16, 24 or 32 bits, or 32-bit floats");
      }
      if (encoding.channels == 0 || encoding.channels > 64) fail(path, "has a strange header");
      // A program that writes into a pipe does not know the size.
      const std::size_t claimed = number(bytes.data() + at + 4, 4);
      if (size < claimed && claimed != 0xffffffff) fail(path, "is cut off");
      if (size == 0) fail(path, "has no samples");
      const std::size_t step = encoding.bits / 8, frame = step * encoding.channels;
      wav.channels.assign(encoding.channels, std::vector<float>(size / frame));
      for (std::size_t t = 0; t < size / frame; ++t) {
        for (std::size_t c = 0; c < encoding.channels; ++c) {
          wav.channels[c][t] = sample(chunk + t * frame + c * step, encoding);
        }
      }
      return wav;
    }
    at = start + size + size % 2;
  }
  fail(path, "has no samples");
}

void write_wav(const std::string& path, const Wav& wav) {
  const std::size_t frames = wav.channels.at(0).size(), channels = wav.channels.size();
  const std::size_t size = frames * channels * 4;
  if (size > 0xffffff00u) fail(path, "a WAV file cannot be that long");
  std::string bytes;
  const auto put = [&](std::size_t value, int count) {
    for (int i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i));
  };
  bytes += "RIFF";
  put(size + 50, 4);
  bytes += "WAVEfmt ";
  put(18, 4);
  put(3, 2);
  put(channels, 2);
  put(wav.sample_rate, 4);
  put(wav.sample_rate * channels * 4, 4);
  put(channels * 4, 2);
  put(32, 2);
  put(0, 2);
  bytes += "fact";
  put(4, 4);
  put(frames, 4);
  bytes += "data";
  put(size, 4);
  bytes.reserve(bytes.size() + size);
  for (std::size_t t = 0; t < frames; ++t) {
    for (const auto& channel : wav.channels) {
      std::uint32_t raw;
      std::memcpy(&raw, &channel[t], 4);
      put(raw, 4);
    }
  }
  // A file gets its name when it is complete. A device or a pipe must stay what it is.
  std::error_code failed;
  const fs::file_status status = fs::status(engine::native_path(path), failed);
  if (fs::is_directory(status)) fail(path, "is a folder");
  const bool replace = !fs::exists(status) || fs::is_regular_file(status);
  const fs::path target = engine::native_path(replace ? path + ".part" : path);
  errno = 0;
  std::ofstream file(target, std::ios::binary);
  if (!file) fail(path, std::strerror(errno));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  std::string why = file ? "" : std::strerror(errno);
  if (why.empty() && replace) {
    fs::rename(target, engine::native_path(path), failed);
    if (failed) why = failed.message();
  }
  if (!why.empty()) {
    if (replace) fs::remove(target, failed);
    fail(path, why);
  }
}

}  // namespace fxkit::tools
