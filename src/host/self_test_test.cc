#include "host/self_test.h"

#include <gmock/gmock.h>

#include "host/testing/fake_device.h"
#include "host/testing/profiles.h"

namespace pvgpu::host {
namespace {

using testing::FakeDevice;
using ::testing::HasSubstr;

class SelfTest : public ::testing::Test {
 protected:
  // Runs it; whatever comes of it, the driver must be left as it was.
  Result<DriverProfile> run() {
    DriverProfile profile = device_.profile();
    const Result<void> tested = test_memory(device_.functions(), VK_NULL_HANDLE, profile);
    EXPECT_EQ(device_.bad, "");
    if (!device_.gpu_hangs) {
      EXPECT_EQ(device_.live, 0);
      EXPECT_EQ(device_.mapped, 0);
    }
    if (!tested) return std::unexpected(tested.error());
    return profile;
  }
  std::string verdict() {
    const auto profile = run();
    return profile ? profile->memory_plan[0].verdict : profile.error().what;
  }

  FakeDevice device_;
};

TEST_F(SelfTest, PrefersDmaBufThenImportThenOpaqueFd) {
  device_.exports_dma_buf = device_.exports_opaque_fd = device_.imports_pointers = true;
  EXPECT_EQ(run()->memory_plan[0].strategy, MemoryStrategy::kDmaBuf);
  device_.exports_dma_buf = false;
  EXPECT_EQ(run()->memory_plan[0].strategy, MemoryStrategy::kHostImport);
  device_.imports_pointers = false;
  EXPECT_EQ(run()->memory_plan[0].strategy, MemoryStrategy::kOpaqueFd);
}

TEST_F(SelfTest, LeavesDeviceLocalMemoryAlone) {
  device_.imports_pointers = true;
  const auto profile = run();
  EXPECT_EQ(profile->memory_plan[1].strategy, MemoryStrategy::kNone);
  EXPECT_FALSE(profile->memory_plan[1].hidden);
  EXPECT_FALSE(profile->all_types_host_visible);
}

TEST_F(SelfTest, RefusesAFileWhoseDataDoesNotStartAtZero) {
  device_.exports_opaque_fd = true;
  device_.export_header = 4096;
  const auto profile = run();
  ASSERT_FALSE(profile);
  EXPECT_THAT(profile.error().what, HasSubstr("without any memory strategy"));
}

TEST_F(SelfTest, RefusesADescriptorWithoutSize) {
  device_.exports_dma_buf = device_.fd_without_size = device_.imports_pointers = true;
  EXPECT_THAT(verdict(), HasSubstr("dma_buf: the descriptor does not tell its size"));
}

TEST_F(SelfTest, RefusesAnImportThatCopies) {
  device_.imports_pointers = device_.import_copies = true;
  device_.exports_opaque_fd = true;
  EXPECT_THAT(verdict(), HasSubstr("host_import: the guest's view does not show the driver's"));
}

TEST_F(SelfTest, RefusesMemoryWhoseGpuWritesAreNotSeen) {
  device_.imports_pointers = device_.gpu_writes_are_lost = true;
  EXPECT_FALSE(run());
}

TEST_F(SelfTest, SurvivesAGpuThatHangs) {
  device_.imports_pointers = device_.exports_opaque_fd = device_.gpu_hangs = true;
  EXPECT_FALSE(run());
  EXPECT_GT(device_.live, 0);  // what the GPU may still use is not freed
}

TEST_F(SelfTest, RefusesAnAlignmentBeyondAPage) {
  device_.imports_pointers = true;
  DriverProfile profile = device_.profile();
  profile.import_alignment = 1 << 20;
  EXPECT_FALSE(test_memory(device_.functions(), VK_NULL_HANDLE, profile));
}

TEST_F(SelfTest, HidesMemoryThatIsNotCoherent) {
  device_.imports_pointers = true;
  DriverProfile profile = device_.profile();
  testing::add_memory_type(profile, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT, MemoryStrategy::kNone);
  ASSERT_TRUE(test_memory(device_.functions(), VK_NULL_HANDLE, profile));
  EXPECT_TRUE(profile.memory_plan[2].hidden);
  EXPECT_THAT(profile.memory_plan[2].verdict, HasSubstr("not host-coherent"));
}

TEST_F(SelfTest, KeepsBuffersInAllMemoryTypes) {
  device_.imports_pointers = true;
  EXPECT_EQ(
      run()->buffer_handle_types,
      VkExternalMemoryHandleTypeFlags(VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT));
  device_.external_loses_types = true;
  EXPECT_EQ(run()->buffer_handle_types, 0u);
}

TEST_F(SelfTest, GivesImagesThatCannotHaveImportedMemoryATypeOfTheirOwn) {
  device_.imports_pointers = true;
  device_.lists_tiled_import = false;
  EXPECT_FALSE(run()->split_memory_types) << "there is a type that is not imported";
  DriverProfile profile = device_.profile();
  profile.memory.memoryTypeCount = 1;
  ASSERT_TRUE(test_memory(device_.functions(), VK_NULL_HANDLE, profile));
  EXPECT_TRUE(profile.split_memory_types);
  EXPECT_EQ(profile.memory.memoryTypeCount, 2u);

  device_.lists_tiled_import = true;
  profile = device_.profile();
  profile.memory.memoryTypeCount = 1;
  ASSERT_TRUE(test_memory(device_.functions(), VK_NULL_HANDLE, profile));
  EXPECT_FALSE(profile.split_memory_types);
}

TEST_F(SelfTest, FindsWhetherLinearImagesLoseMemoryTypesByBeingExternal) {
  device_.imports_pointers = true;
  EXPECT_TRUE(run()->harmless_linear_import);
  device_.external_images_lose_types = true;
  EXPECT_FALSE(run()->harmless_linear_import);
  device_.external_images_lose_types = false;
  device_.lists_linear_import = false;
  EXPECT_FALSE(run()->harmless_linear_import);
}

TEST_F(SelfTest, FindsLinearImagesThatTheDriverDoesNotList) {
  device_.imports_pointers = true;
  EXPECT_FALSE(run()->unlisted_linear_import);
  device_.lists_linear_import = false;
  EXPECT_TRUE(run()->unlisted_linear_import);
  device_.image_types = 0b10;  // not where host pointers are imported
  EXPECT_FALSE(run()->unlisted_linear_import);
  device_.image_types = 0b01;
  device_.imports_pointers = false;
  device_.exports_opaque_fd = true;
  EXPECT_FALSE(run()->unlisted_linear_import);
}

TEST_F(SelfTest, FreesEverythingWhicheverCallFails) {
  device_.exports_dma_buf = device_.exports_opaque_fd = device_.imports_pointers = true;
  ASSERT_TRUE(run());
  const int calls = device_.calls;
  ASSERT_GT(calls, 10);
  for (int failing = 1; failing <= calls; ++failing) {
    device_.calls = 0;
    device_.fail_at = failing;
    SCOPED_TRACE(failing);
    const auto profile = run();
    // One failing call costs one strategy; only the device itself costs everything.
    if (failing == 1) {
      EXPECT_FALSE(profile);
    } else {
      EXPECT_TRUE(profile);
    }
  }
}

}  // namespace
}  // namespace pvgpu::host
