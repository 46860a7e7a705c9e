// vkAllocateMemory as the guest means it, on memory that the guest can be given: the strategies of
// the profile applied to one allocation. A SharedAllocation belongs to the object that stands for
// the guest's VkDeviceMemory and is freed with free_memory, by one thread.
#pragma once

#include <vulkan/vulkan_core.h>

#include <expected>
#include <memory>

#include "host/profile.h"
#include "platform/fd.h"
#include "platform/shared_memory.h"

namespace pvgpu::host {

// The device-level functions needed; get_memory_fd may be null unless a strategy exports.
struct MemoryFunctions {
  PFN_vkAllocateMemory allocate_memory = nullptr;
  PFN_vkFreeMemory free_memory = nullptr;
  PFN_vkGetMemoryFdKHR get_memory_fd = nullptr;
};

struct SharedAllocation {
  VkDeviceMemory memory = VK_NULL_HANDLE;
  platform::UniqueFd imported;    // what was imported by descriptor, to be exported again
  // With kHostImport: the bytes, whose descriptor the guest maps. Who holds them too keeps them beyond the allocation.
  std::shared_ptr<const platform::SharedMemory> shared;
  MemoryStrategy strategy = MemoryStrategy::kNone;  // kNone: the guest cannot have these bytes
  VkDeviceSize size = 0;                            // bytes, as allocated (>= the guest's)
};

// Allocates for the guest's `info`, which is edited in place, and its chain with it, and is only valid for this call:
//  - export requests are served by the strategy and never reach the driver as DMA_BUF when that is
//  emulated;
//  - with host_import, VkMemoryDedicatedAllocateInfo is dropped
//  (VUID-VkMemoryAllocateInfo-pNext-02806)
//    and a non-zero opaque capture address is refused (VUID-VkMemoryAllocateInfo-pNext-03332);
//  - flags, device mask and priority pass through.
// memoryTypeIndex is checked against the profile (a bad one is VK_ERROR_UNKNOWN: the caller poisons
// first if it wants to). VkImportMemoryResourceInfoMESA is the caller's and must be out of the
// chain.
std::expected<SharedAllocation, VkResult> allocate_memory(const DriverProfile& profile,
                                                          const MemoryFunctions& functions,
                                                          VkDevice device,
                                                          VkMemoryAllocateInfo& info);

// The same for memory that another context exported (export_memory): `fd` becomes the allocation's.
// VK_ERROR_INVALID_EXTERNAL_HANDLE: it has fewer bytes than `info` says, or this type of memory cannot be shared.
std::expected<SharedAllocation, VkResult> import_memory(const DriverProfile& profile,
                                                        const MemoryFunctions& functions,
                                                        VkDevice device, VkMemoryAllocateInfo& info,
                                                        platform::UniqueFd fd);
// Bit i: memory of type i can be imported.
uint32_t importable_memory_types(const DriverProfile& profile);

// A descriptor that maps `allocation` from offset 0, owned by the caller.
// VK_ERROR_FEATURE_NOT_PRESENT for memory that cannot be shared. May be called more than once.
std::expected<platform::UniqueFd, VkResult> export_memory(const MemoryFunctions& functions,
                                                          VkDevice device,
                                                          const SharedAllocation& allocation);

// Frees the driver's memory, and only then the bytes that it was imported from.
void free_memory(const MemoryFunctions& functions, VkDevice device, SharedAllocation& allocation);

}  // namespace pvgpu::host
