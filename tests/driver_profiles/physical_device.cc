// What physical devices say about themselves.
#define VK_ENABLE_BETA_EXTENSIONS  // VK_KHR_portability_subset
#include <vulkan/vulkan.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <vector>

#include "dispatch.h"
#include "profile.h"
#include "structures.h"

namespace driver_profile {
namespace {

using pvgpu::describe::Kind;

constexpr auto kPortabilityFeatures = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PORTABILITY_SUBSET_FEATURES_KHR;
constexpr auto kPortabilityProperties = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PORTABILITY_SUBSET_PROPERTIES_KHR;

// Structures that the driver below shall not fill in, because the one that is shown does not, or because it does not know them.
auto not_below(Kind kind) {
  return [kind](const VkBaseOutStructure& structure) {
    return structure.sType == kPortabilityFeatures || structure.sType == kPortabilityProperties || !is_known(kind, structure.sType);
  };
}

// -- extensions and features --

VKAPI_ATTR VkResult VKAPI_CALL EnumerateDeviceExtensions(VkPhysicalDevice device, const char* layer, uint32_t* count, VkExtensionProperties* out) {
  auto next = instance_of(device).next<PFN_vkEnumerateDeviceExtensionProperties>("vkEnumerateDeviceExtensionProperties");
  if (layer) return next(device, layer, count, out);
  uint32_t all = 0;
  if (const VkResult result = next(device, nullptr, &all, nullptr); result != VK_SUCCESS) return result;
  std::vector<VkExtensionProperties> found(all);
  if (const VkResult result = next(device, nullptr, &all, found.data()); result < 0) return result;
  found.resize(all);
  std::erase_if(found, [](const VkExtensionProperties& extension) { return !profile().shows_extension(extension.extensionName); });
  if (profile().portability) found.push_back({VK_KHR_PORTABILITY_SUBSET_EXTENSION_NAME, 1});
  const auto size = static_cast<uint32_t>(found.size());
  *count = out ? std::min(*count, size) : size;
  if (out) std::copy_n(found.begin(), *count, out);
  return *count < size ? VK_INCOMPLETE : VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL GetFeatures2(VkPhysicalDevice device, VkPhysicalDeviceFeatures2* features) {
  {
    const Detached rest(features, not_below(Kind::kFeature));
    instance_of(device).next<PFN_vkGetPhysicalDeviceFeatures2>("vkGetPhysicalDeviceFeatures2")(device, features);
    for_each_feature(*features, [](VkBool32& value, std::string_view name, VkStructureType) {
      if (!profile().shows_feature(name)) value = VK_FALSE;
    });
  }
  if (!profile().portability) return;
  for_each_feature(*features, [](VkBool32& value, std::string_view name, VkStructureType type) {
    if (type == kPortabilityFeatures) value = profile().shows_feature(name);
  });
}
VKAPI_ATTR void VKAPI_CALL GetFeatures(VkPhysicalDevice device, VkPhysicalDeviceFeatures* features) {
  VkPhysicalDeviceFeatures2 all{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, nullptr, {}};
  GetFeatures2(device, &all);
  *features = all.features;
}

// -- properties --

void adapt(VkPhysicalDeviceProperties& core) {
  const Profile& is = profile();
  std::snprintf(core.deviceName, sizeof core.deviceName, "%s", is.device.c_str());
  if (core.apiVersion >= is.api + VK_MAKE_API_VERSION(0, 0, 1, 0)) core.apiVersion = is.api | VK_API_VERSION_PATCH(core.apiVersion);
  core.driverVersion = is.driver_version;
  if (is.integrated) core.deviceType = VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU;
  if (!is.shows_feature("sparseBinding")) {
    core.sparseProperties = {};
    core.limits.sparseAddressSpaceSize = 0;
  }
  if (!is.shows_feature("wideLines")) {
    core.limits.lineWidthRange[0] = core.limits.lineWidthRange[1] = 1;
    core.limits.lineWidthGranularity = 0;
  }
}
template <class Driver>
void adapt_driver(Driver& driver) {
  driver.driverID = VkDriverId(profile().driver_id);
  std::snprintf(driver.driverName, sizeof driver.driverName, "%s", profile().driver.c_str());
  std::snprintf(driver.driverInfo, sizeof driver.driverInfo, "%s", profile().driver_info.c_str());
}
VKAPI_ATTR void VKAPI_CALL GetProperties(VkPhysicalDevice device, VkPhysicalDeviceProperties* properties) {
  instance_of(device).next<PFN_vkGetPhysicalDeviceProperties>("vkGetPhysicalDeviceProperties")(device, properties);
  adapt(*properties);
}
VKAPI_ATTR void VKAPI_CALL GetProperties2(VkPhysicalDevice device, VkPhysicalDeviceProperties2* properties) {
  {
    const Detached rest(properties, not_below(Kind::kProperty));
    instance_of(device).next<PFN_vkGetPhysicalDeviceProperties2>("vkGetPhysicalDeviceProperties2")(device, properties);
    adapt(properties->properties);
    if (auto* driver = find<VkPhysicalDeviceDriverProperties>(properties->pNext, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES))
      adapt_driver(*driver);
    if (auto* core = find<VkPhysicalDeviceVulkan12Properties>(properties->pNext, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES))
      adapt_driver(*core);
    if (auto* host = find<VkPhysicalDeviceExternalMemoryHostPropertiesEXT>(
            properties->pNext, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT))
      host->minImportedHostPointerAlignment = std::max(host->minImportedHostPointerAlignment, profile().import_alignment);
  }
  if (!profile().portability) return;
  if (auto* subset = find<VkPhysicalDevicePortabilitySubsetPropertiesKHR>(properties->pNext, kPortabilityProperties))
    subset->minVertexInputBindingStrideAlignment = 1;  // MoltenVK's on Apple5 and later (MVKDevice.mm, vertexStrideAlignment)
}

void adapt(VkQueueFamilyProperties& family) {
  if (profile().queues) family.queueCount = std::min(family.queueCount, profile().queues);
  if (!profile().shows_feature("sparseBinding")) family.queueFlags &= ~VkQueueFlags(VK_QUEUE_SPARSE_BINDING_BIT);
}
VKAPI_ATTR void VKAPI_CALL GetQueueFamilies(VkPhysicalDevice device, uint32_t* count, VkQueueFamilyProperties* families) {
  instance_of(device).next<PFN_vkGetPhysicalDeviceQueueFamilyProperties>("vkGetPhysicalDeviceQueueFamilyProperties")(device, count, families);
  for (uint32_t i = 0; families && i < *count; i++) adapt(families[i]);
}
VKAPI_ATTR void VKAPI_CALL GetQueueFamilies2(VkPhysicalDevice device, uint32_t* count, VkQueueFamilyProperties2* families) {
  std::vector<std::unique_ptr<Detached>> rest;
  for (uint32_t i = 0; families && i < *count; i++) rest.push_back(std::make_unique<Detached>(&families[i], not_below(Kind::kQueueFamily)));
  instance_of(device).next<PFN_vkGetPhysicalDeviceQueueFamilyProperties2>("vkGetPhysicalDeviceQueueFamilyProperties2")(device, count, families);
  for (uint32_t i = 0; families && i < *count; i++) adapt(families[i].queueFamilyProperties);
}

// All memory is the first type of the driver below, and of its heap.
void adapt(VkPhysicalDeviceMemoryProperties& memory) {
  if (profile().memory_types.empty()) return;
  const uint32_t heap = memory.memoryTypes[0].heapIndex;
  memory.memoryTypeCount = 0;
  for (VkMemoryPropertyFlags flags : profile().memory_types) memory.memoryTypes[memory.memoryTypeCount++] = {flags, heap};
}
VKAPI_ATTR void VKAPI_CALL GetMemory(VkPhysicalDevice device, VkPhysicalDeviceMemoryProperties* memory) {
  instance_of(device).next<PFN_vkGetPhysicalDeviceMemoryProperties>("vkGetPhysicalDeviceMemoryProperties")(device, memory);
  adapt(*memory);
}
VKAPI_ATTR void VKAPI_CALL GetMemory2(VkPhysicalDevice device, VkPhysicalDeviceMemoryProperties2* memory) {
  const Detached rest(memory, not_below(Kind::kMemory));
  instance_of(device).next<PFN_vkGetPhysicalDeviceMemoryProperties2>("vkGetPhysicalDeviceMemoryProperties2")(device, memory);
  adapt(memory->memoryProperties);
}

// -- external handles: none but host pointers --

VKAPI_ATTR void VKAPI_CALL GetExternalBuffer(VkPhysicalDevice device, const VkPhysicalDeviceExternalBufferInfo* info,
                                             VkExternalBufferProperties* properties) {
  properties->externalMemoryProperties = {};
  if (info->handleType & kHostHandles && profile().shows_extension(VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME))
    instance_of(device).next<PFN_vkGetPhysicalDeviceExternalBufferProperties>("vkGetPhysicalDeviceExternalBufferProperties")(
        device, info, properties);
}
VKAPI_ATTR void VKAPI_CALL GetExternalSemaphore(VkPhysicalDevice, const VkPhysicalDeviceExternalSemaphoreInfo*,
                                                VkExternalSemaphoreProperties* properties) {
  properties->exportFromImportedHandleTypes = properties->compatibleHandleTypes = 0;
  properties->externalSemaphoreFeatures = 0;
}
VKAPI_ATTR void VKAPI_CALL GetExternalFence(VkPhysicalDevice, const VkPhysicalDeviceExternalFenceInfo*, VkExternalFenceProperties* properties) {
  properties->exportFromImportedHandleTypes = properties->compatibleHandleTypes = 0;
  properties->externalFenceFeatures = 0;
}
VKAPI_ATTR VkResult VKAPI_CALL GetImageFormat2(VkPhysicalDevice device, const VkPhysicalDeviceImageFormatInfo2* info,
                                               VkImageFormatProperties2* properties) {
  const auto next = instance_of(device).next<PFN_vkGetPhysicalDeviceImageFormatProperties2>("vkGetPhysicalDeviceImageFormatProperties2");
  if (info->tiling == VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT) return VK_ERROR_FORMAT_NOT_SUPPORTED;
  const auto* external = find<const VkPhysicalDeviceExternalImageFormatInfo>(info->pNext,
                                                                             VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO);
  if (!external || external->handleType == 0) return next(device, info, properties);
  if (!(external->handleType & kHostHandles)) return VK_ERROR_FORMAT_NOT_SUPPORTED;
  if (!profile().shows_extension(VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME)) return VK_ERROR_FORMAT_NOT_SUPPORTED;
  if (profile().only_linear_imports && info->tiling != VK_IMAGE_TILING_LINEAR) return VK_ERROR_FORMAT_NOT_SUPPORTED;
  const VkResult result = next(device, info, properties);
  auto* answer = find<VkExternalImageFormatProperties>(properties->pNext, VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES);
  if (answer) answer->externalMemoryProperties.exportFromImportedHandleTypes = 0;
  return result;
}

const Entry kEntries[] = {
    VULKAN_LAYER_ENTRY(EnumerateDeviceExtensionProperties, EnumerateDeviceExtensions),
    VULKAN_LAYER_ENTRY(GetPhysicalDeviceFeatures, GetFeatures),
    VULKAN_LAYER_ENTRY(GetPhysicalDeviceFeatures2, GetFeatures2),
    VULKAN_LAYER_ENTRY(GetPhysicalDeviceFeatures2KHR, GetFeatures2),
    VULKAN_LAYER_ENTRY(GetPhysicalDeviceProperties, GetProperties),
    VULKAN_LAYER_ENTRY(GetPhysicalDeviceProperties2, GetProperties2),
    VULKAN_LAYER_ENTRY(GetPhysicalDeviceProperties2KHR, GetProperties2),
    VULKAN_LAYER_ENTRY(GetPhysicalDeviceQueueFamilyProperties, GetQueueFamilies),
    VULKAN_LAYER_ENTRY(GetPhysicalDeviceQueueFamilyProperties2, GetQueueFamilies2),
    VULKAN_LAYER_ENTRY(GetPhysicalDeviceQueueFamilyProperties2KHR, GetQueueFamilies2),
    VULKAN_LAYER_ENTRY(GetPhysicalDeviceMemoryProperties, GetMemory),
    VULKAN_LAYER_ENTRY(GetPhysicalDeviceMemoryProperties2, GetMemory2),
    VULKAN_LAYER_ENTRY(GetPhysicalDeviceMemoryProperties2KHR, GetMemory2),
    VULKAN_LAYER_ENTRY(GetPhysicalDeviceExternalBufferProperties, GetExternalBuffer),
    VULKAN_LAYER_ENTRY(GetPhysicalDeviceExternalBufferPropertiesKHR, GetExternalBuffer),
    VULKAN_LAYER_ENTRY(GetPhysicalDeviceExternalSemaphoreProperties, GetExternalSemaphore),
    VULKAN_LAYER_ENTRY(GetPhysicalDeviceExternalSemaphorePropertiesKHR, GetExternalSemaphore),
    VULKAN_LAYER_ENTRY(GetPhysicalDeviceExternalFenceProperties, GetExternalFence),
    VULKAN_LAYER_ENTRY(GetPhysicalDeviceExternalFencePropertiesKHR, GetExternalFence),
    VULKAN_LAYER_ENTRY(GetPhysicalDeviceImageFormatProperties2, GetImageFormat2),
    VULKAN_LAYER_ENTRY(GetPhysicalDeviceImageFormatProperties2KHR, GetImageFormat2),
};

}  // namespace

PFN_vkVoidFunction physical_device_function(const char* name) { return look_up(kEntries, name); }

}  // namespace driver_profile
