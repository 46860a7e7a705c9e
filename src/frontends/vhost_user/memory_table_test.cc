#include "frontends/vhost_user/memory_table.h"

#include <gtest/gtest.h>

#include "platform/process.h"
#include "platform/shared_memory.h"

namespace pvgpu::frontends::vhost_user {
namespace {

class MemoryTableTest : public ::testing::Test {
 protected:
  static constexpr size_t kBytes = 1 << 16;
  platform::SharedMemory file_ = *platform::SharedMemory::create(kBytes, "guest");
  bool window_ = false;
  MemoryTable table_{[this](int) { return window_; }};
};

TEST_F(MemoryTableTest, FindsByEitherAddress) {
  ASSERT_TRUE(table_.add({0x1000, kBytes, 0x9000'0000, 0}, file_.fd().duplicate()));
  file_.data()[0x20] = std::byte{7};
  EXPECT_EQ(table_.find(0x1020, 4).bytes[0], std::byte{7});
  EXPECT_EQ(table_.find_user(0x9000'0020, 4).bytes[0], std::byte{7});
  EXPECT_EQ(table_.find(0x1000, UINT64_MAX).bytes.size(), kBytes);
  EXPECT_EQ(table_.find(0x1000 + kBytes - 2, 8).bytes.size(), 2u);
  EXPECT_TRUE(table_.find(0xfff, 1).bytes.empty());
  EXPECT_TRUE(table_.find(0x1000 + kBytes, 1).bytes.empty());
  EXPECT_TRUE(table_.find(UINT64_MAX, UINT64_MAX).bytes.empty());
}

TEST_F(MemoryTableTest, HeedsTheOffsetInTheFile) {
  file_.data()[0x1008] = std::byte{9};
  ASSERT_TRUE(table_.add({0, 0x100, 0, 0x1008}, file_.fd().duplicate()));
  EXPECT_EQ(table_.find(0, 1).bytes[0], std::byte{9});
}

TEST_F(MemoryTableTest, WhatWasFoundOutlivesItsRegion) {
  const MemoryRegion region{0, kBytes, 0, 0};
  ASSERT_TRUE(table_.add(region, file_.fd().duplicate()));
  auto found = table_.find(0, 1);
  table_.remove(region);
  EXPECT_TRUE(table_.find(0, 1).bytes.empty());
  found.bytes[0] = std::byte{3};
  EXPECT_EQ(file_.data()[0], std::byte{3});
}

TEST_F(MemoryTableTest, KeepsMappingsOfRegionsThatStay) {
  const MemoryRegion region{0, kBytes, 0, 0};
  ASSERT_TRUE(table_.add(region, file_.fd().duplicate()));
  const auto* before = table_.find(0, 1).bytes.data();
  std::vector<MemoryTable::Described> regions;
  regions.emplace_back(region, file_.fd().duplicate());
  ASSERT_TRUE(table_.replace(std::move(regions)));
  EXPECT_EQ(table_.find(0, 1).bytes.data(), before);
  // The same addresses of another file.
  auto other = *platform::SharedMemory::create(kBytes, "other");
  other.data()[0] = std::byte{5};
  regions.clear();
  regions.emplace_back(region, other.fd().duplicate());
  ASSERT_TRUE(table_.replace(std::move(regions)));
  EXPECT_EQ(table_.find(0, 1).bytes[0], std::byte{5});
}

TEST_F(MemoryTableTest, KnowsTheWindowsRegionsWithoutMappingThem) {
  window_ = true;
  ASSERT_TRUE(table_.add({0, kBytes, 0, 0}, file_.fd().duplicate()));
  EXPECT_EQ(table_.regions(), 1u);
  EXPECT_TRUE(table_.find(0, 1).bytes.empty());
}

TEST_F(MemoryTableTest, RefusesImpossibleRegions) {
  const MemoryRegion bad[] = {{0, 0, 0, 0},
                              {UINT64_MAX - 10, kBytes, 0, 0},
                              {0, kBytes, UINT64_MAX - 10, 0},
                              {0, UINT64_MAX, 0, 0},
                              {0, kBytes, 0, UINT64_MAX - 10},
                              {0, kBytes + 1, 0, 0},
                              {0, kBytes, 0, 4096}};
  for (const MemoryRegion& region : bad) EXPECT_FALSE(table_.add(region, file_.fd().duplicate())) << region.size;
  EXPECT_FALSE(table_.add({0, kBytes, 0, 0}, platform::UniqueFd()));
}

TEST_F(MemoryTableTest, HasRoomForSoManyRegions) {
  for (size_t i = 0; i < MemoryTable::kMaxRegions; i++)
    ASSERT_TRUE(table_.add({i * kBytes, kBytes, i * kBytes, 0}, file_.fd().duplicate()));
  EXPECT_FALSE(table_.add({1 << 30, kBytes, 1 << 30, 0}, file_.fd().duplicate()));
}

}  // namespace
}  // namespace pvgpu::frontends::vhost_user
