#include "host/selector.h"

#include <gmock/gmock.h>

namespace pvgpu::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<DeviceSummary> devices() {
  std::vector<DeviceSummary> list(3);
  list[0].identity.name = "NVIDIA GeForce RTX 4090";
  list[0].pci_address = "0000:01:00.0";
  list[0].type = VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU;
  for (size_t i = 0; i < VK_UUID_SIZE; ++i) {
    list[0].identity.device_uuid[i] = static_cast<uint8_t>(0xa0 + i);
  }
  list[1].identity.name = "NVIDIA GeForce GT 1030";
  list[1].pci_address = "0001:01:00.0";
  list[1].type = VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU;
  list[2].identity.name = "llvmpipe (LLVM 19.1.7, 256 bits)";
  list[2].type = VK_PHYSICAL_DEVICE_TYPE_CPU;
  return list;
}

Result<std::vector<size_t>> select(std::vector<std::string> selectors) {
  const std::vector<DeviceSummary> list = devices();
  return select_devices(list, selectors);
}

TEST(Selector, NoneMeansAll) {
  EXPECT_THAT(*select({}), ElementsAre(0, 1, 2));
}

TEST(Selector, TakesIndices) {
  EXPECT_THAT(*select({"2", "0"}), ElementsAre(2, 0));
}

TEST(Selector, TakesUuidsWithAndWithoutDashes) {
  EXPECT_THAT(*select({"A0A1A2A3-a4a5-a6a7-a8a9-aaabacadaeaf"}), ElementsAre(0));
  EXPECT_THAT(*select({"a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"}), ElementsAre(0));
}

TEST(Selector, TakesPciAddresses) {
  EXPECT_THAT(*select({"0001:01:00.0"}), ElementsAre(1));
  EXPECT_THAT(*select({"01:00.0"}), ElementsAre(0));
}

TEST(Selector, TakesPartsOfNames) {
  EXPECT_THAT(*select({"LLVMpipe"}), ElementsAre(2));
  // No index, so it can only be a name.
  EXPECT_THAT(*select({"4090"}), ElementsAre(0));
}

TEST(Selector, NamesADeviceOnce) {
  EXPECT_THAT(*select({"llvm", "2"}), ElementsAre(2));
}

TEST(Selector, RefusesWhatMatchesSeveral) {
  const auto result = select({"geforce"});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().what, "\"geforce\" matches 2 GPUs");
  EXPECT_THAT(result.error().hint, HasSubstr("1 = NVIDIA GeForce GT 1030"));
}

TEST(Selector, CountsWhatMatchesSeveral) {
  EXPECT_THAT(*select({"geforce#1"}), ElementsAre(1));
  EXPECT_THAT(*select({"geforce#1", "geforce#0"}), ElementsAre(1, 0));
  EXPECT_THAT(*select({"llvmpipe#0"}), ElementsAre(2));
}

TEST(Selector, CountsDevicesOfOneUuidByTheirDrivers) {
  std::vector<DeviceSummary> list(4);
  for (size_t i = 0; i < list.size(); ++i) {
    list[i].identity.name = "Radeon";
    list[i].identity.device_uuid.fill(7);
  }
  list[0].identity.driver_uuid.fill(2);
  list[1].identity.driver_uuid.fill(1);
  list[2].identity.driver_uuid.fill(2);  // the first one again, installed twice
  list[3].identity.device_uuid.fill(8);
  const std::string uuid = "07070707-0707-0707-0707-070707070707";
  auto pick = [&](const std::string& selector) {
    return select_devices(list, std::vector{selector});
  };
  EXPECT_THAT(*pick(uuid + "#0"), ElementsAre(1));
  EXPECT_THAT(*pick(uuid + "#1"), ElementsAre(0));
  EXPECT_THAT(*pick(uuid + "#2"), ElementsAre(2));
  EXPECT_FALSE(pick(uuid + "#3"));
  EXPECT_FALSE(pick(uuid));
  // Listed as they are selected.
  EXPECT_THAT(device_list(list), HasSubstr("0  Radeon  other  Vulkan 0.0.0  " + uuid + "#1\n"));
  EXPECT_THAT(device_list(list), HasSubstr(uuid + "#0\n"));
  EXPECT_THAT(device_list(list), HasSubstr(uuid + "#2\n"));
  EXPECT_THAT(device_list(list), HasSubstr("08080808-0808-0808-0808-080808080808\n"));
}

TEST(Selector, TellsIdenticalDevicesApartByTheirOrder) {
  std::vector<DeviceIdentity> identities(4);
  identities[1].name = "another";
  count_occurrences(identities);
  EXPECT_EQ(identities[0].occurrence, 0u);
  EXPECT_EQ(identities[1].occurrence, 0u);
  EXPECT_EQ(identities[2].occurrence, 1u);
  EXPECT_EQ(identities[3].occurrence, 2u);
}

TEST(Selector, RefusesWhatMatchesNone) {
  for (const char* selector : {"radeon", "", "7", "02:00.0", "00000000000000000000000000000001", "#0",
                               "geforce#2", "geforce#", "geforce#x", "radeon#0"}) {
    const auto result = select({selector});
    ASSERT_FALSE(result) << selector;
    EXPECT_THAT(result.error().what, HasSubstr("no GPU matches"));
    EXPECT_THAT(result.error().hint, HasSubstr("2 = llvmpipe"));
  }
}

TEST(Selector, ListsALineADevice) {
  const std::vector<DeviceSummary> list = devices();
  EXPECT_THAT(device_list(list),
              HasSubstr("0  NVIDIA GeForce RTX 4090  discrete  Vulkan 0.0.0  0000:01:00.0  "
                        "a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf\n"));
}

}  // namespace
}  // namespace pvgpu::host
