#include "host/sparse.h"

#include <gtest/gtest.h>

namespace pvgpu::host::sparse {
namespace {

DriverProfile profile_of(std::initializer_list<MemoryStrategy> strategies) {
  DriverProfile profile;
  for (MemoryStrategy strategy : strategies) profile.memory_plan[profile.memory.memoryTypeCount++].strategy = strategy;
  return profile;
}

TEST(Sparse, IsHiddenWhereTheDriverKnowsAllMemoryByPointerAlone) {
  using enum MemoryStrategy;
  EXPECT_TRUE(is_hidden(profile_of({kHostImport})));
  EXPECT_TRUE(is_hidden(profile_of({kHostImport, kHostImport})));
  EXPECT_FALSE(is_hidden(profile_of({kNone, kHostImport})));
  EXPECT_FALSE(is_hidden(profile_of({kDmaBuf})));
  EXPECT_FALSE(is_hidden(profile_of({})));
}

TEST(Sparse, HidingLeavesTheRest) {
  VkPhysicalDeviceFeatures features{};
  features.sparseBinding = features.sparseResidencyAliased = features.geometryShader = VK_TRUE;
  hide(features);
  EXPECT_FALSE(features.sparseBinding);
  EXPECT_FALSE(features.sparseResidencyAliased);
  EXPECT_TRUE(features.geometryShader);

  VkPhysicalDeviceProperties properties{};
  properties.limits.sparseAddressSpaceSize = 1;
  properties.limits.maxImageDimension2D = 4096;
  properties.sparseProperties.residencyNonResidentStrict = VK_TRUE;
  hide(properties);
  EXPECT_EQ(properties.limits.sparseAddressSpaceSize, 0u);
  EXPECT_EQ(properties.limits.maxImageDimension2D, 4096u);
  EXPECT_FALSE(properties.sparseProperties.residencyNonResidentStrict);

  VkQueueFamilyProperties queue{.queueFlags = VK_QUEUE_SPARSE_BINDING_BIT | VK_QUEUE_COMPUTE_BIT};
  hide(queue);
  EXPECT_EQ(queue.queueFlags, VkQueueFlags{VK_QUEUE_COMPUTE_BIT});
}

}  // namespace
}  // namespace pvgpu::host::sparse
