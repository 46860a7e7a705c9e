// Instances and devices, and which device extensions there are.
#include <vulkan/vulkan_core.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "dispatch.h"

namespace headless_surface {
namespace {

using vulkan_layer::chain_link, vulkan_layer::key;

VKAPI_ATTR VkResult VKAPI_CALL CreateInstance(const VkInstanceCreateInfo* info, const VkAllocationCallbacks* allocator, VkInstance* instance) {
  auto* link = chain_link<VkLayerInstanceCreateInfo>(info->pNext, VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO);
  if (!link) return VK_ERROR_INITIALIZATION_FAILED;
  const PFN_vkGetInstanceProcAddr get = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
  link->u.pLayerInfo = link->u.pLayerInfo->pNext;
  // With the extensions as they are: the loader keeps from each driver those that it does not have.
  const VkResult result = reinterpret_cast<PFN_vkCreateInstance>(get(nullptr, "vkCreateInstance"))(info, allocator, instance);
  if (result == VK_SUCCESS) instances.add(*instance, get);
  return result;
}
VKAPI_ATTR void VKAPI_CALL DestroyInstance(VkInstance instance, const VkAllocationCallbacks* allocator) {
  if (!instance) return;
  void* const table = key(instance);
  instances.of(instance).next<PFN_vkDestroyInstance>("vkDestroyInstance")(instance, allocator);
  instances.remove(table);
}

// -- devices --

// They act on the driver's own swapchains, and it could do nothing with one of ours.
constexpr std::string_view kOnSwapchains[] = {
    "VK_KHR_display_swapchain", "VK_KHR_present_id", "VK_KHR_present_id2", "VK_KHR_present_wait", "VK_KHR_present_wait2",
    "VK_KHR_shared_presentable_image", "VK_KHR_swapchain_maintenance1", "VK_EXT_display_control", "VK_EXT_hdr_metadata",
    "VK_EXT_present_timing", "VK_EXT_swapchain_maintenance1", "VK_GOOGLE_display_timing", "VK_NV_low_latency2", "VK_NV_present_barrier",
    "VK_NV_present_metering",
};

VkResult extensions_below(VkPhysicalDevice device, std::vector<VkExtensionProperties>& found) {
  const auto next = instances.of(device).next<PFN_vkEnumerateDeviceExtensionProperties>("vkEnumerateDeviceExtensionProperties");
  uint32_t count = 0;
  if (const VkResult result = next(device, nullptr, &count, nullptr); result != VK_SUCCESS) return result;
  found.resize(count);
  const VkResult result = next(device, nullptr, &count, found.data());
  found.resize(count);
  return result;
}
bool is_swapchain(const VkExtensionProperties& extension) {
  return std::string_view(extension.extensionName) == VK_KHR_SWAPCHAIN_EXTENSION_NAME;
}

VKAPI_ATTR VkResult VKAPI_CALL EnumerateDeviceExtensions(VkPhysicalDevice device, const char* layer, uint32_t* count, VkExtensionProperties* out) {
  if (layer)
    return instances.of(device).next<PFN_vkEnumerateDeviceExtensionProperties>("vkEnumerateDeviceExtensionProperties")(device, layer, count, out);
  std::vector<VkExtensionProperties> found;
  if (const VkResult result = extensions_below(device, found); result < 0) return result;
  std::erase_if(found, [](const VkExtensionProperties& extension) {
    return is_swapchain(extension) || std::ranges::find(kOnSwapchains, extension.extensionName) != std::end(kOnSwapchains);
  });
  found.push_back({VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_KHR_SWAPCHAIN_SPEC_VERSION});
  const auto size = static_cast<uint32_t>(found.size());
  *count = out ? std::min(*count, size) : size;
  if (out) std::copy_n(found.begin(), *count, out);
  return *count < size ? VK_INCOMPLETE : VK_SUCCESS;
}

void look_up_functions(Device& device) {
  device.submit = device.next<PFN_vkQueueSubmit>("vkQueueSubmit");
  device.submit2 = device.next<PFN_vkQueueSubmit2>("vkQueueSubmit2");
  device.wait_for_fences = device.next<PFN_vkWaitForFences>("vkWaitForFences");
  device.fence_status = device.next<PFN_vkGetFenceStatus>("vkGetFenceStatus");
  device.reset_fences = device.next<PFN_vkResetFences>("vkResetFences");
}

VKAPI_ATTR VkResult VKAPI_CALL CreateDevice(VkPhysicalDevice physical, const VkDeviceCreateInfo* info, const VkAllocationCallbacks* allocator,
                                            VkDevice* device) {
  auto* link = chain_link<VkLayerDeviceCreateInfo>(info->pNext, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO);
  if (!link) return VK_ERROR_INITIALIZATION_FAILED;
  const VkLayerDeviceLink next = *link->u.pLayerInfo;
  link->u.pLayerInfo = next.pNext;
  std::vector<VkExtensionProperties> there;
  if (const VkResult result = extensions_below(physical, there); result < 0) return result;
  // A driver that has swapchains itself is told of ours, because of the layout VK_IMAGE_LAYOUT_PRESENT_SRC_KHR.
  const bool below_has_it = std::ranges::any_of(there, is_swapchain);
  std::vector<const char*> extensions(info->ppEnabledExtensionNames, info->ppEnabledExtensionNames + info->enabledExtensionCount);
  std::erase_if(extensions, [&](std::string_view name) { return name == VK_KHR_SWAPCHAIN_EXTENSION_NAME && !below_has_it; });
  VkDeviceCreateInfo below = *info;
  below.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
  below.ppEnabledExtensionNames = extensions.data();
  const PFN_vkGetInstanceProcAddr get = next.pfnNextGetInstanceProcAddr;
  const auto create = reinterpret_cast<PFN_vkCreateDevice>(get(instances.of(physical).handle, "vkCreateDevice"));
  const VkResult result = create(physical, &below, allocator, device);
  if (result != VK_SUCCESS) return result;
  Device& made = devices.add(*device, next.pfnNextGetDeviceProcAddr);
  made.physical = physical;
  look_up_functions(made);
  return result;
}
VKAPI_ATTR void VKAPI_CALL DestroyDevice(VkDevice device, const VkAllocationCallbacks* allocator) {
  if (!device) return;
  void* const table = key(device);
  devices.of(device).next<PFN_vkDestroyDevice>("vkDestroyDevice")(device, allocator);
  devices.remove(table);
}

const vulkan_layer::Entry kEntries[] = {
    VULKAN_LAYER_ENTRY(CreateInstance, CreateInstance),
    VULKAN_LAYER_ENTRY(DestroyInstance, DestroyInstance),
    VULKAN_LAYER_ENTRY(CreateDevice, CreateDevice),
    VULKAN_LAYER_ENTRY(EnumerateDeviceExtensionProperties, EnumerateDeviceExtensions),
};
const vulkan_layer::Entry kDeviceEntries[] = {VULKAN_LAYER_ENTRY(DestroyDevice, DestroyDevice)};

}  // namespace

PFN_vkVoidFunction creation_function(const char* name) { return look_up(kEntries, name); }
PFN_vkVoidFunction device_creation_function(const char* name) { return look_up(kDeviceEntries, name); }

}  // namespace headless_surface
