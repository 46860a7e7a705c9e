#include "host/profile.h"

#include <algorithm>

namespace pvgpu::host {

void count_occurrences(std::span<DeviceIdentity> identities) {
  for (size_t i = 0; i < identities.size(); ++i) {
    identities[i].occurrence = 0;
    // Those that are the same come with 0, 1, … so each that is found makes the next one the same.
    for (size_t before = 0; before < i; ++before) {
      if (identities[before] == identities[i]) ++identities[i].occurrence;
    }
  }
}

std::string_view strategy_name(MemoryStrategy strategy) {
  switch (strategy) {
    case MemoryStrategy::kNone:
      return "none";
    case MemoryStrategy::kHostImport:
      return "host_import";
    case MemoryStrategy::kDmaBuf:
      return "dma_buf";
    case MemoryStrategy::kOpaqueFd:
      return "opaque_fd";
  }
  return "none";
}

VkExternalMemoryHandleTypeFlags strategy_handle_type(MemoryStrategy strategy) {
  switch (strategy) {
    case MemoryStrategy::kNone:
      return 0;
    case MemoryStrategy::kHostImport:
      return VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
    case MemoryStrategy::kDmaBuf:
      return VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
    case MemoryStrategy::kOpaqueFd:
      return VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT;
  }
  return 0;
}

std::string_view treatment_name(Treatment treatment) {
  switch (treatment) {
    case Treatment::kPassedThrough:
      return "passed through";
    case Treatment::kEmulated:
      return "emulated";
    case Treatment::kHidden:
      return "hidden";
    case Treatment::kAbsent:
      return "absent";
  }
  return "absent";
}

bool DriverProfile::has_extension(std::string_view name) const {
  return std::any_of(
      driver_extensions.begin(), driver_extensions.end(),
      [&](const VkExtensionProperties& extension) { return name == extension.extensionName; });
}

bool DriverProfile::uses(MemoryStrategy strategy) const {
  return std::any_of(memory_plan.begin(), memory_plan.begin() + memory.memoryTypeCount,
                     [&](const MemoryTypePlan& plan) { return plan.strategy == strategy; });
}

const FeatureVerdict* DriverProfile::verdict(std::string_view name) const {
  auto it = std::find_if(verdicts.begin(), verdicts.end(),
                         [&](const FeatureVerdict& verdict) { return verdict.name == name; });
  return it == verdicts.end() ? nullptr : &*it;
}

std::vector<const char*> DriverProfile::required_device_extensions() const {
  std::vector<const char*> names;
  if (uses(MemoryStrategy::kHostImport)) {
    names.push_back(VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME);
  }
  if (uses(MemoryStrategy::kDmaBuf) || uses(MemoryStrategy::kOpaqueFd)) {
    names.push_back(VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME);
  }
  if (uses(MemoryStrategy::kDmaBuf)) {
    names.push_back(VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME);
  }
  // A driver that lists it demands it, and guests do not know it. The macro is in the beta header.
  static constexpr const char* kPortabilitySubset = "VK_KHR_portability_subset";
  if (has_extension(kPortabilitySubset)) names.push_back(kPortabilitySubset);
  return names;
}

}  // namespace pvgpu::host
