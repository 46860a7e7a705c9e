#include "venus/testing/bytes.h"

#include <fmt/format.h>

namespace pvgpu::venus::testing {

Bytes from_hex(std::string_view text) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  Bytes bytes;
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    const int high = digit(text[i]), low = digit(text[i + 1]);
    if (high < 0 || low < 0) continue;
    bytes.push_back(static_cast<std::byte>(high * 16 + low));
    ++i;
  }
  return bytes;
}

std::string to_hex(std::span<const std::byte> bytes) {
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i && i % 4 == 0) text += i % 32 == 0 ? '\n' : ' ';
    text += fmt::format("{:02x}", static_cast<unsigned>(bytes[i]));
  }
  return text;
}

}  // namespace pvgpu::venus::testing
