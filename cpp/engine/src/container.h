// The bytes of a model file: safetensors, read with distrust.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fxkit::engine {

enum class Dtype { f64, f32, f16, bf16, i64, i32, u8, boolean };

// One tensor of the file; the data stays where it is.
struct Tensor {
  Dtype dtype;
  std::vector<std::size_t> shape;
  const unsigned char* data;  // not aligned
  std::size_t count;          // numbers

  std::vector<float> floats() const;  // of an f32
};

struct Container {
  std::map<std::string, std::string, std::less<>> metadata;
  std::map<std::string, Tensor, std::less<>> tensors;
};

constexpr std::size_t max_file = std::size_t{1} << 32;

// Checks the whole file: that the header is sound, that the tensors cover the rest of the file
// exactly, and that their numbers are finite. The result refers to `bytes`. Throws LoadError.
Container read_container(std::string_view bytes);

}  // namespace fxkit::engine
