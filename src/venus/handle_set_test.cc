#include "venus/handle_set.h"

#include <gtest/gtest.h>
#include <vulkan/vulkan_core.h>

#include <atomic>
#include <random>
#include <thread>
#include <unordered_set>

namespace pvgpu::venus {
namespace {

VkFence fence(uint64_t value) { return std::bit_cast<VkFence>(value); }

TEST(HandleSet, HoldsNoNullHandle) {
  HandleSet<VkFence> set;
  set.insert(VK_NULL_HANDLE);
  EXPECT_TRUE(set.empty());
  set.insert(fence(16));
  EXPECT_FALSE(set.contains(VK_NULL_HANDLE));
  EXPECT_FALSE(set.erase(VK_NULL_HANDLE));
}

// Against the standard's set. Handles are few and near each other, so that many want the same place.
TEST(HandleSet, IsASet) {
  HandleSet<VkFence> set;
  std::unordered_set<uint64_t> model;
  std::mt19937_64 random(1);
  for (int i = 0; i < 200'000; ++i) {
    const uint64_t range = i < 100'000 ? 24 : 2000;
    const uint64_t value = (1 + random() % range) * 16;
    if (random() % 2) {
      set.insert(fence(value));
      model.insert(value);
    } else {
      ASSERT_EQ(set.erase(fence(value)), model.erase(value) == 1) << i;
    }
    const uint64_t other = (1 + random() % range) * 16;
    ASSERT_EQ(set.contains(fence(other)), model.contains(other)) << i;
    ASSERT_EQ(set.empty(), model.empty()) << i;
  }
}

// What stays in it is seen at any time, and what never was is not, whatever else comes and goes.
TEST(HandleSet, IsReadWhileItChanges) {
  HandleSet<VkFence> set;
  constexpr uint64_t kStays = 8 * 16, kNever = 9 * 16;
  set.insert(fence(kStays));
  std::atomic<bool> done = false;
  std::thread writer([&] {
    std::mt19937_64 random(1);
    for (int i = 0; i < 20'000; ++i) {
      const uint64_t value = (10 + random() % (i < 10'000 ? 16 : 4000)) * 16;
      if (random() % 2) set.insert(fence(value));
      else set.erase(fence(value));
    }
    done = true;
  });
  while (!done) {
    EXPECT_TRUE(set.contains(fence(kStays)));
    EXPECT_FALSE(set.contains(fence(kNever)));
  }
  writer.join();
}

}  // namespace
}  // namespace pvgpu::venus
