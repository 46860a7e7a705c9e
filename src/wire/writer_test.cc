#include "wire/writer.h"

#include <gtest/gtest.h>

#include <array>

namespace pvgpu::wire {
namespace {

TEST(Writer, WritesValuesAndPadsBytesWithZeros) {
  std::array<uint8_t, 16> out;
  out.fill(0xff);
  Writer writer(std::as_writable_bytes(std::span(out)));
  writer.u32(7);
  writer.bytes("abc", 3);
  writer.u64(0x0102030405060708);
  EXPECT_FALSE(writer.overflowed());
  EXPECT_EQ(writer.written(), 16u);
  EXPECT_EQ(out, (std::array<uint8_t, 16>{7, 0, 0, 0, 'a', 'b', 'c', 0, 8, 7, 6, 5, 4, 3, 2, 1}));
}

TEST(Writer, LeavesEverythingPastTheEndAlone) {
  std::array<uint8_t, 8> out{};
  Writer writer(std::as_writable_bytes(std::span(out).first(6)));
  writer.u32(1);
  writer.u32(2);
  EXPECT_TRUE(writer.overflowed());
  writer.bytes("abc", 3);
  EXPECT_EQ(out[4] | out[5] | out[6] | out[7], 0);
  EXPECT_EQ(writer.written(), 4u);
}

TEST(Writer, RefusesSizesThatOverflow) {
  std::array<uint8_t, 8> out{};
  Writer writer(std::as_writable_bytes(std::span(out)));
  writer.bytes(out.data(), ~uint64_t{0});
  EXPECT_TRUE(writer.overflowed());
}

}  // namespace
}  // namespace pvgpu::wire
