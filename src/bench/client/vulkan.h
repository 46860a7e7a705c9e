// The Vulkan functions that the works call, loaded at run time through the loader, as any
// application may.
#pragma once

#include <vulkan/vulkan_core.h>

#include <string>

namespace pvgpu::bench::client {

// vkX is `X` here.
struct Vulkan {
  PFN_vkGetInstanceProcAddr GetInstanceProcAddr = nullptr;
  PFN_vkCreateInstance CreateInstance = nullptr;
  PFN_vkEnumerateInstanceExtensionProperties EnumerateInstanceExtensionProperties = nullptr;
#define INSTANCE_FUNCTION(name) PFN_vk##name name = nullptr;
#define DEVICE_FUNCTION(name) PFN_vk##name name = nullptr;
#define WINDOW_FUNCTION(name) PFN_vk##name name = nullptr;
#include "bench/client/functions.inc"

  // Opens the loader (empty: the system's), which stays open. Failures end the program.
  void load(const std::string& loader);
  void load_instance(VkInstance instance);
  void load_device(VkDevice device);
};

}  // namespace pvgpu::bench::client
