// Driver profiles for unit tests, as drivers of the field look. Values; any thread.
#pragma once

#include <cstring>
#include <initializer_list>
#include <string_view>

#include "host/profile.h"
#include "host/verdicts.h"

namespace pvgpu::host::testing {

inline void add_extensions(DriverProfile& profile, std::initializer_list<std::string_view> names) {
  for (std::string_view name : names) {
    VkExtensionProperties extension{};
    std::memcpy(extension.extensionName, name.data(), name.size());
    extension.specVersion = 7;
    profile.driver_extensions.push_back(extension);
  }
}

inline void add_memory_type(DriverProfile& profile, VkMemoryPropertyFlags flags,
                            MemoryStrategy strategy) {
  const uint32_t i = profile.memory.memoryTypeCount++;
  profile.memory.memoryTypes[i] = {flags, 0};
  profile.memory_plan[i].strategy = strategy;
  profile.memory_plan[i].hidden =
      strategy == MemoryStrategy::kNone && (flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT);
  profile.memory_plan[i].verdict = "as the test says";
}

inline constexpr VkMemoryPropertyFlags kDeviceLocal = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
inline constexpr VkMemoryPropertyFlags kHostCoherent =
    VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
inline constexpr VkMemoryPropertyFlags kHostCached =
    kHostCoherent | VK_MEMORY_PROPERTY_HOST_CACHED_BIT;

inline DriverProfile bare(std::string_view name) {
  DriverProfile profile;
  profile.identity.name = name;
  profile.identity.device_uuid.fill(0x11);
  profile.identity.driver_uuid.fill(0x22);
  profile.api_version = VK_MAKE_API_VERSION(0, 1, 4, 305);
  profile.memory.memoryHeapCount = 1;
  profile.memory.memoryHeaps[0] = {VkDeviceSize(1) << 30, VK_MEMORY_HEAP_DEVICE_LOCAL_BIT};
  add_extensions(profile, {"VK_KHR_synchronization2", "VK_KHR_maintenance1", "VK_KHR_swapchain"});
  return profile;
}

// A software driver without udmabuf: one memory type, no sync-fd, dma-buf import only.
inline DriverProfile software() {
  DriverProfile profile = bare("llvmpipe (LLVM 19, 256 bits)");
  profile.device_type = VK_PHYSICAL_DEVICE_TYPE_CPU;
  add_extensions(profile, {"VK_KHR_external_memory_fd", "VK_EXT_external_memory_dma_buf",
                           "VK_EXT_external_memory_host", "VK_EXT_queue_family_foreign"});
  profile.external_memory_host = true;
  profile.import_alignment = 4096;
  profile.all_types_host_visible = true;
  add_memory_type(profile, kDeviceLocal | kHostCached, MemoryStrategy::kHostImport);
  profile.buffer_handle_types = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
  judge(profile, {});
  return profile;
}

// A discrete GPU without display: sync-fd, modifiers that cannot be exported, a type that cannot be
// shared.
inline DriverProfile headless_discrete() {
  DriverProfile profile = bare("Headless 100");
  profile.device_type = VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU;
  profile.pci_address = "0000:01:00.0";
  add_extensions(profile, {"VK_KHR_external_memory_fd", "VK_EXT_external_memory_dma_buf",
                           "VK_EXT_external_memory_host", "VK_EXT_queue_family_foreign",
                           "VK_EXT_image_drm_format_modifier", "VK_KHR_external_semaphore_fd",
                           "VK_KHR_external_fence_fd"});
  profile.external_memory_host = true;
  profile.import_alignment = 4096;
  profile.sync_fd_semaphore_features =
      VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT | VK_EXTERNAL_SEMAPHORE_FEATURE_EXPORTABLE_BIT;
  profile.sync_fd_fence_features = VK_EXTERNAL_FENCE_FEATURE_EXPORTABLE_BIT;
  add_memory_type(profile, 0, MemoryStrategy::kNone);
  add_memory_type(profile, kDeviceLocal, MemoryStrategy::kNone);
  add_memory_type(profile, kHostCoherent, MemoryStrategy::kHostImport);
  add_memory_type(profile, kHostCached, MemoryStrategy::kHostImport);
  add_memory_type(profile, kDeviceLocal | kHostCoherent, MemoryStrategy::kNone);
  profile.buffer_handle_types = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
  judge(profile, {});
  return profile;
}

// A Linux desktop driver: everything is there.
inline DriverProfile desktop() {
  DriverProfile profile = headless_discrete();
  profile.identity.name = "Desktop 7";
  for (uint32_t i = 0; i < profile.memory.memoryTypeCount; ++i) {
    if (!(profile.memory.memoryTypes[i].propertyFlags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT)) {
      continue;
    }
    profile.memory_plan[i].strategy = MemoryStrategy::kDmaBuf;
    profile.memory_plan[i].hidden = false;
  }
  profile.buffer_handle_types = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
  judge(profile, {});
  return profile;
}

// A driver over Metal: no descriptors of any kind.
inline DriverProfile portability() {
  DriverProfile profile = bare("Apple M3");
  add_extensions(profile, {"VK_KHR_portability_subset", "VK_EXT_external_memory_host"});
  profile.device_type = VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU;
  profile.external_memory_host = true;
  profile.import_alignment = 16384;
  add_memory_type(profile, kDeviceLocal, MemoryStrategy::kNone);
  add_memory_type(profile, kDeviceLocal | kHostCached, MemoryStrategy::kHostImport);
  profile.buffer_handle_types = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
  judge(profile, {});
  return profile;
}

}  // namespace pvgpu::host::testing
