// Asks a physical device everything that it can be asked, whoever answers: a driver, natively or in a guest, or a Venus
// context of this process. One thread.
#pragma once

#include <vulkan/vulkan_core.h>

#include <vector>

#include "describe/fact.h"

namespace pvgpu::describe {

// Vulkan's questions about one physical device.
class Queries {
 public:
  virtual ~Queries() = default;
  // Whether chains may hold structures of this type although the device has what brings them.
  virtual bool answers(VkStructureType) const { return true; }
  virtual std::vector<VkExtensionProperties> extensions() = 0;
  virtual void properties(VkPhysicalDeviceProperties2& properties) = 0;
  virtual void features(VkPhysicalDeviceFeatures2& features) = 0;
  virtual void format(VkFormat format, VkFormatProperties2& properties) = 0;
  virtual void queue_families(uint32_t& count, VkQueueFamilyProperties2* families) = 0;
  virtual void memory(VkPhysicalDeviceMemoryProperties2& memory) = 0;
};

// Asks for structures and formats only where the device's level or one of its extensions brings them. `most`: the level
// of the VkInstance, which no device goes beyond.
Device describe(Queries& queries, uint32_t most);

}  // namespace pvgpu::describe
