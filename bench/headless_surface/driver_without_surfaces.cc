// lavapipe without surfaces and swapchains, as NVIDIA's driver is without a display: a driver for the test, for the loader to find.
#include <dlfcn.h>
#include <vulkan/vulkan_core.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace {

template <class Function>
Function lavapipe(const char* name) {
  static void* const library = ::dlopen("libvulkan_lvp.so", RTLD_NOW);
  return reinterpret_cast<Function>(::dlsym(library, name));
}
PFN_vkVoidFunction below(VkInstance instance, const char* name) {
  return lavapipe<PFN_vkGetInstanceProcAddr>("vk_icdGetInstanceProcAddr")(instance, name);
}
// Asked for with an instance, which is the only one of the test.
PFN_vkEnumerateDeviceExtensionProperties device_extensions;
PFN_vkCreateDevice create_device;

bool is_hidden(std::string_view name) { return name.contains("surface") || name.contains("swapchain") || name.contains("display"); }

// What `all` gives, but for what is hidden.
VkResult shown(const auto& all, uint32_t* count, VkExtensionProperties* out) {
  uint32_t size = 0;
  all(&size, nullptr);
  std::vector<VkExtensionProperties> found(size);
  all(&size, found.data());
  std::erase_if(found, [](const VkExtensionProperties& extension) { return is_hidden(extension.extensionName); });
  size = static_cast<uint32_t>(found.size());
  *count = out ? std::min(*count, size) : size;
  if (out) std::copy_n(found.begin(), *count, out);
  return *count < size ? VK_INCOMPLETE : VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL EnumerateInstanceExtensions(const char* layer, uint32_t* count, VkExtensionProperties* out) {
  const auto next = reinterpret_cast<PFN_vkEnumerateInstanceExtensionProperties>(below(nullptr, "vkEnumerateInstanceExtensionProperties"));
  return shown([&](uint32_t* size, VkExtensionProperties* all) { return next(layer, size, all); }, count, out);
}
VKAPI_ATTR VkResult VKAPI_CALL EnumerateDeviceExtensions(VkPhysicalDevice device, const char* layer, uint32_t* count, VkExtensionProperties* out) {
  return shown([&](uint32_t* size, VkExtensionProperties* all) { return device_extensions(device, layer, size, all); }, count, out);
}
VKAPI_ATTR VkResult VKAPI_CALL CreateDevice(VkPhysicalDevice physical, const VkDeviceCreateInfo* info, const VkAllocationCallbacks* allocator,
                                            VkDevice* device) {
  if (std::any_of(info->ppEnabledExtensionNames, info->ppEnabledExtensionNames + info->enabledExtensionCount, is_hidden))
    return VK_ERROR_EXTENSION_NOT_PRESENT;
  return create_device(physical, info, allocator, device);
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) VkResult vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t* version) {
  // The last one in which this function and the next are all that a driver exports.
  *version = std::min(*version, 3u);
  return lavapipe<VkResult (*)(uint32_t*)>("vk_icdNegotiateLoaderICDInterfaceVersion")(version);
}

__attribute__((visibility("default"))) PFN_vkVoidFunction vk_icdGetInstanceProcAddr(VkInstance instance, const char* called) {
  const std::string_view name = called;
  if (name == "vkEnumerateInstanceExtensionProperties") return reinterpret_cast<PFN_vkVoidFunction>(&EnumerateInstanceExtensions);
  if (name.contains("Surface") || name.contains("Swapchain") || name.contains("Present")) return nullptr;
  const PFN_vkVoidFunction function = below(instance, called);
  if (name == "vkEnumerateDeviceExtensionProperties" && function) {
    device_extensions = reinterpret_cast<PFN_vkEnumerateDeviceExtensionProperties>(function);
    return reinterpret_cast<PFN_vkVoidFunction>(&EnumerateDeviceExtensions);
  }
  if (name == "vkCreateDevice" && function) {
    create_device = reinterpret_cast<PFN_vkCreateDevice>(function);
    return reinterpret_cast<PFN_vkVoidFunction>(&CreateDevice);
  }
  return function;
}

}  // extern "C"
