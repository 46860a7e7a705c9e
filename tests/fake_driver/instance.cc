// The fake driver's instance, its one physical device, and devices.
#include <algorithm>
#include <cstring>
#include <iterator>

#include "hand.h"
#include "state.h"

namespace pvgpu::fake_driver {
namespace {

constexpr const char* kDeviceExtensions[] = {VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME,
                                             VK_EXT_MULTI_DRAW_EXTENSION_NAME,
                                             VK_EXT_TRANSFORM_FEEDBACK_EXTENSION_NAME};
constexpr uint32_t kQueues = 4;

template <class T>
VkResult list(const T* from, uint32_t available, uint32_t* count, T* to) {
  if (!to) {
    *count = available;
    return VK_SUCCESS;
  }
  const bool all = *count >= available;
  *count = std::min(*count, available);
  std::copy_n(from, *count, to);
  return all ? VK_SUCCESS : VK_INCOMPLETE;
}

VkPhysicalDevice physical_device(VkInstance instance) {
  for (const auto& [handle, object] : state().objects)
    if (object.kind == &kKind<VkPhysicalDevice> &&
        object.parent == std::bit_cast<uint64_t>(instance))
      return std::bit_cast<VkPhysicalDevice>(handle);
  return state().create<VkPhysicalDevice>(std::bit_cast<uint64_t>(instance));
}

void erase_children(uint64_t parent, const void* kind) {
  std::erase_if(state().objects, [&](const auto& entry) {
    return entry.second.parent == parent && entry.second.kind == kind;
  });
}

void set_uuids(uint8_t* device, uint8_t* driver) {
  std::memset(device, 0xde, VK_UUID_SIZE);
  std::memset(driver, 0xfa, VK_UUID_SIZE);
}

}  // namespace

VKAPI_ATTR VkResult VKAPI_CALL Hand::vkEnumerateInstanceVersion(uint32_t* version) {
  *version = VK_API_VERSION_1_4;
  return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL Hand::vkCreateInstance(const VkInstanceCreateInfo*,
                                                      const VkAllocationCallbacks*,
                                                      VkInstance* instance) {
  std::lock_guard lock(state().mutex);
  *instance = state().create<VkInstance>(0);
  return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL Hand::vkDestroyInstance(VkInstance instance,
                                                   const VkAllocationCallbacks*) {
  if (!instance) return;
  std::lock_guard lock(state().mutex);
  const VkPhysicalDevice physical = physical_device(instance);
  for (const auto& [handle, object] : state().objects)
    if (object.kind == &kKind<VkDevice> && object.parent == std::bit_cast<uint64_t>(physical))
      state().wrong("vkDestroyInstance: a device is left");
  state().erase(physical);
  state().erase(instance);
}

VKAPI_ATTR VkResult VKAPI_CALL Hand::vkEnumeratePhysicalDevices(VkInstance instance,
                                                                uint32_t* count,
                                                                VkPhysicalDevice* devices) {
  std::lock_guard lock(state().mutex);
  const VkPhysicalDevice only = physical_device(instance);
  return list(&only, 1, count, devices);
}

VKAPI_ATTR VkResult VKAPI_CALL Hand::vkEnumeratePhysicalDeviceGroups(
    VkInstance instance, uint32_t* count, VkPhysicalDeviceGroupProperties* groups) {
  std::lock_guard lock(state().mutex);
  if (groups && *count > 0) {
    groups->physicalDeviceCount = 1;
    groups->physicalDevices[0] = physical_device(instance);
  }
  *count = groups ? std::min(*count, 1u) : 1;
  return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL
Hand::vkGetPhysicalDeviceProperties(VkPhysicalDevice, VkPhysicalDeviceProperties* properties) {
  *properties = {};
  properties->apiVersion = VK_API_VERSION_1_4;
  properties->driverVersion = 1;
  properties->vendorID = 0x10005;
  properties->deviceType = VK_PHYSICAL_DEVICE_TYPE_CPU;
  std::strcpy(properties->deviceName, "pvgpu fake device");
  properties->limits.maxMemoryAllocationCount = 4096;
}

VKAPI_ATTR void VKAPI_CALL Hand::vkGetPhysicalDeviceProperties2(
    VkPhysicalDevice device, VkPhysicalDeviceProperties2* properties) {
  vkGetPhysicalDeviceProperties(device, &properties->properties);
  for (auto* link = static_cast<VkBaseOutStructure*>(properties->pNext); link; link = link->pNext) {
    if (link->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES) {
      auto* ids = reinterpret_cast<VkPhysicalDeviceIDProperties*>(link);
      set_uuids(ids->deviceUUID, ids->driverUUID);
    } else if (link->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES) {
      auto* vulkan11 = reinterpret_cast<VkPhysicalDeviceVulkan11Properties*>(link);
      set_uuids(vulkan11->deviceUUID, vulkan11->driverUUID);
    } else if (link->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES) {
      std::strcpy(reinterpret_cast<VkPhysicalDeviceDriverProperties*>(link)->driverName,
                  "pvgpu fake driver");
    } else if (link->sType ==
               VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT) {
      reinterpret_cast<VkPhysicalDeviceExternalMemoryHostPropertiesEXT*>(link)
          ->minImportedHostPointerAlignment = 4096;
    }
  }
}

VKAPI_ATTR void VKAPI_CALL Hand::vkGetPhysicalDeviceMemoryProperties(
    VkPhysicalDevice, VkPhysicalDeviceMemoryProperties* properties) {
  *properties = {};
  properties->memoryTypeCount = 2;
  properties->memoryTypes[0] = {VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, 0};
  properties->memoryTypes[1] = {VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                    VK_MEMORY_PROPERTY_HOST_COHERENT_BIT |
                                    VK_MEMORY_PROPERTY_HOST_CACHED_BIT,
                                1};
  properties->memoryHeapCount = 2;
  properties->memoryHeaps[0] = {VkDeviceSize{1} << 30, VK_MEMORY_HEAP_DEVICE_LOCAL_BIT};
  properties->memoryHeaps[1] = {VkDeviceSize{1} << 30, 0};
}

VKAPI_ATTR void VKAPI_CALL Hand::vkGetPhysicalDeviceMemoryProperties2(
    VkPhysicalDevice device, VkPhysicalDeviceMemoryProperties2* properties) {
  vkGetPhysicalDeviceMemoryProperties(device, &properties->memoryProperties);
}

VKAPI_ATTR void VKAPI_CALL Hand::vkGetPhysicalDeviceQueueFamilyProperties(
    VkPhysicalDevice, uint32_t* count, VkQueueFamilyProperties* properties) {
  VkQueueFamilyProperties only{};
  only.queueFlags = VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT | VK_QUEUE_TRANSFER_BIT;
  only.queueCount = kQueues;
  only.minImageTransferGranularity = {1, 1, 1};
  list(&only, 1, count, properties);
}

VKAPI_ATTR void VKAPI_CALL Hand::vkGetPhysicalDeviceQueueFamilyProperties2(
    VkPhysicalDevice device, uint32_t* count, VkQueueFamilyProperties2* properties) {
  if (properties && *count > 0) {
    uint32_t one = 1;
    vkGetPhysicalDeviceQueueFamilyProperties(device, &one, &properties->queueFamilyProperties);
  }
  *count = properties ? std::min(*count, 1u) : 1;
}

VKAPI_ATTR VkResult VKAPI_CALL Hand::vkEnumerateDeviceExtensionProperties(
    VkPhysicalDevice, const char*, uint32_t* count, VkExtensionProperties* properties) {
  VkExtensionProperties all[std::size(kDeviceExtensions)] = {};
  for (size_t i = 0; i < std::size(all); ++i) {
    std::strcpy(all[i].extensionName, kDeviceExtensions[i]);
    all[i].specVersion = 1;
  }
  return list(all, static_cast<uint32_t>(std::size(all)), count, properties);
}

VKAPI_ATTR void VKAPI_CALL Hand::vkGetPhysicalDeviceExternalBufferProperties(
    VkPhysicalDevice, const VkPhysicalDeviceExternalBufferInfo* info,
    VkExternalBufferProperties* properties) {
  properties->externalMemoryProperties = {};
  if (info->handleType != VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT) return;
  properties->externalMemoryProperties = {VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT,
                                          info->handleType, info->handleType};
}

VKAPI_ATTR VkResult VKAPI_CALL Hand::vkCreateDevice(VkPhysicalDevice physical,
                                                    const VkDeviceCreateInfo* info,
                                                    const VkAllocationCallbacks*,
                                                    VkDevice* device) {
  auto made = std::make_shared<Device>();
  std::lock_guard lock(state().mutex);
  for (uint32_t i = 0; i < info->enabledExtensionCount; ++i) {
    const auto same = [&](const char* name) {
      return std::strcmp(name, info->ppEnabledExtensionNames[i]) == 0;
    };
    if (!state().everything && std::none_of(std::begin(kDeviceExtensions), std::end(kDeviceExtensions), same))
      return VK_ERROR_EXTENSION_NOT_PRESENT;
    made->extensions.insert(info->ppEnabledExtensionNames[i]);
  }
  *device = state().create<VkDevice>(std::bit_cast<uint64_t>(physical), made);
  return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL Hand::vkDestroyDevice(VkDevice device, const VkAllocationCallbacks*) {
  if (!device) return;
  std::lock_guard lock(state().mutex);
  const auto handle = std::bit_cast<uint64_t>(device);
  erase_children(handle, &kKind<VkQueue>);
  const auto left = std::erase_if(state().objects,
                                  [&](const auto& entry) { return entry.second.parent == handle; });
  if (left) state().wrong("vkDestroyDevice: " + std::to_string(left) + " objects are left");
  state().erase(device);
}

VKAPI_ATTR void VKAPI_CALL Hand::vkGetDeviceQueue(VkDevice device, uint32_t family, uint32_t index,
                                                  VkQueue* queue) {
  std::lock_guard lock(state().mutex);
  const auto owner = state().get<Device>(device);
  *queue = VK_NULL_HANDLE;
  if (!owner || (!state().everything && (family != 0 || index >= kQueues))) return;
  uint64_t& handle = owner->queues[uint64_t{family} << 32 | index];
  if (!handle)
    handle = std::bit_cast<uint64_t>(state().create<VkQueue>(std::bit_cast<uint64_t>(device)));
  *queue = std::bit_cast<VkQueue>(handle);
}

VKAPI_ATTR void VKAPI_CALL Hand::vkGetDeviceQueue2(VkDevice device, const VkDeviceQueueInfo2* info,
                                                   VkQueue* queue) {
  vkGetDeviceQueue(device, info->queueFamilyIndex, info->queueIndex, queue);
}

}  // namespace pvgpu::fake_driver
