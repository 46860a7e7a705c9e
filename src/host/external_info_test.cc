#include "host/external_info.h"

#include <gmock/gmock.h>

#include "host/testing/profiles.h"

namespace pvgpu::host {
namespace {

constexpr auto kHost = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
constexpr auto kDmaBuf = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;

VkExternalMemoryProperties supported(VkExternalMemoryHandleTypeFlagBits type,
                                     VkExternalMemoryFeatureFlags more = 0) {
  const VkExternalMemoryFeatureFlags feature = type == kHost
                                                   ? VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT
                                                   : VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT;
  return {feature | more, 0, VkExternalMemoryHandleTypeFlags(type)};
}

const BufferQuery kBuffersOk = [](const VkBufferCreateInfo&,
                                  VkExternalMemoryHandleTypeFlagBits type) {
  return supported(type);
};
const ImageQuery kImagesOk = [](const VkImageCreateInfo&, VkExternalMemoryHandleTypeFlagBits type) {
  return std::optional(supported(type));
};

VkImageCreateInfo image(VkImageTiling tiling, const void* next = nullptr) {
  VkImageCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO;
  info.pNext = next;
  info.tiling = tiling;
  info.initialLayout = VK_IMAGE_LAYOUT_UNDEFINED;
  return info;
}

VkExternalMemoryImageCreateInfo wants_dma_buf() {
  VkExternalMemoryImageCreateInfo external{};
  external.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO;
  external.handleTypes = kDmaBuf;
  return external;
}

TEST(BufferHandleTypes, AreThoseOfThePlan) {
  const VkBufferCreateInfo info{};
  EXPECT_EQ(buffer_handle_types(testing::software(), info, kBuffersOk), kHost);
  EXPECT_EQ(buffer_handle_types(testing::desktop(), info, kBuffersOk), kDmaBuf);
}

TEST(BufferHandleTypes, LeaveOutWhatThisBufferCannotHave) {
  const VkBufferCreateInfo info{};
  EXPECT_EQ(buffer_handle_types(testing::software(), info,
                                [](auto&, auto) { return VkExternalMemoryProperties{}; }),
            0u);
  EXPECT_EQ(buffer_handle_types(testing::software(), info,
                                [](auto&, auto type) {
                                  return supported(type,
                                                   VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT);
                                }),
            0u);
}

TEST(BufferHandleTypes, LeaveOutWhatWouldCostMemoryTypes) {
  DriverProfile profile = testing::software();
  profile.buffer_handle_types = 0;
  EXPECT_EQ(buffer_handle_types(profile, {}, kBuffersOk), 0u);
}

TEST(BufferHandleTypes, TranslateWhatTheGuestAsksFor) {
  VkExternalMemoryBufferCreateInfo external{};
  external.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO;
  external.handleTypes = kDmaBuf;
  VkBufferCreateInfo info{};
  info.pNext = &external;
  DriverProfile profile = testing::software();
  profile.buffer_handle_types = 0;
  EXPECT_EQ(buffer_handle_types(profile, info, kBuffersOk), kHost);
}

TEST(BufferHandleTypes, OfMixedPlansGoTogetherOnlyIfTheDriverSaysSo) {
  DriverProfile profile = testing::desktop();
  profile.memory_plan[2].strategy = MemoryStrategy::kHostImport;
  profile.buffer_handle_types = kHost | kDmaBuf;
  EXPECT_EQ(buffer_handle_types(profile, {}, kBuffersOk), kDmaBuf);
  EXPECT_EQ(buffer_handle_types(profile, {},
                                [](auto&, auto type) {
                                  VkExternalMemoryProperties properties = supported(type);
                                  properties.compatibleHandleTypes = kHost | kDmaBuf;
                                  return properties;
                                }),
            VkExternalMemoryHandleTypeFlags(kHost | kDmaBuf));
}

TEST(ImageHandleTypes, AreForImagesThatCanMeetSharedMemory) {
  const auto optimal = image(VK_IMAGE_TILING_OPTIMAL), linear = image(VK_IMAGE_TILING_LINEAR);
  EXPECT_EQ(image_handle_types(testing::software(), optimal, kImagesOk), kHost);
  EXPECT_EQ(image_handle_types(testing::headless_discrete(), optimal, kImagesOk), 0u);
  EXPECT_EQ(image_handle_types(testing::software(), linear, kImagesOk), kHost);
  EXPECT_EQ(image_handle_types(testing::desktop(), linear, kImagesOk), kDmaBuf);
}

TEST(ImageHandleTypes, AreLeftOutWhereImportedMemoryIsNotAllThereIs) {
  const auto external = wants_dma_buf();
  for (VkImageTiling tiling : {VK_IMAGE_TILING_OPTIMAL, VK_IMAGE_TILING_LINEAR}) {
    EXPECT_EQ(image_handle_types(testing::headless_discrete(), image(tiling), kImagesOk), 0u);
    EXPECT_EQ(image_handle_types(testing::headless_discrete(), image(tiling, &external), kImagesOk), 0u);
  }
}

TEST(ImageHandleTypes, AreThoseOfLinearImagesWhereTheseLoseNothing) {
  DriverProfile profile = testing::portability();
  profile.harmless_linear_import = true;
  EXPECT_EQ(image_handle_types(profile, image(VK_IMAGE_TILING_LINEAR), kImagesOk), kHost);
  EXPECT_EQ(image_handle_types(profile, image(VK_IMAGE_TILING_OPTIMAL), kImagesOk), 0u);
  auto copied_by_the_host = image(VK_IMAGE_TILING_OPTIMAL);
  copied_by_the_host.usage = VK_IMAGE_USAGE_HOST_TRANSFER_BIT_EXT;
  EXPECT_EQ(image_handle_types(profile, copied_by_the_host, kImagesOk), kHost);
}

TEST(ImageHandleTypes, AskForAnUndefinedInitialLayout) {
  auto info = image(VK_IMAGE_TILING_LINEAR);
  info.initialLayout = VK_IMAGE_LAYOUT_PREINITIALIZED;
  EXPECT_EQ(image_handle_types(testing::software(), info, kImagesOk), 0u);
}

TEST(ImageHandleTypes, LeaveOutWhatThisImageCannotHave) {
  EXPECT_EQ(image_handle_types(testing::software(), image(VK_IMAGE_TILING_OPTIMAL),
                               [](auto&, auto) -> std::optional<VkExternalMemoryProperties> {
                                 return std::nullopt;
                               }),
            0u);
}

TEST(ImageHandleTypes, UnderEmulationAreWhatTheDriverLists) {
  const auto external = wants_dma_buf();
  EXPECT_EQ(
      image_handle_types(
          testing::headless_discrete(), image(VK_IMAGE_TILING_LINEAR, &external),
          [](auto&, auto) -> std::optional<VkExternalMemoryProperties> { return std::nullopt; }),
      0u);
}

TEST(ImageHandleTypes, OfTheDriversOwnModifiersAreTheGuests) {
  const auto external = wants_dma_buf();
  EXPECT_EQ(
      image_handle_types(testing::desktop(),
                         image(VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT, &external), kImagesOk),
      kDmaBuf);
}

TEST(SetHandleTypes, FillsLinksAndRemoves) {
  VkImageCreateInfo info = image(VK_IMAGE_TILING_LINEAR);
  VkExternalMemoryImageCreateInfo storage{};
  set_image_handle_types(info, kHost, storage);
  EXPECT_EQ(info.pNext, &storage);
  EXPECT_EQ(storage.sType, VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO);
  EXPECT_EQ(storage.handleTypes, kHost);

  VkExternalMemoryImageCreateInfo unused{};
  set_image_handle_types(info, kDmaBuf, unused);
  EXPECT_EQ(info.pNext, &storage);
  EXPECT_EQ(storage.handleTypes, kDmaBuf);

  set_image_handle_types(info, 0, unused);
  EXPECT_EQ(info.pNext, nullptr);
}

}  // namespace
}  // namespace pvgpu::host
