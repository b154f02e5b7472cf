// Memory for what lasts no longer than one operator: after the first run no call to the heap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <executorch/runtime/core/memory_allocator.h>

namespace fxkit::executorch_backend {

// Hands out pieces of blocks that it keeps; reset() makes all of them free again.
class Arena final : public executorch::runtime::MemoryAllocator {
 public:
  Arena() : MemoryAllocator(0, nullptr) {}

  void* allocate(std::size_t size, std::size_t alignment) override {
    if (alignment == 0 || (alignment & (alignment - 1)) != 0 || size > most) return nullptr;
    for (; block_ < blocks_.size(); ++block_, used_ = 0) {
      if (void* found = piece(size, alignment)) return found;
    }
    Block block{nullptr, std::max(smallest, size + alignment)};
    block.data.reset(new (std::nothrow) std::uint8_t[block.size]);
    if (!block.data) return nullptr;
    blocks_.push_back(std::move(block));
    return piece(size, alignment);
  }

  void reset() override { block_ = used_ = 0; }
  std::size_t used_size() const override { return used_; }

 private:
  static constexpr std::size_t smallest = 1 << 20, most = std::size_t{1} << 32;

  struct Block {
    std::unique_ptr<std::uint8_t[]> data;
    std::size_t size;
  };

  void* piece(std::size_t size, std::size_t alignment) {
    const Block& block = blocks_[block_];
    const auto address = reinterpret_cast<std::uintptr_t>(block.data.get()) + used_;
    const std::size_t padding = (alignment - address % alignment) % alignment;
    if (used_ + padding + size > block.size) return nullptr;
    used_ += padding + size;
    return block.data.get() + used_ - size;
  }

  std::vector<Block> blocks_;
  std::size_t block_ = 0, used_ = 0;
};

}  // namespace fxkit::executorch_backend
