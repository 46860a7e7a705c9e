#include "host/memory.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vector>

#include "host/memory_types.h"
#include "host/pnext.h"
#include "host/testing/profiles.h"

namespace pvgpu::host {
namespace {

// A driver that remembers what it was asked, and reads imported bytes when it frees them, as a
// driver with work in flight would.
struct FakeDriver {
  VkResult result = VK_SUCCESS;
  VkDeviceSize size = 0;
  uint32_t type = 0;
  std::vector<VkStructureType> chain;
  VkExternalMemoryHandleTypeFlags export_types = 0, fd_type = 0;
  std::byte* imported = nullptr;
  bool import_alive_at_free = false;
  int frees = 0;
};
FakeDriver* fake = nullptr;

VkResult fake_allocate(VkDevice, const VkMemoryAllocateInfo* info, const VkAllocationCallbacks*,
                       VkDeviceMemory* memory) {
  fake->size = info->allocationSize;
  fake->type = info->memoryTypeIndex;
  for (auto* s = static_cast<const VkBaseInStructure*>(info->pNext); s; s = s->pNext) {
    fake->chain.push_back(s->sType);
  }
  if (auto* import = find_struct<const VkImportMemoryHostPointerInfoEXT>(
          info->pNext, VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT)) {
    fake->imported = static_cast<std::byte*>(import->pHostPointer);
  }
  if (auto* exported = find_struct<const VkExportMemoryAllocateInfo>(
          info->pNext, VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO)) {
    fake->export_types = exported->handleTypes;
  }
  if (fake->result == VK_SUCCESS) *memory = reinterpret_cast<VkDeviceMemory>(uintptr_t{0x1000});
  return fake->result;
}

void fake_free(VkDevice, VkDeviceMemory, const VkAllocationCallbacks*) {
  ++fake->frees;
  // Fails with ENOMEM if the pages are unmapped already.
  if (fake->imported) {
    fake->import_alive_at_free = ::msync(fake->imported, platform::page_size(), MS_ASYNC) == 0;
  }
}

VkResult fake_get_fd(VkDevice, const VkMemoryGetFdInfoKHR* info, int* fd) {
  fake->fd_type = info->handleType;
  *fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  return VK_SUCCESS;
}

class Memory : public ::testing::Test {
 protected:
  void SetUp() override { fake = &driver_; }
  void TearDown() override { fake = nullptr; }

  static VkMemoryAllocateInfo info(uint32_t type, VkDeviceSize size, const void* next = nullptr) {
    VkMemoryAllocateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
    info.pNext = next;
    info.allocationSize = size;
    info.memoryTypeIndex = type;
    return info;
  }
  std::expected<SharedAllocation, VkResult> allocate(const DriverProfile& profile,
                                                     VkMemoryAllocateInfo info) {
    return allocate_memory(profile, functions_, VK_NULL_HANDLE, info);
  }

