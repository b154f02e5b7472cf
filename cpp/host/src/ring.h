// A ring of slots between one thread that fills them and one that empties them, without locks.
#pragma once

#include <atomic>
#include <cstddef>
#include <vector>

namespace fxkit::host {

template <class T>
class Ring {
 public:
  // Not while one of the two threads runs.
  void assign(std::size_t count, const T& slot) {
    slots_.assign(count, slot);
    filled_ = emptied_ = 0;
  }

  // The next slot to fill; null while all are full.
  T* writable() noexcept {
    const std::size_t filled = filled_.load(std::memory_order_relaxed);
    const bool full = filled - emptied_.load(std::memory_order_acquire) == slots_.size();
    return full ? nullptr : &slots_[filled % slots_.size()];
  }
  void publish() noexcept { filled_.fetch_add(1, std::memory_order_release); }

  // The slot that was filled first, or the one `ahead` after it; null where there is none.
  T* readable(std::size_t ahead = 0) noexcept {
    const std::size_t emptied = emptied_.load(std::memory_order_relaxed);
    const bool there = filled_.load(std::memory_order_acquire) - emptied > ahead;
    return there ? &slots_[(emptied + ahead) % slots_.size()] : nullptr;
  }
  // Whether all that was filled has been released.
  bool empty() const noexcept {
    return filled_.load(std::memory_order_relaxed) == emptied_.load(std::memory_order_acquire);
  }
  void release() noexcept { emptied_.fetch_add(1, std::memory_order_release); }

 private:
  std::vector<T> slots_;
  std::atomic<std::size_t> filled_{0}, emptied_{0};
};

}  // namespace fxkit::host
