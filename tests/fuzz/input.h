// The bytes of a run as decisions. When they are used up every decision is 0.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace pvgpu::fuzz {

class Input {
 public:
  explicit Input(std::span<const std::byte> bytes) : bytes_(bytes) {}

  bool empty() const { return bytes_.empty(); }
  template <class T>
  T take() {
    T value{};
    const size_t n = std::min(sizeof value, bytes_.size());
    std::memcpy(&value, bytes_.data(), n);
    bytes_ = bytes_.subspan(n);
    return value;
  }
  // 0 to `limit` - 1; takes no more bytes than that needs.
  uint32_t below(size_t limit) {
    if (limit <= 1) return 0;
    if (limit <= 256) return take<uint8_t>() % static_cast<uint32_t>(limit);
    return take<uint32_t>() % static_cast<uint32_t>(limit);
  }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace pvgpu::fuzz
