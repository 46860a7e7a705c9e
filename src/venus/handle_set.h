// A set of driver handles that is empty nearly always: asking an empty one costs a load. Thread-safe.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <mutex>
#include <unordered_set>

namespace pvgpu::venus {

template <class H>
class HandleSet {
 public:
  bool empty() const { return count_.load(std::memory_order_acquire) == 0; }
  void insert(H handle) {
    std::lock_guard lock(mutex_);
    if (set_.insert(std::bit_cast<uint64_t>(handle)).second) count_.fetch_add(1, std::memory_order_release);
  }
  // True if it was there.
  bool erase(H handle) {
    if (empty()) [[likely]] return false;
    std::lock_guard lock(mutex_);
    if (set_.erase(std::bit_cast<uint64_t>(handle)) == 0) return false;
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
};

}  // namespace pvgpu::venus
