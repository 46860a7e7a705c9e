// Reads the wire's values from bytes that a guest wrote. Every read checks the end; a read past it gives
// zeros and marks the reader as failed for good, so callers check once, after a whole command. The bytes
// must not be writable by the guest any more (they are copied out of shared memory before). One thread.
// Source: Venus protocol reference, section 3: little-endian, everything a multiple of 4 bytes.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace pvgpu::wire {

static_assert(std::endian::native == std::endian::little, "the wire is copied, not converted");

class Reader {
 public:
  Reader() = default;
  explicit Reader(std::span<const std::byte> bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool failed() const { return failed_; }
  size_t remaining() const { return static_cast<size_t>(end_ - at_); }
  const std::byte* position() const { return at_; }
  // Marks the reader as failed and leaves nothing to read.
  void fail() {
    failed_ = true;
    at_ = end_;
  }

  // To `at`, which lies between here and the end.
  void skip_to(const std::byte* at) { at_ = at; }

  uint32_t u32() { return read<uint32_t>(); }
  uint64_t u64() { return read<uint64_t>(); }

  // `size` bytes plus padding to a multiple of 4, in place: they live as long as the underlying bytes.
  // nullptr on failure.
  const std::byte* bytes(uint64_t size) {
    if (size > remaining()) {
      fail();
      return nullptr;
    }
    const size_t padded = (static_cast<size_t>(size) + 3) & ~size_t{3};
    if (padded > remaining()) {
      fail();
      return nullptr;
    }
    const std::byte* result = at_;
    at_ += padded;
    return result;
  }

 private:
  template <class T>
  T read() {
    if (remaining() < sizeof(T)) [[unlikely]] {
      fail();
      return 0;
    }
    T value;
    std::memcpy(&value, at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }

  const std::byte* at_ = nullptr;
  const std::byte* end_ = nullptr;
  bool failed_ = false;
};

}  // namespace pvgpu::wire
