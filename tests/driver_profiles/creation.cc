// Instances and devices: who may see the driver, and what of it may be enabled.
#define VK_ENABLE_BETA_EXTENSIONS  // VK_KHR_portability_subset
#include <vulkan/vulkan.h>

#include <string>
#include <string_view>
#include <vector>

#include "dispatch.h"
#include "profile.h"
#include "structures.h"

namespace driver_profile {
namespace {

using pvgpu::describe::Kind;

// The loader's word on the next layer, without which there is nothing to be done.
template <class Info>
Info* next_layer(const void* chain, VkStructureType type) {
  auto* link = chain_link<Info>(chain, type);
  if (!link) give_up("the loader does not tell of the next layer");
  return link;
}

VKAPI_ATTR VkResult VKAPI_CALL CreateInstance(const VkInstanceCreateInfo* info, const VkAllocationCallbacks* allocator, VkInstance* instance) {
  auto* link = next_layer<VkLayerInstanceCreateInfo>(info->pNext, VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO);
  const PFN_vkGetInstanceProcAddr get = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
  link->u.pLayerInfo = link->u.pLayerInfo->pNext;
  // As the loader does where it leaves out the only driver.
  if (profile().portability && !(info->flags & VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR))
    return refuse(VK_ERROR_INCOMPATIBLE_DRIVER, "portability drivers are not asked for");
  const VkResult result = reinterpret_cast<PFN_vkCreateInstance>(get(nullptr, "vkCreateInstance"))(info, allocator, instance);
  if (result == VK_SUCCESS) instances.add(*instance, get);
  return result;
}
VKAPI_ATTR void VKAPI_CALL DestroyInstance(VkInstance instance, const VkAllocationCallbacks* allocator) {
  if (!instance) return;
  void* const table = key(instance);
  instance_of(instance).next<PFN_vkDestroyInstance>("vkDestroyInstance")(instance, allocator);
  instances.remove(table);
}

// -- devices --

VkResult check_extensions(const VkDeviceCreateInfo& info) {
  bool subset = false;
  for (uint32_t i = 0; i < info.enabledExtensionCount; i++) {
    const std::string_view name = info.ppEnabledExtensionNames[i];
    subset |= name == VK_KHR_PORTABILITY_SUBSET_EXTENSION_NAME;
    if (!profile().shows_extension(name)) return refuse(VK_ERROR_EXTENSION_NOT_PRESENT, "enabled without being shown: " + std::string(name));
  }
  // VUID-VkDeviceCreateInfo-pProperties-04451
  if (profile().portability && !subset) return refuse(VK_ERROR_INITIALIZATION_FAILED, "VK_KHR_portability_subset is not enabled");
  return VK_SUCCESS;
}

VkResult check_features(const VkDeviceCreateInfo& info, VkPhysicalDeviceFeatures& enabled) {
  const auto* core = find<const VkPhysicalDeviceFeatures2>(info.pNext, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2);
  VkPhysicalDeviceFeatures2 asked{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, const_cast<void*>(info.pNext), {}};
  if (core) asked.features = core->features;
  else if (info.pEnabledFeatures) asked.features = *info.pEnabledFeatures;
  enabled = asked.features;
  VkResult result = VK_SUCCESS;
  for_each_feature(asked, [&](const VkBool32& value, std::string_view name, VkStructureType type) {
    const bool in_core = type == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
    if (value && !(profile().shows_feature(name) && (in_core || is_known(Kind::kFeature, type))))
      result = refuse(VK_ERROR_FEATURE_NOT_PRESENT, "enabled without being shown: " + std::string(name));
  });
  return result;
}

VkResult check_queues(VkPhysicalDevice physical, const VkDeviceCreateInfo& info) {
  const auto get = reinterpret_cast<PFN_vkGetPhysicalDeviceQueueFamilyProperties>(
      physical_device_function("vkGetPhysicalDeviceQueueFamilyProperties"));
  uint32_t count = 0;
  get(physical, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  get(physical, &count, families.data());
  for (uint32_t i = 0; i < info.queueCreateInfoCount; i++) {
    const VkDeviceQueueCreateInfo& queues = info.pQueueCreateInfos[i];
    if (queues.queueFamilyIndex >= count || queues.queueCount > families[queues.queueFamilyIndex].queueCount)
      return refuse(VK_ERROR_INITIALIZATION_FAILED, "queues are asked for that are not there");
  }
  return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL CreateDevice(VkPhysicalDevice physical, const VkDeviceCreateInfo* info, const VkAllocationCallbacks* allocator,
                                            VkDevice* device) {
  auto* link = next_layer<VkLayerDeviceCreateInfo>(info->pNext, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO);
  const VkLayerDeviceLink next = *link->u.pLayerInfo;
  link->u.pLayerInfo = next.pNext;
  VkPhysicalDeviceFeatures enabled{};
  VkResult result = check_extensions(*info);
  if (result == VK_SUCCESS) result = check_features(*info, enabled);
  if (result == VK_SUCCESS) result = check_queues(physical, *info);
  if (result != VK_SUCCESS) return result;
  // The driver below knows nothing of the subset.
  VkDeviceCreateInfo below = *info;
  std::vector<const char*> extensions;
  for (uint32_t i = 0; i < info->enabledExtensionCount; i++) {
    const char* const name = info->ppEnabledExtensionNames[i];
    if (std::string_view(name) != VK_KHR_PORTABILITY_SUBSET_EXTENSION_NAME) extensions.push_back(name);
  }
  below.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
  below.ppEnabledExtensionNames = extensions.data();
  const auto* features = find<const VkPhysicalDevicePortabilitySubsetFeaturesKHR>(
      info->pNext, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PORTABILITY_SUBSET_FEATURES_KHR);
  const Detached subset(&below, [](const VkBaseOutStructure& structure) {
    return structure.sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PORTABILITY_SUBSET_FEATURES_KHR;
  });
  const auto create = reinterpret_cast<PFN_vkCreateDevice>(next.pfnNextGetInstanceProcAddr(instance_of(physical).handle, "vkCreateDevice"));
  result = create(physical, &below, allocator, device);
  if (result != VK_SUCCESS) return result;
  Device& made = devices.add(*device, next.pfnNextGetDeviceProcAddr);
  made.features = enabled;
  made.events = !profile().portability || (features && features->events);
  made.triangle_fans = !profile().portability || (features && features->triangleFans);
  return result;
}
VKAPI_ATTR void VKAPI_CALL DestroyDevice(VkDevice device, const VkAllocationCallbacks* allocator) {
  if (!device) return;
  void* const table = key(device);
  device_of(device).next<PFN_vkDestroyDevice>("vkDestroyDevice")(device, allocator);
  devices.remove(table);
}

const Entry kEntries[] = {
    VULKAN_LAYER_ENTRY(CreateInstance, CreateInstance),
    VULKAN_LAYER_ENTRY(DestroyInstance, DestroyInstance),
    VULKAN_LAYER_ENTRY(CreateDevice, CreateDevice),
};
const Entry kDeviceEntries[] = {VULKAN_LAYER_ENTRY(DestroyDevice, DestroyDevice)};

}  // namespace

PFN_vkVoidFunction creation_function(const char* name) { return look_up(kEntries, name); }
PFN_vkVoidFunction device_creation_function(const char* name) { return look_up(kDeviceEntries, name); }

}  // namespace driver_profile
