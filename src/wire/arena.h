// Memory for one command's structures: allocation is a pointer bump, reset frees everything at once and
// keeps the blocks, so that a steady state allocates nothing. Owned and used by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace pvgpu::wire {

class Arena {
 public:
  // `limit`: bytes that may be live at once; allocations beyond it fail.
  explicit Arena(size_t limit = size_t{1} << 30) : limit_(limit) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Uninitialized storage for `count` objects of T, valid until reset(); nullptr past the limit.
  template <class T>
  T* make(uint64_t count = 1) {
    static_assert(alignof(T) <= kAlignment);
    if (count > limit_ / sizeof(T)) return nullptr;
    return static_cast<T*>(allocate(static_cast<size_t>(count) * sizeof(T)));
  }
  template <class T>
  T* make_zeroed(uint64_t count = 1) {
    T* made = make<T>(count);
    if (made) std::memset(static_cast<void*>(made), 0, static_cast<size_t>(count) * sizeof(T));
    return made;
  }
  // Storage aligned to kAlignment; never nullptr for a size within the limit.
  void* allocate(size_t bytes) {
    bytes = (bytes + kAlignment - 1) & ~(kAlignment - 1);
    if (bytes <= static_cast<size_t>(end_ - at_)) {
      void* result = at_;
      at_ += bytes;
      return result;
    }
    return allocate_slow(bytes);
  }

  // Everything made so far becomes invalid. Blocks beyond a small reserve go back to the system.
  void reset() {
    if (spilled_) [[unlikely]] return reset_slow();
    at_ = begin_;
  }
  size_t capacity() const { return total_; }

  static constexpr size_t kAlignment = 8;

 private:
  struct Block {
    std::unique_ptr<std::byte[]> data;
    size_t size;
  };
  void* allocate_slow(size_t bytes);
  void reset_slow();

  std::byte* begin_ = nullptr;  // of the block that stays
  bool spilled_ = false;        // there are more, or it is larger than what is kept
  std::byte* at_ = nullptr;
  std::byte* end_ = nullptr;
  std::vector<Block> blocks_;
  size_t total_ = 0;
  size_t limit_;
};

}  // namespace pvgpu::wire
