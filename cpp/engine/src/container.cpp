#include "container.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

#include "error.h"
#include "json.h"

namespace fxkit::engine {
namespace {

constexpr std::size_t max_header = std::size_t{1} << 24;

struct DtypeInfo {
  std::string_view name;
  Dtype dtype;
  std::size_t size;
};

constexpr DtypeInfo dtypes[] = {
    {"F64", Dtype::f64, 8},   {"F32", Dtype::f32, 4}, {"F16", Dtype::f16, 2},
    {"BF16", Dtype::bf16, 2}, {"I64", Dtype::i64, 8}, {"I32", Dtype::i32, 4},
    {"U8", Dtype::u8, 1},     {"BOOL", Dtype::boolean, 1},
};

std::uint64_t little_endian(const unsigned char* bytes, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;) value = value << 8 | bytes[i];
  return value;
}

// A number is not finite where all bits of its exponent are set.
bool finite(const Tensor& tensor, std::size_t size) {
  std::uint64_t exponent = 0;
  switch (tensor.dtype) {
    case Dtype::f64:
      exponent = 0x7ffull << 52;
      break;
    case Dtype::f32:
      exponent = 0xffull << 23;
      break;
    case Dtype::f16:
      exponent = 0x1full << 10;
      break;
    case Dtype::bf16:
      exponent = 0xffull << 7;
      break;
    default:
      return true;
  }
  for (std::size_t i = 0; i < tensor.count; ++i) {
    if ((little_endian(tensor.data + i * size, size) & exponent) == exponent) return false;
  }
  return true;
}

std::size_t whole_number(Json& json) {
  const auto number = json.number();
  if (!number.whole || number.value < 0) {
    throw LoadError("damaged: its header has a number that cannot be");
  }
  return static_cast<std::size_t>(number.value);
}

struct Entry {
  std::optional<DtypeInfo> dtype;
  std::optional<std::vector<std::size_t>> shape;
  std::optional<std::array<std::size_t, 2>> offsets;
};

Entry read_entry(Json& json, const std::string& name) {
  Entry entry;
  json.object([&](std::string key) {
    if (key == "dtype" && !entry.dtype) {
      const std::string text = json.string();
      for (const auto& info : dtypes) {
        if (info.name == text) entry.dtype = info;
      }
      if (!entry.dtype) {
        throw LoadError("tensor " + quoted(name) + " is of type " + quoted(text) +
                        ", not allowed here");
      }
    } else if (key == "shape" && !entry.shape) {
      entry.shape.emplace();
      json.array([&] { entry.shape->push_back(whole_number(json)); });
    } else if (key == "data_offsets" && !entry.offsets) {
      std::vector<std::size_t> pair;
      json.array([&] { pair.push_back(whole_number(json)); });
      if (pair.size() != 2) throw LoadError("damaged: tensor " + quoted(name) + " lies nowhere");
      entry.offsets = {pair[0], pair[1]};
    } else {
      throw LoadError("damaged: tensor " + quoted(name) + " has a strange entry " + quoted(key));
    }
  });
  if (!entry.dtype || !entry.shape || !entry.offsets) {
    throw LoadError("damaged: tensor " + quoted(name) + " is not described");
  }
  return entry;
}

Tensor make_tensor(Entry entry, const std::string& name, std::string_view data) {
  const auto [begin, end] = *entry.offsets;
  std::size_t count = 1, bytes = 0;
  bool sound = begin <= end && end <= data.size();
  for (const std::size_t n : *entry.shape) {
    sound = sound && !__builtin_mul_overflow(count, n, &count);
  }
  sound = sound && !__builtin_mul_overflow(count, entry.dtype->size, &bytes);
  if (!sound || bytes != end - begin) {
    throw LoadError("damaged: tensor " + quoted(name) + " does not lie where it should");
  }
  Tensor tensor{entry.dtype->dtype, std::move(*entry.shape),
                reinterpret_cast<const unsigned char*>(data.data()) + begin, count};
  if (!finite(tensor, entry.dtype->size)) {
    throw LoadError("tensor " + quoted(name) + " holds NaN or infinite numbers");
  }
  return tensor;
}

void read_metadata(Json& json, Container& container) {
  if (json.peek() != Json::Kind::object) throw LoadError("damaged: its metadata must be text");
  json.object([&](std::string key) {
    if (json.peek() != Json::Kind::string) throw LoadError("damaged: its metadata must be text");
    if (!container.metadata.emplace(std::move(key), json.string()).second) {
      throw LoadError("damaged: its metadata has an entry twice");
    }
  });
}

}  // namespace

std::vector<float> Tensor::floats() const {
  std::vector<float> out(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto bits = static_cast<std::uint32_t>(little_endian(data + 4 * i, 4));
    std::memcpy(&out[i], &bits, 4);
  }
  return out;
}

Container read_container(std::string_view bytes) {
  if (bytes.empty()) throw LoadError("is empty");
  if (bytes.size() > max_file) throw LoadError("is too large for a model file");
  if (bytes.substr(0, 4) == std::string_view("PK\3\4", 4)) {
    throw LoadError("is a zip archive, not a model file of fxkit");
  }
  if (bytes.size() < 10 || bytes[8] != '{') throw LoadError("is not a model file of fxkit");
  const auto* raw = reinterpret_cast<const unsigned char*>(bytes.data());
  const std::uint64_t length = little_endian(raw, 8);
  if (length > max_header || length > bytes.size() - 8) {
    throw LoadError("damaged or cut off: its header is longer than the file");
  }
  const std::string_view data = bytes.substr(8 + length);
  Container container;
  bool has_metadata = false;
  std::vector<std::array<std::size_t, 2>> ranges;
  Json json(bytes.substr(8, length), "its header");
  json.object([&](std::string name) {
    if (name == "__metadata__") {
      if (std::exchange(has_metadata, true)) throw LoadError("damaged: it has metadata twice");
      read_metadata(json, container);
      return;
    }
    if (json.peek() != Json::Kind::object) {
      throw LoadError("damaged: tensor " + quoted(name) + " is not described");
    }
    Entry entry = read_entry(json, name);
    ranges.push_back(*entry.offsets);
    Tensor tensor = make_tensor(std::move(entry), name, data);
    if (!container.tensors.emplace(name, std::move(tensor)).second) {
      throw LoadError("damaged: tensor " + quoted(name) + " is there twice");
    }
  });
  json.end();
  if (!has_metadata) throw LoadError("is a safetensors file, but not a model file of fxkit");
  // No gaps, no overlaps, nothing behind: each byte belongs to one tensor.
  std::sort(ranges.begin(), ranges.end());
  std::size_t end = 0;
  for (const auto& [from, to] : ranges) {
    if (from != end) throw LoadError("damaged: its tensors overlap, or have gaps between them");
    end = to;
  }
  if (end != data.size()) throw LoadError("damaged or cut off: its tensors do not fill the file");
  return container;
}

}  // namespace fxkit::engine