  FakeDriver driver_;
  MemoryFunctions functions_{fake_allocate, fake_free, fake_get_fd};
};

TEST_F(Memory, IsImportedInWholePages) {
  auto allocation = allocate(testing::software(), info(0, 100));
  ASSERT_TRUE(allocation);
  EXPECT_EQ(allocation->strategy, MemoryStrategy::kHostImport);
  EXPECT_EQ(driver_.size % platform::page_size(), 0u);
  EXPECT_EQ(allocation->size, driver_.size);
  EXPECT_EQ(allocation->shared->data(), driver_.imported);
  free_memory(functions_, VK_NULL_HANDLE, *allocation);
}

TEST_F(Memory, IsPaddedToTheImportAlignment) {
  const DriverProfile profile = testing::portability();  // wants 16 KiB
  auto allocation = allocate(profile, info(1, 4096));
  ASSERT_TRUE(allocation);
  EXPECT_EQ(driver_.size, 16384u);
  free_memory(functions_, VK_NULL_HANDLE, *allocation);
}

TEST_F(Memory, OfSplitTypesIsOfTheDriversTypeAndImportedOrNot) {
  DriverProfile profile = testing::bare("Apple M3");
  testing::add_memory_type(profile, testing::kHostCached, MemoryStrategy::kHostImport);
  testing::add_memory_type(profile, testing::kHostCached, MemoryStrategy::kHostImport);
  split_memory_types(profile);
  auto own = allocate(profile, info(2, 4096));
  ASSERT_TRUE(own);
  EXPECT_EQ(driver_.type, 1u);
  EXPECT_EQ(own->strategy, MemoryStrategy::kNone);
  free_memory(functions_, VK_NULL_HANDLE, *own);
  auto imported = allocate(profile, info(3, 4096));
  ASSERT_TRUE(imported);
  EXPECT_EQ(driver_.type, 1u);
  EXPECT_EQ(imported->strategy, MemoryStrategy::kHostImport);
  free_memory(functions_, VK_NULL_HANDLE, *imported);
}

TEST_F(Memory, IsFreedBeforeItsBytesAre) {
  auto allocation = allocate(testing::software(), info(0, 4096));
  ASSERT_TRUE(allocation);
  free_memory(functions_, VK_NULL_HANDLE, *allocation);
  EXPECT_EQ(driver_.frees, 1);
  EXPECT_TRUE(driver_.import_alive_at_free);
  EXPECT_EQ(::msync(driver_.imported, platform::page_size(), MS_ASYNC), -1);
  free_memory(functions_, VK_NULL_HANDLE, *allocation);
  EXPECT_EQ(driver_.frees, 1);
}

TEST_F(Memory, ImportDropsDedicationAndExportAndKeepsTheRest) {
  VkExportMemoryAllocateInfo exported{};
  exported.sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO;
  exported.handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
  VkMemoryPriorityAllocateInfoEXT priority{};
  priority.sType = VK_STRUCTURE_TYPE_MEMORY_PRIORITY_ALLOCATE_INFO_EXT;
  priority.pNext = &exported;
  VkMemoryDedicatedAllocateInfo dedicated{};
  dedicated.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO;
  dedicated.pNext = &priority;
  VkMemoryAllocateFlagsInfo flags{};
  flags.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO;
  flags.pNext = &dedicated;
  auto allocation = allocate(testing::software(), info(0, 4096, &flags));
  ASSERT_TRUE(allocation);
  EXPECT_THAT(driver_.chain,
              ::testing::ElementsAre(VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT,
                                     VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
                                     VK_STRUCTURE_TYPE_MEMORY_PRIORITY_ALLOCATE_INFO_EXT));
  free_memory(functions_, VK_NULL_HANDLE, *allocation);
}

TEST_F(Memory, ImportRefusesACaptureAddress) {
  VkMemoryOpaqueCaptureAddressAllocateInfo capture{};
  capture.sType = VK_STRUCTURE_TYPE_MEMORY_OPAQUE_CAPTURE_ADDRESS_ALLOCATE_INFO;
  capture.opaqueCaptureAddress = 0x1000;
  const auto allocation = allocate(testing::software(), info(0, 4096, &capture));
  ASSERT_FALSE(allocation);
  EXPECT_EQ(allocation.error(), VK_ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS);
}

TEST_F(Memory, OfADriverThatFailsIsGivenBack) {
  driver_.result = VK_ERROR_OUT_OF_DEVICE_MEMORY;
  const auto allocation = allocate(testing::software(), info(0, 4096));
  ASSERT_FALSE(allocation);
  EXPECT_EQ(allocation.error(), VK_ERROR_OUT_OF_DEVICE_MEMORY);
  EXPECT_EQ(::msync(driver_.imported, platform::page_size(), MS_ASYNC), -1);
}

TEST_F(Memory, LargerThanItsHeapIsRefusedUnasked) {
  for (VkDeviceSize size : {(VkDeviceSize(1) << 30) + 1, ~VkDeviceSize(0), VkDeviceSize(0)}) {
    const auto allocation = allocate(testing::software(), info(0, size));
    ASSERT_FALSE(allocation) << size;
    EXPECT_EQ(allocation.error(), VK_ERROR_OUT_OF_DEVICE_MEMORY);
  }
  EXPECT_EQ(driver_.size, 0u);
}

TEST_F(Memory, OfAnUnknownTypeIsRefused) {
  EXPECT_FALSE(allocate(testing::software(), info(1, 4096)));
  EXPECT_FALSE(allocate(testing::software(), info(~0u, 4096)));
}

TEST_F(Memory, ImportedIsExportedAsItsOwnDescriptor) {
  auto allocation = allocate(testing::software(), info(0, 4096));
  ASSERT_TRUE(allocation);
  const auto fd = export_memory(functions_, VK_NULL_HANDLE, *allocation);
  ASSERT_TRUE(fd);
  allocation->shared->data()[17] = std::byte{42};
  std::byte seen{};
  ASSERT_EQ(::pread(fd->get(), &seen, 1, 17), 1);
  EXPECT_EQ(seen, std::byte{42});
  free_memory(functions_, VK_NULL_HANDLE, *allocation);
}

TEST_F(Memory, OfTheDriverIsAllocatedForExport) {
  auto allocation = allocate(testing::desktop(), info(3, 5000));
  ASSERT_TRUE(allocation);
  EXPECT_EQ(driver_.export_types, VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT);
  EXPECT_EQ(driver_.size % platform::page_size(), 0u);
  EXPECT_TRUE(export_memory(functions_, VK_NULL_HANDLE, *allocation));
  EXPECT_EQ(driver_.fd_type, VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT);
  free_memory(functions_, VK_NULL_HANDLE, *allocation);
}

TEST_F(Memory, DedicatedToAnImageKeepsItsSizeWhenExported) {
  VkMemoryDedicatedAllocateInfo dedicated{};
  dedicated.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO;
  dedicated.image = reinterpret_cast<VkImage>(uintptr_t{0x2000});
  auto allocation = allocate(testing::desktop(), info(3, 5000, &dedicated));
  ASSERT_TRUE(allocation);
  EXPECT_EQ(driver_.size, 5000u);
  free_memory(functions_, VK_NULL_HANDLE, *allocation);
}

TEST_F(Memory, ThatNobodySharesPassesThrough) {
  auto allocation = allocate(testing::headless_discrete(), info(1, 5000));
  ASSERT_TRUE(allocation);
  EXPECT_EQ(driver_.size, 5000u);
  EXPECT_TRUE(driver_.chain.empty());
  EXPECT_EQ(export_memory(functions_, VK_NULL_HANDLE, *allocation).error(),
            VK_ERROR_FEATURE_NOT_PRESENT);
  free_memory(functions_, VK_NULL_HANDLE, *allocation);
}

TEST_F(Memory, ThatCannotBeSharedIsAllocatedWithoutExportUnderEmulation) {
  VkExportMemoryAllocateInfo exported{};
  exported.sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO;
  exported.handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
  auto allocation = allocate(testing::headless_discrete(), info(1, 4096, &exported));
  ASSERT_TRUE(allocation);
  EXPECT_EQ(allocation->strategy, MemoryStrategy::kNone);
  EXPECT_TRUE(driver_.chain.empty());
  free_memory(functions_, VK_NULL_HANDLE, *allocation);
  // A driver with real dma-bufs exports any type.
  allocation = allocate(testing::desktop(), info(1, 4096, &exported));
  ASSERT_TRUE(allocation);
  EXPECT_EQ(allocation->strategy, MemoryStrategy::kDmaBuf);
  free_memory(functions_, VK_NULL_HANDLE, *allocation);
}

}  // namespace
}  // namespace pvgpu::host
