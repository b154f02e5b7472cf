// Floats for vector kernels, and the past of a signal.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>

#include "kernels/kernels.h"

namespace fxkit::engine {

// Floats that begin on a cache line, all 0.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t size)
      : size_(size),
        data_(static_cast<float*>(::operator new[](bytes(size), std::align_val_t{alignment}))) {
    clear();
  }

  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  std::size_t size() const { return size_; }
  void clear() {
    if (size_ > 0) std::memset(data(), 0, size_ * sizeof(float));
  }

 private:
  static constexpr std::size_t alignment = 64;
  static std::size_t bytes(std::size_t size) { return std::max<std::size_t>(size, 1) * sizeof(float); }

  struct Free {
    void operator()(float* p) const { ::operator delete[](p, std::align_val_t{alignment}); }
  };
  std::size_t size_ = 0;
  std::unique_ptr<float[], Free> data_;
};

// The last `past` frames of a few rows, and the block that is being played.
//
// Each row is a ring whose beginning is repeated behind its end, so that any stretch as long as a
// block can be read in one piece. What a block costs is always the same.
class History {
 public:
  History() = default;
  History(std::size_t rows, std::size_t past, std::size_t max_block)
      : rows_(rows),
        length_(padded(past + max_block)),
        block_(max_block),
        // An odd number of cache lines: rows do not compete for the same places of the cache.
        stride_((length_ + block_ + row_unit) / row_unit % 2 ? length_ + block_ + row_unit
                                                              : length_ + block_ + 2 * row_unit),
        data_(rows * stride_) {}

  void clear() {
    data_.clear();
    at_ = 0;
  }

  // Appends a block; before it, `advance` has to close the last one.
  void write(const float* x, std::size_t x_stride, std::size_t frames) {
    const std::size_t first = std::min(frames, length_ - at_);
    for (std::size_t row = 0; row < rows_; ++row, x += x_stride) {
      float* ring = data_.data() + row * stride_;
      put(ring, at_, x, first);
      put(ring, 0, x + first, frames - first);
    }
  }

  // Where the frame that came `back` frames before the block's first one lies in each row.
  std::size_t offset(std::size_t back) const {
    return back > at_ ? at_ + length_ - back : at_ - back;
  }

  // Where a frame of the block lies, counted from its first.
  std::size_t ahead(std::size_t frame) const {
    return at_ + frame >= length_ ? at_ + frame - length_ : at_ + frame;
  }

  const float* row(std::size_t row) const { return data_.data() + row * stride_; }
  std::size_t stride() const { return stride_; }

  void advance(std::size_t frames) {
    at_ += frames;
    if (at_ >= length_) at_ -= length_;
  }

 private:
  void put(float* ring, std::size_t at, const float* x, std::size_t count) const {
    if (count == 0) return;
    std::memcpy(ring + at, x, count * sizeof(float));
    if (at < block_) {
      std::memcpy(ring + length_ + at, x, std::min(count, block_ - at) * sizeof(float));
    }
  }

  std::size_t rows_ = 0, length_ = 0, block_ = 0, stride_ = 0, at_ = 0;
  Buffer data_;
};

}  // namespace fxkit::engine
