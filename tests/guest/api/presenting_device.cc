#include <cstring>
#include <string_view>

#include "presenter.h"

namespace {

std::vector<const char*> instance_extensions(const WindowSystem& windows) {
  std::vector<const char*> names = windows.surface_extensions();
  names.push_back(VK_KHR_SURFACE_EXTENSION_NAME);
  uint32_t count = 0;
  vkEnumerateInstanceExtensionProperties(nullptr, &count, nullptr);
  std::vector<VkExtensionProperties> offered(count);
  vkEnumerateInstanceExtensionProperties(nullptr, &count, offered.data());
  for (const char* name : {VK_KHR_GET_SURFACE_CAPABILITIES_2_EXTENSION_NAME,
                           VK_EXT_SURFACE_MAINTENANCE_1_EXTENSION_NAME}) {
    for (const auto& extension : offered) {
      if (std::strcmp(extension.extensionName, name) == 0) names.push_back(name);
    }
  }
  return names;
}

bool offers(VkPhysicalDevice device, std::string_view name) {
  uint32_t count = 0;
  vkEnumerateDeviceExtensionProperties(device, nullptr, &count, nullptr);
  std::vector<VkExtensionProperties> offered(count);
  vkEnumerateDeviceExtensionProperties(device, nullptr, &count, offered.data());
  for (const auto& extension : offered) {
    if (name == extension.extensionName) return true;
  }
  return false;
}

uint32_t drawing_family(VkPhysicalDevice device) {
  uint32_t count = 0;
  vkGetPhysicalDeviceQueueFamilyProperties(device, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  vkGetPhysicalDeviceQueueFamilyProperties(device, &count, families.data());
  for (uint32_t i = 0; i < count; ++i) {
    if (families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT) return i;
  }
  client::fail("no queue family draws");
}

void make_device(PresentingDevice& result, const std::vector<const char*>& on_instance) {
  VkPhysicalDeviceVulkan13Features features{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES,
      .synchronization2 = VK_TRUE,
      .dynamicRendering = VK_TRUE};
  VkPhysicalDevicePresentIdFeaturesKHR id{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PRESENT_ID_FEATURES_KHR, .presentId = VK_TRUE};
  VkPhysicalDevicePresentWaitFeaturesKHR wait{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PRESENT_WAIT_FEATURES_KHR,
      .pNext = &id,
      .presentWait = VK_TRUE};
  VkPhysicalDeviceSwapchainMaintenance1FeaturesEXT maintenance{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SWAPCHAIN_MAINTENANCE_1_FEATURES_EXT,
      .swapchainMaintenance1 = VK_TRUE};
  std::vector<const char*> names{VK_KHR_SWAPCHAIN_EXTENSION_NAME};
  result.present_wait = offers(result.physical, VK_KHR_PRESENT_ID_EXTENSION_NAME) &&
                        offers(result.physical, VK_KHR_PRESENT_WAIT_EXTENSION_NAME);
  if (result.present_wait) {
    names.insert(names.end(),
                 {VK_KHR_PRESENT_ID_EXTENSION_NAME, VK_KHR_PRESENT_WAIT_EXTENSION_NAME});
    id.pNext = features.pNext;
    features.pNext = &wait;
  }
  result.maintenance1 =
      on_instance.back() == std::string_view(VK_EXT_SURFACE_MAINTENANCE_1_EXTENSION_NAME) &&
      offers(result.physical, VK_EXT_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME);
  if (result.maintenance1) {
    names.push_back(VK_EXT_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME);
    maintenance.pNext = features.pNext;
    features.pNext = &maintenance;
  }
  static_cast<client::Device&>(result) =
      client::make_device(result.instance, result.physical, result.family, &features, names);
}

}  // namespace

PresentingDevice open_presenting(const WindowSystem& windows) {
  PresentingDevice result;
  const VkApplicationInfo application{.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                      .pApplicationName = "present",
                                      .apiVersion = VK_API_VERSION_1_3};
  const std::vector<const char*> names = instance_extensions(windows);
  const VkInstanceCreateInfo info{.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                  .pApplicationInfo = &application,
                                  .enabledExtensionCount = uint32_t(names.size()),
                                  .ppEnabledExtensionNames = names.data()};
  client::check(vkCreateInstance(&info, nullptr, &result.instance), "vkCreateInstance");
  uint32_t count = 1;
  if (vkEnumeratePhysicalDevices(result.instance, &count, &result.physical) < 0 || count == 0) {
    client::fail("vkEnumeratePhysicalDevices: no device");
  }
  result.family = drawing_family(result.physical);
  make_device(result, names);
  result.wait_for_present = reinterpret_cast<PFN_vkWaitForPresentKHR>(
      vkGetDeviceProcAddr(result.device, "vkWaitForPresentKHR"));
  result.release_images = reinterpret_cast<PFN_vkReleaseSwapchainImagesEXT>(
      vkGetDeviceProcAddr(result.device, "vkReleaseSwapchainImagesEXT"));
  return result;
}
