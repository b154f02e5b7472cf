// Hands objects to the audio thread and takes back what it no longer needs: no lock, no heap there.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

namespace fxkit::plugin {

template <class T>
class Handover {
 public:
  struct Item {
    std::unique_ptr<T> value;  // none: nothing plays
    Item* next = nullptr;      // in the list of what was given back
  };

  Handover() = default;
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;
  ~Handover() {
    collect();
    delete offered_.exchange(nullptr);
  }

  // Of several offers that wait the newest wins. From any one thread that may wait.
  void offer(std::unique_ptr<T> value) {
    auto item = std::make_unique<Item>();
    item->value = std::move(value);
    delete offered_.exchange(item.release(), std::memory_order_acq_rel);
  }

  // Audio thread: what is offered, or nullptr. The caller gives it back some day.
  Item* take() noexcept {
    if (!offered_.load(std::memory_order_relaxed)) return nullptr;
    return offered_.exchange(nullptr, std::memory_order_acq_rel);
  }

  // Audio thread.
  void give_back(Item* item) noexcept {
    item->next = returned_.load(std::memory_order_relaxed);
    while (!returned_.compare_exchange_weak(item->next, item, std::memory_order_release,
                                            std::memory_order_relaxed)) {
    }
  }

  // Frees what was given back. Any thread but the audio thread.
  void collect() {
    Item* item = returned_.exchange(nullptr, std::memory_order_acquire);
    while (item) delete std::exchange(item, item->next);
  }

 private:
  std::atomic<Item*> offered_{nullptr}, returned_{nullptr};
  static_assert(std::atomic<Item*>::is_always_lock_free);
};

}  // namespace fxkit::plugin
