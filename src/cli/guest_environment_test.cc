#include "cli/guest_environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pvgpu::cli {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const GuestSettings kSettings{
    "/run/s", {"/a/virtio_icd.x86_64.json", "/a/virtio_icd.i686.json"}, true};

TEST(GuestEnvironment, SaysWhereTheGpuIs) {
  auto environment = guest_environment(std::vector<std::string>{"HOME=/root", "A=b=c"}, kSettings);
  EXPECT_THAT(environment, Contains("HOME=/root"));
  EXPECT_THAT(environment, Contains("A=b=c"));
  EXPECT_THAT(environment, Contains("VN_DEBUG=vtest"));
  EXPECT_THAT(environment, Contains("VTEST_SOCKET_NAME=/run/s"));
  EXPECT_THAT(environment, Contains("MESA_VK_WSI_DEBUG=sw"));
  EXPECT_THAT(environment,
              Contains("VK_DRIVER_FILES=/a/virtio_icd.x86_64.json:/a/virtio_icd.i686.json"));
}

TEST(GuestEnvironment, KeepsTheUsersListsAndAddsToThem) {
  auto environment = guest_environment(
      std::vector<std::string>{"VN_DEBUG=init,result", "MESA_VK_WSI_DEBUG=linear"}, kSettings);
  EXPECT_THAT(environment, Contains("VN_DEBUG=init,result,vtest"));
  EXPECT_THAT(environment, Contains("MESA_VK_WSI_DEBUG=linear,sw"));
  environment = guest_environment(std::vector<std::string>{"VN_DEBUG=vtest,init"}, kSettings);
  EXPECT_THAT(environment, Contains("VN_DEBUG=vtest,init"));
}

TEST(GuestEnvironment, ReplacesWhatPointsAtTheHostsDrivers) {
  auto environment = guest_environment(
      std::vector<std::string>{"VK_DRIVER_FILES=/host.json", "VTEST_SOCKET_NAME=/other",
                               "VK_LOADER_DRIVERS_SELECT=*lvp*",
                               "VK_LOADER_DRIVERS_DISABLE=*virtio*"},
      kSettings);
  EXPECT_THAT(environment, Not(Contains(HasSubstr("/host.json"))));
  EXPECT_THAT(environment, Not(Contains(HasSubstr("/other"))));
  EXPECT_THAT(environment, Not(Contains(StartsWith("VK_LOADER_DRIVERS_"))));
}

TEST(GuestEnvironment, DmaBufsNeedNoCopies) {
  GuestSettings settings = kSettings;
  settings.software_wsi = false;
  EXPECT_THAT(guest_environment({}, settings), Not(Contains(StartsWith("MESA_VK_WSI_DEBUG"))));
}

TEST(GuestEnvironment, AsksUnlessTheUserSaysOtherwise) {
  EXPECT_THAT(guest_environment({}, kSettings), Contains("VN_PERF=no_fence_feedback,no_semaphore_feedback"));
  EXPECT_THAT(guest_environment(std::vector<std::string>{"VN_PERF="}, kSettings), Contains("VN_PERF="));
}

}  // namespace
}  // namespace pvgpu::cli
