// What a corner needs of a device: extensions, feature bits, queues. A Lab that is opened with a
// Needs has all of it, and ends the corner as absent if the device lacks some of it.
#pragma once

#include <vulkan/vulkan.h>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "structure_types.h"

namespace corners {

// Made in one expression: Lab lab(Needs().extension("VK_…").queues(2));
class Needs {
 public:
  Needs();

  Needs&& extension(const char* name);
  Needs&& instance_extension(const char* name);
  // An extension that is enabled where it is there.
  Needs&& wish(const char* name);
  Needs&& queues(uint32_t count);

  template <class Features>
  Needs&& feature(VkBool32 Features::*bit, const char* name) {
    auto* features = static_cast<Features*>(link(kTypeOf<Features>, sizeof(Features)));
    bits_.push_back({&(features->*bit), name});
    return std::move(*this);
  }
  Needs&& core_feature(VkBool32 VkPhysicalDeviceFeatures::*bit, const char* name);

  // Throws Absent unless the device has everything. After that, chain() asks for it.
  void check(VkPhysicalDevice device);
  const VkPhysicalDeviceFeatures2* chain() const;
  const std::vector<const char*>& extensions() const { return extensions_; }
  const std::vector<const char*>& instance_extensions() const { return instance_extensions_; }
  uint32_t queues() const { return queues_; }

 private:
  struct Link {
    std::unique_ptr<std::byte[]> structure;
    size_t size;
  };
  struct Bit {
    VkBool32* bit;
    const char* name;
  };
  void* link(VkStructureType type, size_t size);
  void check_extensions(VkPhysicalDevice device);

  std::vector<const char*> extensions_, wishes_, instance_extensions_;
  std::vector<Link> links_;
  std::vector<Bit> bits_;
  uint32_t queues_ = 1;
};

// Needs().FEATURE(VkPhysicalDeviceVulkan12Features, hostQueryReset).CORE_FEATURE(geometryShader)
#define FEATURE(type, bit) feature(&type::bit, #bit)
#define CORE_FEATURE(bit) core_feature(&VkPhysicalDeviceFeatures::bit, #bit)

}  // namespace corners
