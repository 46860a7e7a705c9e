#include "host/loader.h"

#include <gmock/gmock.h>

#include <cstdlib>

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
  const auto loader = Loader::open("libm.so.6");
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
  ::setenv("VK_DRIVER_FILES", "/nonexistent/a.json:/proc/self/status", 1);
  const std::string hint = no_driver_hint();
  if (before) {
    ::setenv("VK_DRIVER_FILES", kept.c_str(), 1);
  } else {
    ::unsetenv("VK_DRIVER_FILES");
  }
  EXPECT_THAT(hint, HasSubstr("VK_DRIVER_FILES"));
  EXPECT_THAT(hint, HasSubstr("/nonexistent/a.json (cannot be read)"));
  EXPECT_THAT(hint, HasSubstr("/proc/self/status (gives no device)"));
}

}  // namespace
}  // namespace pvgpu::host
