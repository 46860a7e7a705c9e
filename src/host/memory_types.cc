#include "host/memory_types.h"

#include <algorithm>

namespace pvgpu::host {
namespace {

constexpr VkMemoryPropertyFlags kHostFlags =
    VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT;

}  // namespace

VkPhysicalDeviceMemoryProperties guest_memory_properties(const DriverProfile& profile) {
  VkPhysicalDeviceMemoryProperties memory = profile.memory;
  for (uint32_t i = 0; i < memory.memoryTypeCount; ++i)
    if (profile.memory_plan[i].hidden) memory.memoryTypes[i].propertyFlags &= ~kHostFlags;
  return memory;
}

void split_memory_types(DriverProfile& profile) {
  const VkPhysicalDeviceMemoryProperties driver = profile.memory;
  const auto plan = profile.memory_plan;
  // What there is no room for can only be types that the driver says twice.
  const uint32_t count = std::min<uint32_t>(driver.memoryTypeCount, VK_MAX_MEMORY_TYPES / 2);
  profile.memory.memoryTypeCount = 2 * count;
  for (uint32_t i = 0; i < count; ++i) {
    // Vulkan wants types with fewer properties first.
    profile.memory.memoryTypes[2 * i] = {driver.memoryTypes[i].propertyFlags & ~kHostFlags, driver.memoryTypes[i].heapIndex};
    profile.memory_plan[2 * i] = {MemoryStrategy::kNone, false, "the driver's own, for images that it cannot bind to imported memory"};
    profile.memory.memoryTypes[2 * i + 1] = driver.memoryTypes[i];
    profile.memory_plan[2 * i + 1] = plan[i];
  }
  profile.split_memory_types = true;
}

uint32_t driver_memory_type(const DriverProfile& profile, uint32_t type) { return profile.split_memory_types ? type / 2 : type; }

uint32_t guest_memory_types(const DriverProfile& profile, uint32_t driver_types, bool imported) {
  if (!profile.split_memory_types) return driver_types;
  uint32_t types = 0;
  for (uint32_t i = 0; i < profile.memory.memoryTypeCount; ++i) {
    const bool takes = imported || profile.memory_plan[i].strategy != MemoryStrategy::kHostImport;
    if (takes && driver_types >> driver_memory_type(profile, i) & 1) types |= 1u << i;
  }
  return types;
}

uint32_t exportable_memory_types(const DriverProfile& profile) {
  uint32_t all = 0, shared = 0;
  for (uint32_t i = 0; i < profile.memory.memoryTypeCount; ++i) {
    all |= 1u << i;
    if (profile.memory_plan[i].strategy != MemoryStrategy::kNone) shared |= 1u << i;
  }
  return profile.emulation.dma_buf_memory && !exports_stand_ins(profile) ? shared : all;
}

bool exports_stand_ins(const DriverProfile& profile) {
  if (!profile.emulation.dma_buf_memory) return false;
  for (uint32_t i = 0; i < profile.memory.memoryTypeCount; ++i) {
    const bool shared = profile.memory_plan[i].strategy != MemoryStrategy::kNone;
    if (shared && profile.memory.memoryTypes[i].propertyFlags & VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT) return false;
  }
  return true;
}

}  // namespace pvgpu::host
