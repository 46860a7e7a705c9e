// A Vulkan layer that makes the driver below it look, and refuse, as a profile says (profile.h): for drivers that do not run where
// the tests do. What is asked against the profile fails as that driver would fail it, and is told on standard error.
#include <cstring>

#include "dispatch.h"

namespace driver_profile {

vulkan_layer::Table<Instance> instances;
vulkan_layer::Table<Device> devices;

namespace {

PFN_vkVoidFunction own_device_function(const char* name) {
  if (PFN_vkVoidFunction function = device_creation_function(name)) return function;
  if (PFN_vkVoidFunction function = memory_function(name)) return function;
  return object_function(name);
}

}  // namespace
}  // namespace driver_profile

extern "C" {

#define EXPORTED __attribute__((visibility("default"))) VKAPI_ATTR

EXPORTED PFN_vkVoidFunction VKAPI_CALL vkGetDeviceProcAddr(VkDevice device, const char* name) {
  if (!std::strcmp(name, "vkGetDeviceProcAddr")) return reinterpret_cast<PFN_vkVoidFunction>(&vkGetDeviceProcAddr);
  // None of a function that is not there: it belongs to an extension that was not enabled.
  const PFN_vkVoidFunction below = driver_profile::device_of(device).get(device, name);
  const PFN_vkVoidFunction own = driver_profile::own_device_function(name);
  return below && own ? own : below;
}

EXPORTED PFN_vkVoidFunction VKAPI_CALL vkGetInstanceProcAddr(VkInstance instance, const char* name) {
  if (!std::strcmp(name, "vkGetInstanceProcAddr")) return reinterpret_cast<PFN_vkVoidFunction>(&vkGetInstanceProcAddr);
  if (!std::strcmp(name, "vkGetDeviceProcAddr")) return reinterpret_cast<PFN_vkVoidFunction>(&vkGetDeviceProcAddr);
  if (PFN_vkVoidFunction function = driver_profile::creation_function(name)) return function;
  if (PFN_vkVoidFunction function = driver_profile::physical_device_function(name)) return function;
  if (PFN_vkVoidFunction function = driver_profile::own_device_function(name)) return function;
  return instance ? driver_profile::instance_of(instance).get(instance, name) : nullptr;
}

}  // extern "C"
