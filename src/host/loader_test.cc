#include "host/loader.h"

#include <dlfcn.h>
#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>

#include "platform/temporary_folder.h"

namespace pvgpu::host {
namespace {

using ::testing::HasSubstr;

TEST(Loader, SaysWhatIsMissingAndWhatToInstall) {
  const auto loader = Loader::open("/nonexistent/libvulkan.so.1");
  ASSERT_FALSE(loader);
  EXPECT_THAT(loader.error().what, HasSubstr("/nonexistent/libvulkan.so.1"));
  EXPECT_THAT(loader.error().hint, HasSubstr("install"));
  EXPECT_THAT(loader.error().hint, HasSubstr("PVGPU_VULKAN_LOADER"));
}

TEST(Loader, RefusesALibraryThatIsNoLoader) {
  Dl_info system{};
  ASSERT_NE(::dladdr(::dlsym(RTLD_DEFAULT, "getenv"), &system), 0);
  const auto loader = Loader::open(system.dli_fname);
  ASSERT_FALSE(loader);
  EXPECT_THAT(loader.error().what, HasSubstr("vkGetInstanceProcAddr"));
}

TEST(Loader, TakesItsPathFromTheEnvironment) {
  ::setenv("PVGPU_VULKAN_LOADER", "/nonexistent/from-environment.so", 1);
  const auto loader = Loader::open("");
  ::unsetenv("PVGPU_VULKAN_LOADER");
  ASSERT_FALSE(loader);
  EXPECT_THAT(loader.error().what, HasSubstr("from-environment.so"));
}

TEST(NoDriverHint, NamesTheIcdFilesThatWereLookedAt) {
  const char* before = std::getenv("VK_DRIVER_FILES");
  const std::string kept = before ? before : "";
  const auto folder = platform::TemporaryFolder::create().value();
  const std::string readable = folder.path() + "/b.json";
  std::ofstream(readable) << "{}";
  ::setenv("VK_DRIVER_FILES", ("/nonexistent/a.json:" + readable).c_str(), 1);
  const std::string hint = no_driver_hint();
  if (before) {
    ::setenv("VK_DRIVER_FILES", kept.c_str(), 1);
  } else {
    ::unsetenv("VK_DRIVER_FILES");
  }
  EXPECT_THAT(hint, HasSubstr("VK_DRIVER_FILES"));
  EXPECT_THAT(hint, HasSubstr("/nonexistent/a.json (cannot be read)"));
  EXPECT_THAT(hint, HasSubstr(readable + " (gives no device)"));
}

}  // namespace
}  // namespace pvgpu::host
