// The claim VK_EXT_queue_family_foreign on a driver without it: VK_QUEUE_FAMILY_FOREIGN_EXT becomes
// VK_QUEUE_FAMILY_EXTERNAL, which every Vulkan 1.1 driver knows and which means no less. Mesa's
// window systems need the name, and hand every presented image over with it. Pure functions; any
// thread.
#pragma once

#include <vulkan/vulkan_core.h>

#include <span>

#include "host/profile.h"

namespace pvgpu::host::queue_family {

// VK_EXT_queue_family_foreign is missing.
bool needs_foreign(const DriverProfile& profile);
std::span<const VkExtensionProperties> extensions();

// A queue family index as the driver knows it. Call only when emulation.queue_family_foreign is
// set.
constexpr uint32_t to_driver(uint32_t index) {
  return index == VK_QUEUE_FAMILY_FOREIGN_EXT ? VK_QUEUE_FAMILY_EXTERNAL : index;
}

// Whether a barrier hands something over to others than the instance's own devices, or takes it back.
template <class Barrier>
constexpr bool leaves_instance(const Barrier& barrier) {
  constexpr auto outside = [](uint32_t index) { return index == VK_QUEUE_FAMILY_FOREIGN_EXT || index == VK_QUEUE_FAMILY_EXTERNAL; };
  return outside(barrier.srcQueueFamilyIndex) || outside(barrier.dstQueueFamilyIndex);
}

// Rewrites both indices of barriers: VkBufferMemoryBarrier, VkImageMemoryBarrier and their 2-forms.
template <class Barrier>
void rewrite(std::span<Barrier> barriers) {
  for (Barrier& barrier : barriers) {
    barrier.srcQueueFamilyIndex = to_driver(barrier.srcQueueFamilyIndex);
    barrier.dstQueueFamilyIndex = to_driver(barrier.dstQueueFamilyIndex);
  }
}
// Rewrites the barriers of a VkDependencyInfo, which are a copy of the decoder's own.
void rewrite(const VkDependencyInfo& info);

}  // namespace pvgpu::host::queue_family
