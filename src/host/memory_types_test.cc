#include "host/memory_types.h"

#include <gtest/gtest.h>

#include "host/testing/profiles.h"

namespace pvgpu::host {
namespace {

TEST(MemoryTypes, HiddenOnesKeepTheirIndex) {
  const DriverProfile profile = testing::headless_discrete();
  const VkPhysicalDeviceMemoryProperties guest = guest_memory_properties(profile);
  ASSERT_EQ(guest.memoryTypeCount, profile.memory.memoryTypeCount);
  EXPECT_EQ(guest.memoryTypes[4].propertyFlags, testing::kDeviceLocal);
  EXPECT_EQ(guest.memoryTypes[3].propertyFlags, testing::kHostCached);
  EXPECT_EQ(guest.memoryTypes[1].propertyFlags, testing::kDeviceLocal);
}

TEST(MemoryTypes, ExportableAreThoseThatAreShared) {
  DriverProfile discrete = testing::headless_discrete();
  EXPECT_EQ(exportable_memory_types(discrete), 0b11111u) << "none that is shared is DEVICE_LOCAL";
  discrete.memory.memoryTypes[2].propertyFlags |= VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
  EXPECT_EQ(exportable_memory_types(discrete), 0b01100u);
  EXPECT_FALSE(exports_stand_ins(discrete));
  EXPECT_TRUE(exports_stand_ins(testing::headless_discrete()));
  EXPECT_FALSE(exports_stand_ins(testing::desktop()));
  EXPECT_EQ(exportable_memory_types(testing::desktop()), 0b11111u);
}

TEST(MemoryTypes, AreTheDriversUnlessSplit) {
  const DriverProfile profile = testing::portability();
  EXPECT_EQ(driver_memory_type(profile, 1), 1u);
  EXPECT_EQ(guest_memory_types(profile, 0b11, false), 0b11u);
}

// One that imports pointers for buffers and linear images only.
class SplitMemoryTypes : public ::testing::Test {
 protected:
  SplitMemoryTypes() {
    testing::add_memory_type(profile_, testing::kDeviceLocal | testing::kHostCached, MemoryStrategy::kHostImport);
    testing::add_memory_type(profile_, testing::kHostCoherent, MemoryStrategy::kHostImport);
    split_memory_types(profile_);
    judge(profile_, {});
  }
  DriverProfile profile_ = testing::bare("Apple M3");
};

TEST_F(SplitMemoryTypes, HaveOneThatGuestsCannotMapBeforeEach) {
  const VkPhysicalDeviceMemoryProperties guest = guest_memory_properties(profile_);
  ASSERT_EQ(guest.memoryTypeCount, 4u);
  EXPECT_EQ(guest.memoryTypes[0].propertyFlags, testing::kDeviceLocal);
  EXPECT_EQ(guest.memoryTypes[1].propertyFlags, testing::kDeviceLocal | testing::kHostCached);
  EXPECT_EQ(guest.memoryTypes[2].propertyFlags, 0u);
  EXPECT_EQ(guest.memoryTypes[3].propertyFlags, testing::kHostCoherent);
  EXPECT_EQ(profile_.memory_plan[0].strategy, MemoryStrategy::kNone);
  EXPECT_EQ(profile_.memory_plan[1].strategy, MemoryStrategy::kHostImport);
}

TEST_F(SplitMemoryTypes, AreMadeOfTheDrivers) {
  EXPECT_EQ(driver_memory_type(profile_, 0), 0u);
  EXPECT_EQ(driver_memory_type(profile_, 1), 0u);
  EXPECT_EQ(driver_memory_type(profile_, 3), 1u);
}

TEST_F(SplitMemoryTypes, AreOfferedByWhatCanBeBoundToThem) {
  EXPECT_EQ(guest_memory_types(profile_, 0b11, true), 0b1111u);
  EXPECT_EQ(guest_memory_types(profile_, 0b11, false), 0b0101u);
  EXPECT_EQ(guest_memory_types(profile_, 0b10, false), 0b0100u);
  EXPECT_EQ(exportable_memory_types(profile_), 0b1010u);
}

TEST_F(SplitMemoryTypes, AreToldWithTheReason) {
  const FeatureVerdict* verdict = profile_.verdict(kMemoryForImages);
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->treatment, Treatment::kEmulated);
  EXPECT_FALSE(testing::portability().verdict(kMemoryForImages));
}

}  // namespace
}  // namespace pvgpu::host
