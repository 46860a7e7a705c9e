// Writes the wire's values into a span of fixed size: a reply slot in shared memory, or a test's buffer.
// A write past the end changes nothing and marks the writer as overflowed for good. One thread.
// Source: Venus protocol reference, section 3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace pvgpu::wire {

class Writer {
 public:
  Writer() = default;
  explicit Writer(std::span<std::byte> out) : begin_(out.data()), at_(out.data()), end_(out.data() + out.size()) {}

  bool overflowed() const { return overflowed_; }
  size_t written() const { return static_cast<size_t>(at_ - begin_); }

  void u32(uint32_t value) { write(&value, sizeof value); }
  void u64(uint64_t value) { write(&value, sizeof value); }

  // `size` bytes, then zeros up to a multiple of 4.
  void bytes(const void* data, uint64_t size) {
    const uint64_t padding = (4 - size % 4) % 4;
    if (size > remaining() || padding > remaining() - size) {
      overflowed_ = true;
      return;
    }
    if (size) std::memcpy(at_, data, size);
    std::memset(at_ + size, 0, padding);
    at_ += size + padding;
  }

 private:
  uint64_t remaining() const { return static_cast<uint64_t>(end_ - at_); }
  void write(const void* value, size_t size) {
    if (remaining() < size) [[unlikely]] {
      overflowed_ = true;
      return;
    }
    std::memcpy(at_, value, size);
    at_ += size;
  }

  std::byte* begin_ = nullptr;
  std::byte* at_ = nullptr;
  std::byte* end_ = nullptr;
  bool overflowed_ = false;
};

}  // namespace pvgpu::wire
