#include "describe/icd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "platform/temporary_folder.h"

namespace pvgpu::describe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> folders_with(std::map<std::string, std::string> variables) {
  return icd_folders([&](const char* name) -> const char* {
    auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

TEST(IcdFolders, AreTheLoadersOwn) {
  EXPECT_THAT(folders_with({}),
              ElementsAre("/etc/xdg/vulkan/icd.d", "/etc/vulkan/icd.d",
                          "/usr/local/share/vulkan/icd.d", "/usr/share/vulkan/icd.d"));
  EXPECT_THAT(
      folders_with({{"HOME", "/h"}, {"XDG_DATA_DIRS", "/x::/y"}, {"XDG_CONFIG_DIRS", "/c"}}),
      ElementsAre("/h/.config/vulkan/icd.d", "/c/vulkan/icd.d", "/etc/vulkan/icd.d",
                  "/h/.local/share/vulkan/icd.d", "/x/vulkan/icd.d", "/y/vulkan/icd.d"));
}

TEST(FindVirtioIcds, TakesAllArchitecturesOfTheFirstFolderThatHasOne) {
  auto folder = platform::TemporaryFolder::create().value();
  std::vector<std::string> folders;
  for (const char* name : {"/empty", "/first", "/second"}) {
    folders.push_back(folder.path() + name);
    std::filesystem::create_directory(folders.back());
  }
  for (const char* name : {"/first/virtio_icd.x86_64.json", "/first/virtio_icd.i686.json",
                           "/first/lvp_icd.x86_64.json", "/second/virtio_icd.json"}) {
    std::ofstream(folder.path() + name) << "{}";
  }
  folders.insert(folders.begin(), folder.path() + "/missing");
  EXPECT_THAT(find_virtio_icds(folders).value(),
              ElementsAre(folder.path() + "/first/virtio_icd.i686.json",
                          folder.path() + "/first/virtio_icd.x86_64.json"));
}

TEST(FindVirtioIcds, SaysWhereItLookedAndWhatToDo) {
  const std::vector<std::string> folders = {"/nonexistent/a", "/nonexistent/b"};
  auto icds = find_virtio_icds(folders);
  ASSERT_FALSE(icds.has_value());
  EXPECT_THAT(icds.error().what, HasSubstr("/nonexistent/a, /nonexistent/b"));
  EXPECT_THAT(icds.error().hint, HasSubstr("--icd"));
}

}  // namespace
}  // namespace pvgpu::describe
