// A set of driver handles that is empty, or of a few, nearly always: asking an empty one costs a load, asking any other no lock but while
// it changes. Handles that come and go allocate nothing once there is room for as many. Thread-safe.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
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
    const Change change(*this);
    const uint32_t count = count_.load(std::memory_order_relaxed);
    if (tables_.empty() || 2 * (count + 1) > tables_.back()->size) grow();
    Table& table = *tables_.back();
    const size_t at = table.place(value);
    if (table.at(at) == value) return;
    table.put(at, value);
    count_.store(count + 1, std::memory_order_release);
  }
  // True if it was there.
  bool erase(H handle) {
    if (empty()) [[likely]] return false;
    const auto value = std::bit_cast<uint64_t>(handle);
    if (value == 0) return false;
    std::lock_guard lock(mutex_);
    Table& table = *tables_.back();
    const size_t at = table.place(value);
    if (table.at(at) != value) return false;
    const Change change(*this);
    table.close_gap(at);
    count_.fetch_sub(1, std::memory_order_release);
    return true;
  }
  bool contains(H handle) const {
    if (empty()) [[likely]] return false;
    const auto value = std::bit_cast<uint64_t>(handle);
    if (value == 0) return false;
    // What was found counts if nothing changed meanwhile. acquire: as the slots are read, so that the second look comes after them.
    const uint32_t before = changes_.load(std::memory_order_acquire);
    if (before % 2 == 0) [[likely]] {
      const Table& table = *table_.load(std::memory_order_acquire);
      const bool found = table.at(table.place(value)) == value;
      if (changes_.load(std::memory_order_acquire) == before) [[likely]] return found;
    }
    std::lock_guard lock(mutex_);
    const Table& table = *tables_.back();
    return table.at(table.place(value)) == value;
  }

 private:
  static constexpr size_t kLeastSlots = 16;

  // A power of two of slots, at most half full; 0: empty. Read at any time, written under the lock.
  struct Table {
    explicit Table(size_t slots) : size(slots), slots_(std::make_unique<std::atomic<uint64_t>[]>(slots)) {}
    uint64_t at(size_t slot) const { return slots_[slot].load(std::memory_order_acquire); }
    void put(size_t slot, uint64_t value) { slots_[slot].store(value, std::memory_order_release); }
    size_t home(uint64_t value) const { return static_cast<size_t>((value * 0x9e3779b97f4a7c15) >> (64 - std::countr_zero(size))); }
    size_t after(size_t slot) const { return (slot + 1) & (size - 1); }
    // Where the value is, or would be put. Somewhere, while it changes.
    size_t place(uint64_t value) const {
      size_t slot = home(value);
      for (size_t looks = size; looks != 0; --looks, slot = after(slot)) {
        const uint64_t found = at(slot);
        if (found == 0 || found == value) break;
      }
      return slot;
    }
    // Empties a slot and moves what had been put behind it because it was taken.
    void close_gap(size_t gap) {
      for (size_t slot = after(gap); at(slot) != 0; slot = after(slot)) {
        if (((slot - home(at(slot))) & (size - 1)) < ((slot - gap) & (size - 1))) continue;
        put(gap, at(slot));
        gap = slot;
      }
      put(gap, 0);
    }

    const size_t size;

   private:
    std::unique_ptr<std::atomic<uint64_t>[]> slots_;
  };
  // While there is one, what is read without the lock does not count.
  class Change {
   public:
    explicit Change(HandleSet& set) : set_(set) { set_.changes_.fetch_add(1, std::memory_order_acq_rel); }
    ~Change() { set_.changes_.fetch_add(1, std::memory_order_acq_rel); }
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;

   private:
    HandleSet& set_;
  };

  void grow() {
    const Table* old = tables_.empty() ? nullptr : tables_.back().get();
    tables_.push_back(std::make_unique<Table>(old ? 2 * old->size : kLeastSlots));
    Table& table = *tables_.back();
    for (size_t slot = 0; old && slot < old->size; ++slot)
      if (const uint64_t value = old->at(slot)) table.put(table.place(value), value);
    table_.store(&table, std::memory_order_release);
  }

  std::atomic<uint32_t> count_{0};
  std::atomic<uint32_t> changes_{0};  // odd: one is going on
  std::atomic<const Table*> table_{nullptr};  // the last of tables_
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Table>> tables_;  // with those that became too small, which may still be read
};

}  // namespace pvgpu::venus
