// Structures in which a driver tells about itself, of which one that lacks an extension does not know those that it brings. Which
// structures there are, what brings them and what is in them comes from the registry (src/describe). Stateless.
#pragma once

#include <vulkan/vulkan_core.h>

#include <functional>
#include <string_view>
#include <vector>

#include "describe/fact.h"

namespace driver_profile {

// Takes out of `parent`'s chain, until it goes, the structures that `goes` says of.
class Detached {
 public:
  Detached(void* parent, const std::function<bool(const VkBaseOutStructure&)>& goes);
  ~Detached();
  Detached(const Detached&) = delete;
  Detached& operator=(const Detached&) = delete;

 private:
  std::vector<std::pair<VkBaseOutStructure*, VkBaseOutStructure*>> links_;  // a structure, and what followed it
};

// Whether a driver as the profile says fills in a structure of this type where it is asked about `kind`.
bool is_known(pvgpu::describe::Kind kind, VkStructureType type);
// Calls `action` with every feature in `features` and in the structures after it that the registry knows, the feature's name, and
// the type of the structure.
using FeatureAction = std::function<void(VkBool32& value, std::string_view name, VkStructureType type)>;
void for_each_feature(VkPhysicalDeviceFeatures2& features, const FeatureAction& action);

}  // namespace driver_profile
