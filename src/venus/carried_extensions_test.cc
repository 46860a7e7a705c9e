#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "host/extensions.h"
#include "protocol/tables.h"
#include "venus/context.h"

namespace pvgpu::venus {
namespace {

TEST(CarriedExtensions, AreThoseThatCanBeDecoded) {
  const host::CarriedExtensions carried = carried_extensions();
  EXPECT_GT(carried.names.size(), 150u);
  for (std::string_view name : carried.names) EXPECT_EQ(carried.why_not(name), "") << name;
  // Newer than the registry of Debian 13.
  for (const char* name : {"VK_KHR_robustness2", "VK_KHR_shader_bfloat16", "VK_KHR_shader_untyped_pointers",
                           "VK_EXT_shader_float8", "VK_KHR_shader_fma", "VK_EXT_shader_uniform_buffer_unsized_array"}) {
    EXPECT_NE(std::ranges::find(carried.names, name), carried.names.end()) << name;
    EXPECT_NE(protocol::find_extension(name), nullptr) << name;
  }
}

TEST(CarriedExtensions, TheOthersHaveAReason) {
  const auto why_not = carried_extensions().why_not;
  EXPECT_EQ(why_not("VK_EXT_shader_object"), "the Venus protocol lacks it");
  EXPECT_THAT(std::string(why_not("VK_EXT_descriptor_heap")), testing::StartsWith("withheld: "));
  EXPECT_THAT(std::string(why_not("VK_KHR_get_physical_device_properties2")), testing::HasSubstr("instances"));
}

TEST(CarriedExtensions, BringTheirStructures) {
  // The number of the extension gives the type: Vulkan's registry, 1000000000 + 1000 * (number - 1).
  const uint32_t index = protocol::find_chain_struct(static_cast<VkStructureType>(1000141000));
  ASSERT_NE(index, protocol::kNoChain);
  EXPECT_STREQ(protocol::kChainStructs[index].name, "VkPhysicalDeviceShaderBfloat16FeaturesKHR");
  EXPECT_TRUE(protocol::kChainStructs[index].extends(protocol::Meta<VkDeviceCreateInfo>::kId));
  EXPECT_TRUE(protocol::kChainStructs[index].extends(protocol::Meta<VkPhysicalDeviceFeatures2>::kId));
}

}  // namespace
}  // namespace pvgpu::venus
