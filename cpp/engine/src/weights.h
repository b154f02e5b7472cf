// Weights as the kernels read them.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "error.h"
#include "memory.h"

namespace fxkit::engine {

class Weights {
 public:
  // `file_numbers`: the numbers that the file holds; what is packed stays in proportion to it.
  explicit Weights(std::size_t file_numbers) : left_(4 * file_numbers + (std::size_t{1} << 24)) {}

  // The packed form of `tensors` for the purpose `kind`: what fill(float*) writes, but only once.
  template <class Fill>
  const float* get(int kind, std::vector<const void*> tensors, std::size_t size, Fill fill) {
    auto& entry = packed_[{kind, std::move(tensors)}];
    if (!entry) {
      if (size > left_) throw LoadError("the graph uses more weights than its file should have");
      left_ -= size;
      entry = std::make_unique<Buffer>(size);
      fill(entry->data());
    }
    return entry->data();
  }

 private:
  std::size_t left_;
  std::map<std::pair<int, std::vector<const void*>>, std::unique_ptr<Buffer>> packed_;
};

}  // namespace fxkit::engine
