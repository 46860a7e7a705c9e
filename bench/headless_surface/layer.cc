// A Vulkan layer that gives headless surfaces, and swapchains on them, to drivers that have none: for measuring natively what guests do
// on Mesa's. It takes VK_KHR_surface and VK_KHR_swapchain whole, so a program under it has no windows.
//
// Acquired semaphores and fences are for waiting, in this device: they cannot be exported before they were waited for.
#include <vulkan/vk_layer.h>

#include <cstring>

#include "dispatch.h"

namespace headless_surface {

vulkan_layer::Table<Instance> instances;
vulkan_layer::Table<Device> devices;

namespace {

PFN_vkVoidFunction VKAPI_CALL get_instance_function(VkInstance instance, const char* name);

PFN_vkVoidFunction VKAPI_CALL get_device_function(VkDevice device, const char* name) {
  if (!std::strcmp(name, "vkGetDeviceProcAddr")) return reinterpret_cast<PFN_vkVoidFunction>(&get_device_function);
  if (PFN_vkVoidFunction function = swapchain_function(name)) return function;
  // None of a function that is not there: it belongs to an extension that was not enabled.
  const PFN_vkVoidFunction below = devices.of(device).get(device, name);
  if (!below) return nullptr;
  if (PFN_vkVoidFunction function = device_creation_function(name)) return function;
  const PFN_vkVoidFunction own = synchronization_function(name);
  return own ? own : below;
}

PFN_vkVoidFunction VKAPI_CALL get_instance_function(VkInstance instance, const char* name) {
  if (!std::strcmp(name, "vkGetInstanceProcAddr")) return reinterpret_cast<PFN_vkVoidFunction>(&get_instance_function);
  if (!std::strcmp(name, "vkGetDeviceProcAddr")) return reinterpret_cast<PFN_vkVoidFunction>(&get_device_function);
  for (auto* own : {creation_function, surface_function, swapchain_function, device_creation_function, synchronization_function})
    if (PFN_vkVoidFunction function = own(name)) return function;
  return instance ? instances.of(instance).get(instance, name) : nullptr;
}

}  // namespace
}  // namespace headless_surface

extern "C" __attribute__((visibility("default"))) VKAPI_ATTR VkResult VKAPI_CALL
vkNegotiateLoaderLayerInterfaceVersion(VkNegotiateLayerInterface* version) {
  if (version->loaderLayerInterfaceVersion < 2) return VK_ERROR_INITIALIZATION_FAILED;
  version->loaderLayerInterfaceVersion = 2;
  version->pfnGetInstanceProcAddr = &headless_surface::get_instance_function;
  version->pfnGetDeviceProcAddr = &headless_surface::get_device_function;
  version->pfnGetPhysicalDeviceProcAddr = nullptr;
  return VK_SUCCESS;
}
