// The instances and devices that a program has made, with the way to what lies below this layer, and what the layer knows of their
// objects. Any thread; tables have a lock, and references stay good until the instance or device goes.
#pragma once

#include <vulkan/vulkan_core.h>

#include <map>
#include <mutex>

#include "vulkan_layer/layer.h"

namespace driver_profile {

using vulkan_layer::chain_link, vulkan_layer::find, vulkan_layer::key, vulkan_layer::look_up, vulkan_layer::Entry;

using Instance = vulkan_layer::InstanceDispatch;

struct Memory {
  VkMemoryPropertyFlags flags = 0;
  uint32_t type = 0;
  bool imported = false, mapped = false;
};
struct Device : vulkan_layer::DeviceDispatch {
  VkPhysicalDeviceFeatures features{};  // that were enabled
  bool events = true, triangle_fans = true;  // with a portability subset only where they were enabled
  std::mutex mutex;  // of what follows
  std::map<VkDeviceMemory, Memory> memories;
  std::map<VkImage, VkImageCreateInfo> images;  // without what their pointers point to
};

extern vulkan_layer::Table<Instance> instances;
extern vulkan_layer::Table<Device> devices;
inline Instance& instance_of(void* dispatchable) { return instances.of(dispatchable); }
inline Device& device_of(void* dispatchable) { return devices.of(dispatchable); }

// This layer's own functions by name; nullptr: it has none.
PFN_vkVoidFunction physical_device_function(const char* name);
PFN_vkVoidFunction creation_function(const char* name);
PFN_vkVoidFunction device_creation_function(const char* name);
PFN_vkVoidFunction memory_function(const char* name);
PFN_vkVoidFunction object_function(const char* name);

}  // namespace driver_profile
