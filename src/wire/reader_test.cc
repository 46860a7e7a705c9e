#include "wire/reader.h"

#include <gtest/gtest.h>

#include <array>

namespace pvgpu::wire {
namespace {

TEST(Reader, ReadsUnalignedLittleEndianValues) {
  const std::array<uint8_t, 12> bytes{1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 1};
  Reader reader(std::as_bytes(std::span(bytes)));
  EXPECT_EQ(reader.u32(), 1u);
  EXPECT_EQ(reader.u64(), 0x0100000000000002u);
  EXPECT_FALSE(reader.failed());
  EXPECT_EQ(reader.remaining(), 0u);
}

TEST(Reader, FailsForGoodPastTheEnd) {
  const std::array<uint8_t, 6> bytes{1, 2, 3, 4, 5, 6};
  Reader reader(std::as_bytes(std::span(bytes)));
  EXPECT_EQ(reader.u64(), 0u);
  EXPECT_TRUE(reader.failed());
  EXPECT_EQ(reader.u32(), 0u) << "a failed reader gives zeros even if bytes were left";
}

TEST(Reader, BytesArePaddedToFour) {
  const std::array<uint8_t, 8> bytes{1, 2, 3, 4, 5, 6, 7, 8};
  Reader reader(std::as_bytes(std::span(bytes)));
  EXPECT_EQ(reader.bytes(3), reinterpret_cast<const std::byte*>(bytes.data()));
  EXPECT_EQ(reader.remaining(), 4u);
}

TEST(Reader, RefusesBytesWhosePaddingIsMissingOrThatOverflow) {
  const std::array<uint8_t, 6> bytes{};
  Reader padding(std::as_bytes(std::span(bytes)));
  EXPECT_EQ(padding.bytes(5), nullptr);
  EXPECT_TRUE(padding.failed());
  Reader overflow(std::as_bytes(std::span(bytes)));
  EXPECT_EQ(overflow.bytes(~uint64_t{0}), nullptr);
  EXPECT_TRUE(overflow.failed());
}

}  // namespace
}  // namespace pvgpu::wire
