// The instances and devices that a program has made under this layer, and the layer's own functions by name. Any thread; references
// stay good until the instance or device goes.
#pragma once

#include <vulkan/vulkan_core.h>

#include <mutex>
#include <set>

#include "signalled.h"
#include "vulkan_layer/layer.h"

namespace headless_surface {

struct Instance : vulkan_layer::InstanceDispatch {
  std::mutex mutex;  // of what follows
  std::set<VkSurfaceKHR> surfaces;
};

struct Device : vulkan_layer::DeviceDispatch {
  VkPhysicalDevice physical = VK_NULL_HANDLE;
  // Looked up once: they are called for each frame.
  PFN_vkQueueSubmit submit = nullptr;
  PFN_vkQueueSubmit2 submit2 = nullptr;  // nullptr where it was not enabled
  PFN_vkWaitForFences wait_for_fences = nullptr;
  PFN_vkGetFenceStatus fence_status = nullptr;
  PFN_vkResetFences reset_fences = nullptr;
  Signalled<VkSemaphore> semaphores;
  Signalled<VkFence> fences;
};

extern vulkan_layer::Table<Instance> instances;
extern vulkan_layer::Table<Device> devices;

// nullptr: there is none.
PFN_vkVoidFunction creation_function(const char* name);
PFN_vkVoidFunction device_creation_function(const char* name);
PFN_vkVoidFunction surface_function(const char* name);
PFN_vkVoidFunction swapchain_function(const char* name);
PFN_vkVoidFunction synchronization_function(const char* name);

}  // namespace headless_surface
