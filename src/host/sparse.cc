#include "host/sparse.h"

#include <algorithm>
#include <span>

namespace pvgpu::host::sparse {

bool is_hidden(const DriverProfile& profile) {
  // A sparse buffer could be bound to the driver's own memory alone, and is told of the other as well.
  if (profile.split_memory_types) return true;
  const std::span plans(profile.memory_plan.data(), profile.memory.memoryTypeCount);
  return !plans.empty() && std::ranges::all_of(plans, [](const MemoryTypePlan& plan) {
    return plan.strategy == MemoryStrategy::kHostImport;
  });
}

void hide(VkPhysicalDeviceFeatures& features) {
  features.sparseBinding = VK_FALSE;
  features.sparseResidencyBuffer = VK_FALSE;
  features.sparseResidencyImage2D = VK_FALSE;
  features.sparseResidencyImage3D = VK_FALSE;
  features.sparseResidency2Samples = VK_FALSE;
  features.sparseResidency4Samples = VK_FALSE;
  features.sparseResidency8Samples = VK_FALSE;
  features.sparseResidency16Samples = VK_FALSE;
  features.sparseResidencyAliased = VK_FALSE;
}

void hide(VkPhysicalDeviceProperties& properties) {
  properties.limits.sparseAddressSpaceSize = 0;
  properties.sparseProperties = {};
}

void hide(VkQueueFamilyProperties& properties) { properties.queueFlags &= ~VkQueueFlags{VK_QUEUE_SPARSE_BINDING_BIT}; }

}  // namespace pvgpu::host::sparse
