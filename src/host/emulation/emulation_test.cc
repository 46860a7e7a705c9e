#include <gmock/gmock.h>

#include <array>

#include "host/emulation/dma_buf.h"
#include "host/emulation/linear_modifier.h"
#include "host/emulation/queue_family.h"
#include "host/emulation/sync_fd.h"
#include "host/testing/profiles.h"

namespace pvgpu::host {
namespace {

VkExternalSemaphoreProperties semaphore_properties() {
  VkExternalSemaphoreProperties properties{};
  properties.sType = VK_STRUCTURE_TYPE_EXTERNAL_SEMAPHORE_PROPERTIES;
  properties.externalSemaphoreFeatures = 0xff;
  return properties;
}

TEST(SyncFd, BinarySemaphoresAreImportable) {
  VkPhysicalDeviceExternalSemaphoreInfo info{};
  info.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_SEMAPHORE_INFO;
  info.handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT;
  VkExternalSemaphoreProperties properties = semaphore_properties();
  ASSERT_TRUE(sync_fd::answer(testing::software(), info, properties));
  EXPECT_EQ(properties.externalSemaphoreFeatures, VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT);
  EXPECT_EQ(properties.compatibleHandleTypes, VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT);
  EXPECT_EQ(properties.exportFromImportedHandleTypes, 0u);
}

TEST(SyncFd, TimelineSemaphoresAndOtherHandlesAreNot) {
  VkSemaphoreTypeCreateInfo timeline{};
  timeline.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO;
  timeline.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE;
  VkPhysicalDeviceExternalSemaphoreInfo info{};
  info.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_SEMAPHORE_INFO;
  info.pNext = &timeline;
  info.handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT;
  VkExternalSemaphoreProperties properties = semaphore_properties();
  ASSERT_TRUE(sync_fd::answer(testing::software(), info, properties));
  EXPECT_EQ(properties.externalSemaphoreFeatures, 0u);

  info.pNext = nullptr;
  info.handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_FD_BIT;
  properties = semaphore_properties();
  ASSERT_TRUE(sync_fd::answer(testing::software(), info, properties));
  EXPECT_EQ(properties.externalSemaphoreFeatures, 0u);
}

TEST(SyncFd, FencesAreExportable) {
  VkPhysicalDeviceExternalFenceInfo info{};
  info.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_FENCE_INFO;
  info.handleType = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT;
  VkExternalFenceProperties properties{};
  ASSERT_TRUE(sync_fd::answer(testing::software(), info, properties));
  EXPECT_EQ(properties.externalFenceFeatures, VK_EXTERNAL_FENCE_FEATURE_EXPORTABLE_BIT);
  EXPECT_FALSE(sync_fd::answer(testing::desktop(), info, properties));
}

TEST(SyncFd, ExportRequestsAreStrippedOnlyWhenEmulated) {
  VkExportSemaphoreCreateInfo exported{};
  exported.sType = VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO;
  exported.handleTypes = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT;
  VkSemaphoreCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO;
  info.pNext = &exported;
  sync_fd::rewrite(testing::desktop(), info);
  EXPECT_EQ(info.pNext, &exported);
  sync_fd::rewrite(testing::software(), info);
  EXPECT_EQ(info.pNext, nullptr);

  VkExportFenceCreateInfo exported_fence{};
  exported_fence.sType = VK_STRUCTURE_TYPE_EXPORT_FENCE_CREATE_INFO;
  VkFenceCreateInfo fence{};
  fence.pNext = &exported_fence;
  sync_fd::rewrite(testing::software(), fence);
  EXPECT_EQ(fence.pNext, nullptr);
}

TEST(QueueFamily, ForeignBecomesExternalInBarriers) {
  std::array<VkImageMemoryBarrier2, 2> images{};
  images[0].srcQueueFamilyIndex = 3;
  images[0].dstQueueFamilyIndex = VK_QUEUE_FAMILY_FOREIGN_EXT;
  images[1].srcQueueFamilyIndex = VK_QUEUE_FAMILY_FOREIGN_EXT;
  images[1].dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
  VkDependencyInfo info{};
  info.imageMemoryBarrierCount = 2;
  info.pImageMemoryBarriers = images.data();
  queue_family::rewrite(info);
  EXPECT_EQ(images[0].srcQueueFamilyIndex, 3u);
  EXPECT_EQ(images[0].dstQueueFamilyIndex, VK_QUEUE_FAMILY_EXTERNAL);
  EXPECT_EQ(images[1].srcQueueFamilyIndex, VK_QUEUE_FAMILY_EXTERNAL);
  EXPECT_EQ(images[1].dstQueueFamilyIndex, VK_QUEUE_FAMILY_IGNORED);
}

TEST(DmaBuf, QueriesAskForOurMemory) {
  VkPhysicalDeviceExternalBufferInfo info{};
  info.handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
  ASSERT_TRUE(dma_buf::rewrite(testing::software(), info));
  EXPECT_EQ(info.handleType, VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT);
  info.handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT;
  EXPECT_FALSE(dma_buf::rewrite(testing::software(), info));
}

TEST(DmaBuf, ImportableByPointerIsExportableToGuests) {
  const VkExternalMemoryProperties guest =
      dma_buf::to_guest({VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT, 0,
                         VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT});
  EXPECT_TRUE(guest.externalMemoryFeatures & VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT);
  EXPECT_EQ(guest.compatibleHandleTypes, VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT);
  const VkExternalMemoryProperties dedicated = dma_buf::to_guest(
      {VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT | VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT, 0,
       0});
  EXPECT_EQ(dedicated.externalMemoryFeatures, 0u);
}

TEST(DmaBuf, ImagesThatCannotBeSharedAreNotSupported) {
  VkExternalImageFormatProperties external{};
  external.sType = VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES;
  VkImageFormatProperties2 properties{};
  EXPECT_EQ(dma_buf::finish(properties), VK_SUCCESS);
  properties.pNext = &external;
  EXPECT_EQ(dma_buf::finish(properties), VK_ERROR_FORMAT_NOT_SUPPORTED);
  external.externalMemoryProperties.externalMemoryFeatures =
      VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT;
  EXPECT_EQ(dma_buf::finish(properties), VK_SUCCESS);
}

TEST(DmaBuf, LinearImagesThatAreNotListedAreAskedForAsPlainOnes) {
  VkPhysicalDeviceExternalImageFormatInfo external{};
  external.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO;
  external.handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
  VkPhysicalDeviceImageFormatInfo2 info{};
  info.pNext = &external;
  info.tiling = VK_IMAGE_TILING_LINEAR;
  DriverProfile profile = testing::headless_discrete();
  EXPECT_FALSE(dma_buf::ask_without_external(profile, info));
  profile.unlisted_linear_import = true;
  info.tiling = VK_IMAGE_TILING_OPTIMAL;
  EXPECT_FALSE(dma_buf::ask_without_external(profile, info));
  info.tiling = VK_IMAGE_TILING_LINEAR;
  EXPECT_TRUE(dma_buf::ask_without_external(profile, info));
  EXPECT_EQ(external.handleType, 0);
  EXPECT_FALSE(dma_buf::ask_without_external(profile, info));  // and only once

  VkExternalImageFormatProperties answer{};
  answer.sType = VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES;
  VkImageFormatProperties2 properties{};
  properties.pNext = &answer;
  dma_buf::claim(properties);
  EXPECT_TRUE(answer.externalMemoryProperties.externalMemoryFeatures &
              VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT);
}

TEST(LinearModifier, ListsLinearForFormatsWithLinearTiling) {
  VkDrmFormatModifierPropertiesEXT entry{};
  VkDrmFormatModifierPropertiesListEXT list{};
  list.sType = VK_STRUCTURE_TYPE_DRM_FORMAT_MODIFIER_PROPERTIES_LIST_EXT;
  VkDrmFormatModifierPropertiesList2EXT list2{};
  list2.sType = VK_STRUCTURE_TYPE_DRM_FORMAT_MODIFIER_PROPERTIES_LIST_2_EXT;
  list2.pNext = &list;
  VkFormatProperties2 properties{};
  properties.pNext = &list2;
  auto ask = [&](VkFormat format, VkFormatFeatureFlags linear) {
    linear_modifier::FormatQuery query(properties);
    EXPECT_EQ(properties.pNext, nullptr);
    properties.formatProperties.linearTilingFeatures = linear;
    query.finish(format);
    EXPECT_EQ(properties.pNext, &list2);
    EXPECT_EQ(list2.pNext, &list);
  };
  ask(VK_FORMAT_B8G8R8A8_UNORM, VK_FORMAT_FEATURE_SAMPLED_IMAGE_BIT);
  EXPECT_EQ(list.drmFormatModifierCount, 1u);
  EXPECT_EQ(list2.drmFormatModifierCount, 1u);

  list.drmFormatModifierCount = 5;
  list.pDrmFormatModifierProperties = &entry;
  ask(VK_FORMAT_B8G8R8A8_UNORM, VK_FORMAT_FEATURE_SAMPLED_IMAGE_BIT);
  EXPECT_EQ(list.drmFormatModifierCount, 1u);
  EXPECT_EQ(entry.drmFormatModifier, linear_modifier::kLinear);
  EXPECT_EQ(entry.drmFormatModifierPlaneCount, 1u);
  EXPECT_EQ(entry.drmFormatModifierTilingFeatures, VK_FORMAT_FEATURE_SAMPLED_IMAGE_BIT);

  list.drmFormatModifierCount = 0;  // an array of no entries
  ask(VK_FORMAT_B8G8R8A8_UNORM, VK_FORMAT_FEATURE_SAMPLED_IMAGE_BIT);
  EXPECT_EQ(list.drmFormatModifierCount, 0u);

  for (VkFormat format :
       {VK_FORMAT_D32_SFLOAT, VK_FORMAT_BC1_RGB_UNORM_BLOCK, VK_FORMAT_G8_B8R8_2PLANE_420_UNORM}) {
    ask(format, VK_FORMAT_FEATURE_SAMPLED_IMAGE_BIT);
    EXPECT_EQ(list2.drmFormatModifierCount, 0u) << format;
  }
  ask(VK_FORMAT_R8G8B8A8_UNORM, 0);
  EXPECT_EQ(list2.drmFormatModifierCount, 0u);
}

TEST(LinearModifier, ImageQueriesBecomeLinear) {
  VkPhysicalDeviceImageDrmFormatModifierInfoEXT modifier{};
  modifier.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_DRM_FORMAT_MODIFIER_INFO_EXT;
  VkPhysicalDeviceImageFormatInfo2 info{};
  info.pNext = &modifier;
  info.format = VK_FORMAT_B8G8R8A8_UNORM;
  info.tiling = VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT;
  EXPECT_EQ(linear_modifier::rewrite(info), VK_SUCCESS);
  EXPECT_EQ(info.tiling, VK_IMAGE_TILING_LINEAR);
  EXPECT_EQ(info.pNext, nullptr);

  modifier.drmFormatModifier = 1;
  info.pNext = &modifier;
  info.tiling = VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT;
  EXPECT_EQ(linear_modifier::rewrite(info), VK_ERROR_FORMAT_NOT_SUPPORTED);

  info.pNext = nullptr;
  info.tiling = VK_IMAGE_TILING_OPTIMAL;
  EXPECT_EQ(linear_modifier::rewrite(info), VK_SUCCESS);
  EXPECT_EQ(info.tiling, VK_IMAGE_TILING_OPTIMAL);
}

VkImageCreateInfo modifier_image(const void* next) {
  VkImageCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO;
  info.pNext = next;
  info.format = VK_FORMAT_B8G8R8A8_UNORM;
  info.tiling = VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT;
  return info;
}

TEST(LinearModifier, ImagesOfAListBecomeLinear) {
  const std::array<uint64_t, 2> modifiers = {0x300000000000014, linear_modifier::kLinear};
  VkImageDrmFormatModifierListCreateInfoEXT list{};
  list.sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_LIST_CREATE_INFO_EXT;
  list.drmFormatModifierCount = 2;
  list.pDrmFormatModifiers = modifiers.data();
  VkImageCreateInfo info = modifier_image(&list);
  const auto layout = linear_modifier::rewrite_image(info);
  ASSERT_TRUE(layout);
  EXPECT_FALSE(layout->has_value());
  EXPECT_EQ(info.tiling, VK_IMAGE_TILING_LINEAR);
  EXPECT_EQ(info.pNext, nullptr);

  list.drmFormatModifierCount = 1;
  info = modifier_image(&list);
  EXPECT_FALSE(linear_modifier::rewrite_image(info));
}

TEST(LinearModifier, ExplicitLayoutsAreHandedToTheCaller) {
  VkSubresourceLayout plane{};
  plane.rowPitch = 256;
  VkImageDrmFormatModifierExplicitCreateInfoEXT given{};
  given.sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_EXPLICIT_CREATE_INFO_EXT;
  given.drmFormatModifierPlaneCount = 1;
  given.pPlaneLayouts = &plane;
  VkImageCreateInfo info = modifier_image(&given);
  const auto layout = linear_modifier::rewrite_image(info);
  ASSERT_TRUE(layout && *layout);
  VkSubresourceLayout driver{};
  driver.size = 4096;
  driver.rowPitch = 256;
  EXPECT_TRUE(linear_modifier::layout_matches(**layout, driver));
  driver.rowPitch = 512;
  EXPECT_FALSE(linear_modifier::layout_matches(**layout, driver));

  given.drmFormatModifierPlaneCount = 2;
  info = modifier_image(&given);
  EXPECT_FALSE(linear_modifier::rewrite_image(info));
  info = modifier_image(nullptr);
  EXPECT_FALSE(linear_modifier::rewrite_image(info));
}

TEST(LinearModifier, MemoryPlaneIsColour) {
  EXPECT_EQ(linear_modifier::to_driver_aspect(VK_IMAGE_ASPECT_MEMORY_PLANE_0_BIT_EXT),
            VkImageAspectFlags(VK_IMAGE_ASPECT_COLOR_BIT));
  EXPECT_EQ(linear_modifier::to_driver_aspect(VK_IMAGE_ASPECT_DEPTH_BIT),
            VkImageAspectFlags(VK_IMAGE_ASPECT_DEPTH_BIT));
}

}  // namespace
}  // namespace pvgpu::host
