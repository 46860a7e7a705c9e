#include "host/extensions.h"

#include <gmock/gmock.h>

#include "host/testing/profiles.h"

namespace pvgpu::host {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

std::vector<std::string> names(const std::vector<VkExtensionProperties>& extensions) {
  std::vector<std::string> list;
  for (const VkExtensionProperties& extension : extensions) list.push_back(extension.extensionName);
  return list;
}

std::vector<std::string> enabled(const DriverProfile& profile, std::vector<const char*> guest) {
  const auto result = driver_device_extensions(profile, guest);
  if (!result) return {"refused"};
  return {result->begin(), result->end()};
}

TEST(Verdicts, EmulateWhatASoftwareDriverLacks) {
  const DriverProfile profile = testing::software();
  EXPECT_TRUE(profile.emulation.sync_fd_semaphore);
  EXPECT_TRUE(profile.emulation.sync_fd_fence);
  EXPECT_TRUE(profile.emulation.dma_buf_memory);
  EXPECT_TRUE(profile.emulation.linear_modifier);
  EXPECT_FALSE(profile.emulation.queue_family_foreign);
}

TEST(Verdicts, EmulateModifiersWhereMemoryIsOurs) {
  const DriverProfile profile = testing::headless_discrete();
  EXPECT_FALSE(profile.emulation.sync_fd_semaphore);
  EXPECT_FALSE(profile.emulation.sync_fd_fence);
  EXPECT_TRUE(profile.emulation.dma_buf_memory);
  EXPECT_TRUE(profile.emulation.linear_modifier);
  ASSERT_NE(profile.verdict("HOST_VISIBLE of memory type 4"), nullptr);
  EXPECT_EQ(profile.verdict("HOST_VISIBLE of memory type 4")->treatment, Treatment::kHidden);
}

TEST(Verdicts, EmulateNothingOnADesktop) {
  const Emulation emulation = testing::desktop().emulation;
  EXPECT_FALSE(emulation.sync_fd_semaphore || emulation.sync_fd_fence || emulation.dma_buf_memory ||
               emulation.linear_modifier || emulation.queue_family_foreign);
}

TEST(Verdicts, EmulateSyncFdThatCannotBeImported) {
  DriverProfile profile = testing::headless_discrete();
  profile.sync_fd_semaphore_features = VK_EXTERNAL_SEMAPHORE_FEATURE_EXPORTABLE_BIT;
  judge(profile, {});
  EXPECT_TRUE(profile.emulation.sync_fd_semaphore);
  EXPECT_FALSE(profile.emulation.sync_fd_fence);
}

TEST(Verdicts, EveryDriverExtensionHasOne) {
  const DriverProfile profile = testing::portability();
  for (const VkExtensionProperties& extension : profile.driver_extensions) {
    EXPECT_NE(profile.verdict(extension.extensionName), nullptr) << extension.extensionName;
  }
  EXPECT_EQ(profile.verdict("VK_EXT_robustness2")->treatment, Treatment::kAbsent);
}

TEST(Extensions, AreClaimedWhenEmulated) {
  EXPECT_THAT(names(guest_device_extensions(testing::portability())),
              IsSupersetOf({"VK_KHR_external_semaphore_fd", "VK_KHR_external_fence_fd",
                            "VK_EXT_external_memory_dma_buf", "VK_KHR_external_memory_fd",
                            "VK_EXT_image_drm_format_modifier", "VK_EXT_queue_family_foreign",
                            "VK_KHR_synchronization2"}));
}

TEST(Extensions, AreListedOnce) {
  const auto list = names(guest_device_extensions(testing::headless_discrete()));
  EXPECT_EQ(std::count(list.begin(), list.end(), "VK_EXT_image_drm_format_modifier"), 1);
  EXPECT_EQ(std::count(list.begin(), list.end(), "VK_EXT_external_memory_dma_buf"), 1);
}

TEST(Extensions, OfTheHostsOwnProcessAreHidden) {
  const auto list = names(guest_device_extensions(testing::portability()));
  EXPECT_THAT(list, Not(Contains("VK_KHR_portability_subset")));
  EXPECT_THAT(list, Not(Contains("VK_EXT_external_memory_host")));
  EXPECT_THAT(list, Not(Contains("VK_KHR_swapchain")));
}

TEST(Extensions, ThatTheDecoderDoesNotKnowAreHidden) {
  DriverProfile profile = testing::software();
  judge(profile, {.why_not = [](std::string_view name) -> std::string_view {
          return name == "VK_KHR_maintenance1" ? "the protocol lacks it" : "";
        }});
  EXPECT_THAT(names(guest_device_extensions(profile)), Not(Contains("VK_KHR_maintenance1")));
  EXPECT_EQ(profile.verdict("VK_KHR_maintenance1")->treatment, Treatment::kHidden);
}

TEST(Extensions, EmulatedOnesDoNotReachTheDriver) {
  EXPECT_THAT(
      enabled(testing::software(), {"VK_EXT_image_drm_format_modifier", "VK_KHR_maintenance1",
                                    "VK_EXT_queue_family_foreign", "VK_EXT_external_memory_dma_buf",
                                    "VK_KHR_external_memory_fd", "VK_KHR_external_semaphore_fd"}),
      ElementsAre("VK_KHR_maintenance1", "VK_EXT_queue_family_foreign",
                  "VK_EXT_external_memory_host"));
}

TEST(Extensions, ThatThePlanNeedsAreAddedOnce) {
  EXPECT_THAT(enabled(testing::desktop(), {"VK_EXT_external_memory_dma_buf"}),
              ElementsAre("VK_EXT_external_memory_dma_buf", "VK_KHR_external_memory_fd"));
  EXPECT_THAT(enabled(testing::portability(), {}),
              ElementsAre("VK_EXT_external_memory_host", "VK_KHR_portability_subset"));
}

TEST(Extensions, ThatAreNotShownAreRefused) {
  for (const char* name : {"VK_EXT_external_memory_host", "VK_NV_mesh_shader"}) {
    const auto result =
        driver_device_extensions(testing::software(), std::vector<const char*>{name});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error(), VK_ERROR_EXTENSION_NOT_PRESENT);
  }
}

}  // namespace
}  // namespace pvgpu::host
