#include "wav.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string_view>

namespace fxkit::tools {
namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

[[noreturn]] void fail(const std::string& path, const std::string& why) {
  throw std::runtime_error(path + ": " + why);
}

std::uint32_t number(const unsigned char* bytes, int size) {
  std::uint32_t value = 0;
  for (int i = size; i-- > 0;) value = value << 8 | bytes[i];
  return value;
}

std::vector<unsigned char> read_all(const std::string& path) {
  const File file(std::fopen(path.c_str(), "rb"));
  if (!file) fail(path, std::strerror(errno));
  std::vector<unsigned char> bytes, part(1 << 16);
  while (const std::size_t got = std::fread(part.data(), 1, part.size(), file.get())) {
    bytes.insert(bytes.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(got));
  }
  if (std::ferror(file.get())) fail(path, "cannot be read");
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
  struct stat status{};
  const bool there = stat(path.c_str(), &status) == 0;
  if (there && S_ISDIR(status.st_mode)) fail(path, "is a folder");
  const bool replace = !there || S_ISREG(status.st_mode);
  const std::string target = replace ? path + ".part" : path;
  File file(std::fopen(target.c_str(), "wb"));
  if (!file) fail(path, std::strerror(errno));
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size();
  const bool closed = std::fclose(file.release()) == 0;
  const bool done = written && closed;
  if (!done || (replace && std::rename(target.c_str(), path.c_str()) != 0)) {
    const std::string why = std::strerror(errno);
    if (replace) std::remove(target.c_str());
    fail(path, why);
  }
}

}  // namespace fxkit::tools
