// The instances and devices that a program has made, with the way to what lies below this layer, and what the layer knows of their
// objects. Any thread; tables have a lock, and references stay good until the instance or device goes.
#pragma once

#include <vulkan/vk_layer.h>
#include <vulkan/vulkan_core.h>

#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace driver_profile {

// The function `name` by `get`, or the extension's of the same meaning: a program of an older Vulkan has only that.
template <class Get, class Handle>
PFN_vkVoidFunction next_function(Get get, Handle handle, const char* name) {
  if (PFN_vkVoidFunction function = get(handle, name)) return function;
  return get(handle, (std::string(name) + "KHR").c_str());
}

struct Instance {
  PFN_vkGetInstanceProcAddr get = nullptr;
  VkInstance handle = nullptr;
  template <class Function>
  Function next(const char* name) const {
    return reinterpret_cast<Function>(next_function(get, handle, name));
  }
};

struct Memory {
  VkMemoryPropertyFlags flags = 0;
  uint32_t type = 0;
  bool imported = false, mapped = false;
};
struct Device {
  PFN_vkGetDeviceProcAddr get = nullptr;
  VkDevice handle = nullptr;
  VkPhysicalDeviceFeatures features{};  // that were enabled
  bool events = true, triangle_fans = true;  // with a portability subset only where they were enabled
  std::mutex mutex;  // of what follows
  std::map<VkDeviceMemory, Memory> memories;
  std::map<VkImage, VkImageCreateInfo> images;  // without what their pointers point to
  template <class Function>
  Function next(const char* name) const {
    return reinterpret_cast<Function>(next_function(get, handle, name));
  }
};

// Of any handle that belongs to one.
Instance& instance_of(void* dispatchable);
Device& device_of(void* dispatchable);
void add(const Instance& instance);
void remove_instance(void* key);
Device& add_device(VkDevice handle, PFN_vkGetDeviceProcAddr get);
void remove_device(void* key);
// The loader's table, which the handles of one instance or device have in common.
inline void* key(void* dispatchable) { return *static_cast<void**>(dispatchable); }

// This layer's own functions by name; nullptr: it has none.
PFN_vkVoidFunction physical_device_function(const char* name);
PFN_vkVoidFunction creation_function(const char* name);
PFN_vkVoidFunction device_creation_function(const char* name);
PFN_vkVoidFunction memory_function(const char* name);
PFN_vkVoidFunction object_function(const char* name);

struct Entry {
  const char* name;
  PFN_vkVoidFunction function;
};
// "vkNAME", and what Vulkan's headers take NAME for must have this type.
#define DRIVER_PROFILE_ENTRY(name, function) \
  driver_profile::Entry { "vk" #name, reinterpret_cast<PFN_vkVoidFunction>(static_cast<PFN_vk##name>(&function)) }
template <size_t N>
PFN_vkVoidFunction look_up(const Entry (&entries)[N], std::string_view name) {
  for (const Entry& entry : entries)
    if (name == entry.name) return entry.function;
  return nullptr;
}

}  // namespace driver_profile
