// A set of driver handles that is empty nearly always: asking an empty one costs a load. Handles that come and go allocate nothing
// once there is room for as many. Thread-safe.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace pvgpu::venus {

template <class H>
class HandleSet {
 public:
  bool empty() const { return count_.load(std::memory_order_acquire) == 0; }
  void insert(H handle) {
    const auto value = std::bit_cast<uint64_t>(handle);
    if (value == 0) return;
    std::lock_guard lock(mutex_);
    const uint32_t count = count_.load(std::memory_order_relaxed);
    if (2 * (count + 1) > slots_.size()) grow();
    uint64_t& slot = slots_[place(value)];
    if (slot == value) return;
    slot = value;
    count_.store(count + 1, std::memory_order_release);
  }
  // True if it was there.
  bool erase(H handle) {
    if (empty()) [[likely]] return false;
    const auto value = std::bit_cast<uint64_t>(handle);
    std::lock_guard lock(mutex_);
    const size_t at = place(value);
    if (value == 0 || slots_[at] != value) return false;
    close_gap(at);
    count_.fetch_sub(1, std::memory_order_release);
    return true;
  }
  bool contains(H handle) const {
    if (empty()) [[likely]] return false;
    const auto value = std::bit_cast<uint64_t>(handle);
    std::lock_guard lock(mutex_);
    return value != 0 && slots_[place(value)] == value;
  }

 private:
  static constexpr size_t kLeastSlots = 16;

  size_t home(uint64_t value) const {
    return static_cast<size_t>((value * 0x9e3779b97f4a7c15) >> (64 - std::countr_zero(slots_.size())));
  }
  size_t after(size_t at) const { return (at + 1) & (slots_.size() - 1); }
  // Where the value is, or would be put. There always is an empty slot.
  size_t place(uint64_t value) const {
    size_t at = home(value);
    while (slots_[at] != 0 && slots_[at] != value) at = after(at);
    return at;
  }
  // Empties a slot and moves what had been put behind it because it was taken.
  void close_gap(size_t gap) {
    for (size_t at = after(gap); slots_[at] != 0; at = after(at)) {
      const size_t mask = slots_.size() - 1;
      if (((at - home(slots_[at])) & mask) < ((at - gap) & mask)) continue;
      slots_[gap] = slots_[at];
      gap = at;
    }
    slots_[gap] = 0;
  }
  void grow() {
    std::vector<uint64_t> old(std::max(2 * slots_.size(), kLeastSlots), 0);
    slots_.swap(old);
    for (uint64_t value : old)
      if (value != 0) slots_[place(value)] = value;
  }

  std::atomic<uint32_t> count_{0};
  mutable std::mutex mutex_;
  std::vector<uint64_t> slots_;  // a power of two of them, at most half full; 0: empty
};

}  // namespace pvgpu::venus
