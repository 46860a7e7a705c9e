#include "host/memory.h"

#include <algorithm>
#include <utility>

#include "host/memory_types.h"
#include "host/pnext.h"
#include "observe/log_limit.h"

namespace pvgpu::host {
namespace {

using Allocated = std::expected<SharedAllocation, VkResult>;

Allocated call_driver(const MemoryFunctions& functions, VkDevice device,
                      const VkMemoryAllocateInfo& info, SharedAllocation allocation) {
  const VkResult result = functions.allocate_memory(device, &info, nullptr, &allocation.memory);
  if (result != VK_SUCCESS) return std::unexpected(result);
  allocation.size = info.allocationSize;
  return allocation;
}

// Gives the driver the memory that `make` returns for a size in bytes.
template <class Make>
Allocated allocate_on(const DriverProfile& profile, const MemoryFunctions& functions, VkDevice device,
                      VkMemoryAllocateInfo& info, VkResult otherwise, Make make) {
  unlink_struct<VkExportMemoryAllocateInfo>(&info, VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO);
  unlink_struct<VkMemoryDedicatedAllocateInfo>(&info,
                                               VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO);
  auto* capture = find_struct<const VkMemoryOpaqueCaptureAddressAllocateInfo>(
      info.pNext, VK_STRUCTURE_TYPE_MEMORY_OPAQUE_CAPTURE_ADDRESS_ALLOCATE_INFO);
  if (capture && capture->opaqueCaptureAddress != 0) {
    return std::unexpected(VK_ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS);
  }
  const size_t unit =
      std::max(platform::page_size(), static_cast<size_t>(profile.import_alignment));
  const size_t size = platform::round_up(static_cast<size_t>(info.allocationSize), unit);
  if (size == 0 || size < info.allocationSize) {
    return std::unexpected(VK_ERROR_OUT_OF_DEVICE_MEMORY);
  }
  Result<platform::SharedMemory> shared = make(size);
  if (!shared) {
    static constinit observe::LogLimit limit(20);
    observe::warn_within(limit, "{}", shared.error().what);
    return std::unexpected(otherwise);
  }
  VkImportMemoryHostPointerInfoEXT import{
      .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT,
      .pNext = nullptr,
      .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT,
      .pHostPointer = shared->data()};
  prepend_struct(&info, &import);
  info.allocationSize = shared->size();
  SharedAllocation allocation;
  allocation.strategy = MemoryStrategy::kHostImport;
  allocation.shared = std::make_shared<const platform::SharedMemory>(std::move(*shared));
  return call_driver(functions, device, info, std::move(allocation));
}

Allocated allocate_imported(const DriverProfile& profile, const MemoryFunctions& functions,
                            VkDevice device, VkMemoryAllocateInfo& info) {
  return allocate_on(profile, functions, device, info, VK_ERROR_OUT_OF_HOST_MEMORY, [](size_t size) {
    return platform::SharedMemory::create(size, "pvgpu-memory");
  });
}

Allocated allocate_exported(MemoryStrategy strategy, const MemoryFunctions& functions,
                            VkDevice device, VkMemoryAllocateInfo& info) {
  VkExportMemoryAllocateInfo storage{};
  auto* wanted = find_struct<VkExportMemoryAllocateInfo>(
      info.pNext, VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO);
  if (!wanted) {
    storage.sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO;
    prepend_struct(&info, &storage);
    wanted = &storage;
  }
  wanted->handleTypes = strategy_handle_type(strategy);
  auto* dedicated = find_struct<const VkMemoryDedicatedAllocateInfo>(
      info.pNext, VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO);
  // The guest maps whole pages; dedicated memory must have the very size of its image or buffer.
  if (!dedicated || (dedicated->image == VK_NULL_HANDLE && dedicated->buffer == VK_NULL_HANDLE)) {
    const size_t size =
        platform::round_up(static_cast<size_t>(info.allocationSize), platform::page_size());
    if (size == 0) return std::unexpected(VK_ERROR_OUT_OF_DEVICE_MEMORY);
    info.allocationSize = size;
  }
  SharedAllocation allocation;
  allocation.strategy = strategy;
  return call_driver(functions, device, info, std::move(allocation));
}

}  // namespace

Allocated allocate_memory(const DriverProfile& profile, const MemoryFunctions& functions,
                          VkDevice device, VkMemoryAllocateInfo& info) {
  if (info.memoryTypeIndex >= profile.memory.memoryTypeCount) {
    return std::unexpected(VK_ERROR_UNKNOWN);
  }
  const VkMemoryType& type = profile.memory.memoryTypes[info.memoryTypeIndex];
  // Shared memory is only filled when it is touched, so the driver's own limit would come too late.
  if (info.allocationSize == 0 ||
      info.allocationSize > profile.memory.memoryHeaps[type.heapIndex].size) {
    return std::unexpected(VK_ERROR_OUT_OF_DEVICE_MEMORY);
  }
  const MemoryStrategy strategy = profile.memory_plan[info.memoryTypeIndex].strategy;
  info.memoryTypeIndex = driver_memory_type(profile, info.memoryTypeIndex);
  switch (strategy) {
    case MemoryStrategy::kHostImport:
      return allocate_imported(profile, functions, device, info);
    case MemoryStrategy::kDmaBuf:
    case MemoryStrategy::kOpaqueFd:
      return allocate_exported(strategy, functions, device, info);
    case MemoryStrategy::kNone:
      break;
  }
  auto* wanted = find_struct<const VkExportMemoryAllocateInfo>(
      info.pNext, VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO);
  if (wanted && wanted->handleTypes != 0) {
    // Emulated: the guest gets a stand-in when it asks for the descriptor, see exportable_memory_types().
    if (profile.emulation.dma_buf_memory) {
      unlink_struct<VkExportMemoryAllocateInfo>(&info, VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO);
      return call_driver(functions, device, info, {});
    }
    return allocate_exported(MemoryStrategy::kDmaBuf, functions, device, info);
  }
  return call_driver(functions, device, info, {});
}

Allocated import_memory(const DriverProfile& profile, const MemoryFunctions& functions, VkDevice device,
                        VkMemoryAllocateInfo& info, platform::UniqueFd fd) {
  if (info.memoryTypeIndex >= profile.memory.memoryTypeCount) return std::unexpected(VK_ERROR_UNKNOWN);
  const MemoryStrategy strategy = profile.memory_plan[info.memoryTypeIndex].strategy;
  info.memoryTypeIndex = driver_memory_type(profile, info.memoryTypeIndex);
  switch (strategy) {
    case MemoryStrategy::kHostImport:
      return allocate_on(profile, functions, device, info, VK_ERROR_INVALID_EXTERNAL_HANDLE,
                         [&](size_t size) { return platform::SharedMemory::open(std::move(fd), size); });
    case MemoryStrategy::kDmaBuf:
    case MemoryStrategy::kOpaqueFd:
      break;
    case MemoryStrategy::kNone:
      return std::unexpected(VK_ERROR_INVALID_EXTERNAL_HANDLE);
  }
  // What is exported again is the same memory, so the handle type need not be asked for.
  unlink_struct<VkExportMemoryAllocateInfo>(&info, VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO);
  VkImportMemoryFdInfoKHR import{.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
                                 .pNext = nullptr,
                                 .handleType = VkExternalMemoryHandleTypeFlagBits(strategy_handle_type(strategy)),
                                 .fd = fd.get()};
  prepend_struct(&info, &import);
  platform::UniqueFd again = fd.duplicate();
  SharedAllocation allocation;
  allocation.strategy = strategy;
  auto allocated = call_driver(functions, device, info, std::move(allocation));
  if (!allocated) return allocated;
  fd.release();  // the driver's now
  allocated->imported = std::move(again);
  return allocated;
}

uint32_t importable_memory_types(const DriverProfile& profile) {
  uint32_t types = 0;
  for (uint32_t i = 0; i < profile.memory.memoryTypeCount; i++)
    if (profile.memory_plan[i].strategy != MemoryStrategy::kNone) types |= 1u << i;
  return types;
}

std::expected<platform::UniqueFd, VkResult> export_memory(const MemoryFunctions& functions,
                                                          VkDevice device,
                                                          const SharedAllocation& allocation) {
  if (allocation.strategy == MemoryStrategy::kNone) {
    return std::unexpected(VK_ERROR_FEATURE_NOT_PRESENT);
  }
  if (allocation.strategy == MemoryStrategy::kHostImport) {
    platform::UniqueFd fd = allocation.shared->fd().duplicate();
    if (!fd.valid()) return std::unexpected(VK_ERROR_TOO_MANY_OBJECTS);
    return fd;
  }
  if (allocation.imported.valid()) {
    platform::UniqueFd fd = allocation.imported.duplicate();
    if (!fd.valid()) return std::unexpected(VK_ERROR_TOO_MANY_OBJECTS);
    return fd;
  }
  if (!functions.get_memory_fd) return std::unexpected(VK_ERROR_FEATURE_NOT_PRESENT);
  const VkMemoryGetFdInfoKHR get{
      .sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR,
      .pNext = nullptr,
      .memory = allocation.memory,
      .handleType = VkExternalMemoryHandleTypeFlagBits(strategy_handle_type(allocation.strategy))};
  int fd = -1;
  const VkResult result = functions.get_memory_fd(device, &get, &fd);
  if (result != VK_SUCCESS) return std::unexpected(result);
  return platform::UniqueFd(fd);
}

void free_memory(const MemoryFunctions& functions, VkDevice device, SharedAllocation& allocation) {
  if (allocation.memory != VK_NULL_HANDLE) {
    functions.free_memory(device, allocation.memory, nullptr);
  }
  allocation = {};
}

}  // namespace pvgpu::host
