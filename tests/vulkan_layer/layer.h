// What Vulkan layers of ours have in common: the loader's chain, the functions of what lies below, a layer's own functions by name, and
// tables of its instances and devices. Header only; any thread.
#pragma once

#include <vulkan/vk_layer.h>
#include <vulkan/vulkan_core.h>

#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace vulkan_layer {

template <class Struct>
Struct* find(const void* chain, VkStructureType type) {
  for (auto* link = static_cast<const VkBaseInStructure*>(chain); link; link = link->pNext)
    if (link->sType == type) return reinterpret_cast<Struct*>(const_cast<VkBaseInStructure*>(link));
  return nullptr;
}

// The loader's word on the next layer, which a layer moves on by one before it calls that; nullptr: it said none.
template <class Info>
Info* chain_link(const void* chain, VkStructureType type) {
  auto* link = find<Info>(chain, type);
  while (link && link->function != VK_LAYER_LINK_INFO) link = find<Info>(link->pNext, type);
  return link;
}

// The function `name` by `get`, or the extension's of the same meaning: a program of an older Vulkan has only that.
template <class Get, class Handle>
PFN_vkVoidFunction next_function(Get get, Handle handle, const char* name) {
  if (PFN_vkVoidFunction function = get(handle, name)) return function;
  return get(handle, (std::string(name) + "KHR").c_str());
}

// An instance or a device and the way to what lies below this layer.
template <class Handle, class Get>
struct Dispatch {
  Get get = nullptr;
  Handle handle = nullptr;
  template <class Function>
  Function next(const char* name) const {
    return reinterpret_cast<Function>(next_function(get, handle, name));
  }
};
using InstanceDispatch = Dispatch<VkInstance, PFN_vkGetInstanceProcAddr>;
using DeviceDispatch = Dispatch<VkDevice, PFN_vkGetDeviceProcAddr>;

// The loader's table, which the handles of one instance or device have in common.
inline void* key(void* dispatchable) { return *static_cast<void**>(dispatchable); }

// The instances or devices that a program has made. References stay good until they are removed.
template <class Value>
class Table {
 public:
  template <class Handle, class Get>
  Value& add(Handle handle, Get get) {
    std::lock_guard lock(mutex_);
    Value& value = values_[key(handle)];
    value.get = get;
    value.handle = handle;
    return value;
  }
  // Of any handle that belongs to one.
  Value& of(void* dispatchable) {
    std::lock_guard lock(mutex_);
    return values_.at(key(dispatchable));
  }
  // The handle itself may be gone by then.
  void remove(void* key) {
    std::lock_guard lock(mutex_);
    values_.erase(key);
  }

 private:
  std::mutex mutex_;
  std::map<void*, Value> values_;
};

struct Entry {
  const char* name;
  PFN_vkVoidFunction function;
};
// "vkNAME", and what Vulkan's headers take NAME for must have this type.
#define VULKAN_LAYER_ENTRY(name, function) \
  vulkan_layer::Entry { "vk" #name, reinterpret_cast<PFN_vkVoidFunction>(static_cast<PFN_vk##name>(&function)) }
template <size_t N>
PFN_vkVoidFunction look_up(const Entry (&entries)[N], std::string_view name) {
  for (const Entry& entry : entries)
    if (name == entry.name) return entry.function;
  return nullptr;
}

}  // namespace vulkan_layer
