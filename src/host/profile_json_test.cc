#include "host/profile_json.h"

#include <gmock/gmock.h>

#include "host/info.h"
#include "host/testing/profiles.h"

namespace pvgpu::host {
namespace {

using ::testing::HasSubstr;

TEST(ProfileJson, ComesBackAsItWas) {
  std::vector<DriverProfile> before = {testing::headless_discrete(), testing::software()};
  before[0].identity.occurrence = 1;
  before[1].split_memory_types = before[1].harmless_linear_import = true;
  const std::string text = profiles_to_json(before);
  const auto after = profiles_from_json(text);
  ASSERT_TRUE(after) << after.error().what;
  ASSERT_EQ(after->size(), 2u);
  EXPECT_EQ(profiles_to_json(*after), text);
  const DriverProfile& profile = (*after)[0];
  EXPECT_EQ(profile.identity, before[0].identity);
  EXPECT_EQ(profile.pci_address, "0000:01:00.0");
  EXPECT_EQ(profile.import_alignment, 4096u);
  EXPECT_EQ(profile.memory.memoryTypeCount, 5u);
  EXPECT_EQ(profile.memory.memoryHeaps[0].size, VkDeviceSize(1) << 30);
  EXPECT_TRUE(profile.memory_plan[4].hidden);
  EXPECT_EQ(profile.memory_plan[3].strategy, MemoryStrategy::kHostImport);
  EXPECT_EQ(profile.buffer_handle_types, before[0].buffer_handle_types);
  EXPECT_EQ(profile.sync_fd_semaphore_features, before[0].sync_fd_semaphore_features);
  EXPECT_FALSE(profile.split_memory_types);
  EXPECT_TRUE((*after)[1].split_memory_types);
  EXPECT_FALSE(profile.harmless_linear_import);
  EXPECT_TRUE((*after)[1].harmless_linear_import);
  EXPECT_TRUE(profile.emulation.dma_buf_memory);
  EXPECT_FALSE(profile.emulation.sync_fd_fence);
  EXPECT_TRUE((*after)[1].emulation.sync_fd_fence);
  EXPECT_EQ(profile.verdicts.size(), before[0].verdicts.size());
}

TEST(ProfileJson, OfEarlierBuildsIsRead) {
  std::string text = profiles_to_json(std::vector{testing::software()});
  for (std::string_view later : {"\"split_memory_types\":false,", "\"harmless_linear_import\":false,"}) {
    ASSERT_NE(text.find(later), std::string::npos);
    text.erase(text.find(later), later.size());
  }
  const auto profiles = profiles_from_json(text);
  ASSERT_TRUE(profiles);
  EXPECT_FALSE((*profiles)[0].split_memory_types);
}

TEST(ProfileJson, SurvivesNamesThatAreNoText) {
  DriverProfile profile = testing::software();
  profile.driver_info = "\xff\xfe";
  EXPECT_TRUE(profiles_from_json(profiles_to_json(std::vector{profile})));
}

TEST(ProfileJson, RefusesWhatIsNone) {
  const std::string good = profiles_to_json(std::vector{testing::software()});
  auto with = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    if (at != std::string::npos) text.replace(at, from.size(), to);
    return text;
  };
  ASSERT_TRUE(profiles_from_json(good));
  for (const std::string& text : {
           std::string(),
           std::string("{"),
           std::string("[]"),
           std::string("{\"format\":2}"),
           std::string("{\"format\":2,\"devices\":[]}"),
           with("\"format\":2", "\"format\":1"),
           with("\"import_alignment\":4096", "\"import_alignment\":4097"),
           with("\"device_uuid\":\"11", "\"device_uuid\":\"1g"),
           with("\"device_uuid\":\"11", "\"device_uuid\":\""),
           with("\"strategy\":1", "\"strategy\":9"),
           with("\"heap\":0", "\"heap\":99"),
           with("\"hidden\":false", "\"hidden\":0"),
           with("\"sync_fd_fence\":true", "\"x\":true"),
           with("\"treatment\":1", "\"treatment\":-1"),
       }) {
    EXPECT_FALSE(profiles_from_json(text)) << text.substr(0, 200);
  }
}

TEST(ProfileJson, NamesTheWrongMember) {
  std::string text = profiles_to_json(std::vector{testing::software()});
  text.replace(text.find("\"memory\":"), 9, "\"memury\":");
  EXPECT_THAT(profiles_from_json(text).error().what, HasSubstr("\"memory\""));
}

TEST(GuestApiVersion, FollowsTheDriverWithinWhatMesaKnows) {
  const uint32_t registry = VK_MAKE_API_VERSION(0, 1, 4, 309);
  DriverProfile profile = testing::software();
  auto minor = [](uint32_t version) { return VK_API_VERSION_MINOR(version); };
  EXPECT_EQ(minor(guest_api_version_until_25_0(profile, registry)), 3u);
  EXPECT_EQ(minor(guest_api_version_from_25_1(profile, registry)), 4u);
  EXPECT_EQ(minor(guest_api_version_from_25_1(profile, VK_API_VERSION_1_3)), 3u);
  profile.api_version = VK_MAKE_API_VERSION(0, 1, 1, 200);
  EXPECT_EQ(minor(guest_api_version_from_25_1(profile, registry)), 1u);
}

TEST(GuestApiVersion, IsOneTwoWithoutSynchronization2) {
  DriverProfile profile = testing::software();
  std::erase_if(profile.driver_extensions, [](const VkExtensionProperties& extension) {
    return std::string_view(extension.extensionName) == "VK_KHR_synchronization2";
  });
  judge(profile, {});
  EXPECT_EQ(guest_api_version_from_25_1(profile, VK_MAKE_API_VERSION(0, 1, 4, 309)),
            VK_API_VERSION_1_2);
}

}  // namespace
}  // namespace pvgpu::host
