// A set of driver handles that is empty nearly always: asking an empty one costs a load. Thread-safe.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <mutex>
#include <unordered_set>
#include <utility>

namespace pvgpu::venus {

template <class H>
class HandleSet {
 public:
  bool empty() const { return count_.load(std::memory_order_acquire) == 0; }
  void insert(H handle) {
    const auto value = std::bit_cast<uint64_t>(handle);
    std::lock_guard lock(mutex_);
    if (spare_.empty()) {
      if (!set_.insert(value).second) return;
    } else {
      spare_.value() = value;
      auto inserted = set_.insert(std::move(spare_));
      spare_ = std::move(inserted.node);
      if (!inserted.inserted) return;
    }
    count_.fetch_add(1, std::memory_order_release);
  }
  // True if it was there.
  bool erase(H handle) {
    if (empty()) [[likely]] return false;
    std::lock_guard lock(mutex_);
    auto node = set_.extract(std::bit_cast<uint64_t>(handle));
    if (!node) return false;
    spare_ = std::move(node);
    count_.fetch_sub(1, std::memory_order_release);
    return true;
  }
  bool contains(H handle) const {
    if (empty()) [[likely]] return false;
    std::lock_guard lock(mutex_);
    return set_.contains(std::bit_cast<uint64_t>(handle));
  }

 private:
  std::atomic<uint32_t> count_{0};
  mutable std::mutex mutex_;
  std::unordered_set<uint64_t> set_;
  std::unordered_set<uint64_t>::node_type spare_;  // of the last that went: handles that come and go allocate nothing
};

}  // namespace pvgpu::venus
