// Surfaces, and what can be done with them: the answers of Mesa's own headless surfaces. All surfaces are alike.
#include <vulkan/vulkan_core.h>

#include <algorithm>
#include <span>

#include "dispatch.h"

namespace headless_surface {
namespace {

constexpr uint32_t kImages = 4;  // Mesa's, with which MAILBOX never waits
constexpr VkPresentModeKHR kPresentModes[] = {VK_PRESENT_MODE_MAILBOX_KHR, VK_PRESENT_MODE_FIFO_KHR};
constexpr VkSurfaceFormatKHR kFormats[] = {
    {VK_FORMAT_R8G8B8A8_UNORM, VK_COLOR_SPACE_SRGB_NONLINEAR_KHR},
    {VK_FORMAT_B8G8R8A8_UNORM, VK_COLOR_SPACE_SRGB_NONLINEAR_KHR},
    {VK_FORMAT_R8G8B8A8_SRGB, VK_COLOR_SPACE_SRGB_NONLINEAR_KHR},
    {VK_FORMAT_B8G8R8A8_SRGB, VK_COLOR_SPACE_SRGB_NONLINEAR_KHR},
};

// As Vulkan gives arrays: how many there are, or as many as there is room for.
template <class Value, class Out>
VkResult give(std::span<const Value> values, uint32_t* count, Out* out, const auto& put) {
  const auto size = static_cast<uint32_t>(values.size());
  *count = out ? std::min(*count, size) : size;
  for (uint32_t i = 0; out && i < *count; i++) put(out[i], values[i]);
  return *count < size ? VK_INCOMPLETE : VK_SUCCESS;
}
constexpr auto kCopy = [](auto& out, const auto& value) { out = value; };

VKAPI_ATTR VkResult VKAPI_CALL CreateSurface(VkInstance handle, const VkHeadlessSurfaceCreateInfoEXT*, const VkAllocationCallbacks*,
                                             VkSurfaceKHR* surface) {
  Instance& instance = instances.of(handle);
  // Only its address counts.
  *surface = reinterpret_cast<VkSurfaceKHR>(new char);
  std::lock_guard lock(instance.mutex);
  instance.surfaces.insert(*surface);
  return VK_SUCCESS;
}
VKAPI_ATTR void VKAPI_CALL DestroySurface(VkInstance handle, VkSurfaceKHR surface, const VkAllocationCallbacks* allocator) {
  Instance& instance = instances.of(handle);
  {
    std::lock_guard lock(instance.mutex);
    if (instance.surfaces.erase(surface)) {
      delete reinterpret_cast<char*>(surface);
      return;
    }
  }
  if (surface) instance.next<PFN_vkDestroySurfaceKHR>("vkDestroySurfaceKHR")(handle, surface, allocator);
}

VKAPI_ATTR VkResult VKAPI_CALL GetSupport(VkPhysicalDevice, uint32_t, VkSurfaceKHR, VkBool32* supported) {
  *supported = VK_TRUE;
  return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL GetCapabilities(VkPhysicalDevice device, VkSurfaceKHR, VkSurfaceCapabilitiesKHR* capabilities) {
  VkPhysicalDeviceProperties properties{};
  instances.of(device).next<PFN_vkGetPhysicalDeviceProperties>("vkGetPhysicalDeviceProperties")(device, &properties);
  const uint32_t most = properties.limits.maxImageDimension2D;
  *capabilities = {
      .minImageCount = kImages,
      .maxImageCount = 0,
      .currentExtent = {UINT32_MAX, UINT32_MAX},
      .minImageExtent = {1, 1},
      .maxImageExtent = {most, most},
      .maxImageArrayLayers = 1,
      .supportedTransforms = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR,
      .currentTransform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR,
      .supportedCompositeAlpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR | VK_COMPOSITE_ALPHA_PRE_MULTIPLIED_BIT_KHR,
      .supportedUsageFlags = VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT | VK_IMAGE_USAGE_SAMPLED_BIT |
                             VK_IMAGE_USAGE_STORAGE_BIT | VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_INPUT_ATTACHMENT_BIT,
  };
  return VK_SUCCESS;
}
VKAPI_ATTR VkResult VKAPI_CALL GetCapabilities2(VkPhysicalDevice device, const VkPhysicalDeviceSurfaceInfo2KHR* info,
                                                VkSurfaceCapabilities2KHR* capabilities) {
  return GetCapabilities(device, info->surface, &capabilities->surfaceCapabilities);
}

VKAPI_ATTR VkResult VKAPI_CALL GetFormats(VkPhysicalDevice, VkSurfaceKHR, uint32_t* count, VkSurfaceFormatKHR* formats) {
  return give(std::span<const VkSurfaceFormatKHR>(kFormats), count, formats, kCopy);
}
VKAPI_ATTR VkResult VKAPI_CALL GetFormats2(VkPhysicalDevice, const VkPhysicalDeviceSurfaceInfo2KHR*, uint32_t* count,
                                           VkSurfaceFormat2KHR* formats) {
  return give(std::span<const VkSurfaceFormatKHR>(kFormats), count, formats,
              [](VkSurfaceFormat2KHR& out, const VkSurfaceFormatKHR& format) { out.surfaceFormat = format; });
}
VKAPI_ATTR VkResult VKAPI_CALL GetPresentModes(VkPhysicalDevice, VkSurfaceKHR, uint32_t* count, VkPresentModeKHR* modes) {
  return give(std::span<const VkPresentModeKHR>(kPresentModes), count, modes, kCopy);
}
VKAPI_ATTR VkResult VKAPI_CALL GetPresentRectangles(VkPhysicalDevice, VkSurfaceKHR, uint32_t* count, VkRect2D* rectangles) {
  constexpr VkRect2D kWhole[] = {{{0, 0}, {UINT32_MAX, UINT32_MAX}}};
  return give(std::span<const VkRect2D>(kWhole), count, rectangles, kCopy);
}

const vulkan_layer::Entry kEntries[] = {
    VULKAN_LAYER_ENTRY(CreateHeadlessSurfaceEXT, CreateSurface),
    VULKAN_LAYER_ENTRY(DestroySurfaceKHR, DestroySurface),
    VULKAN_LAYER_ENTRY(GetPhysicalDeviceSurfaceSupportKHR, GetSupport),
    VULKAN_LAYER_ENTRY(GetPhysicalDeviceSurfaceCapabilitiesKHR, GetCapabilities),
    VULKAN_LAYER_ENTRY(GetPhysicalDeviceSurfaceCapabilities2KHR, GetCapabilities2),
    VULKAN_LAYER_ENTRY(GetPhysicalDeviceSurfaceFormatsKHR, GetFormats),
    VULKAN_LAYER_ENTRY(GetPhysicalDeviceSurfaceFormats2KHR, GetFormats2),
    VULKAN_LAYER_ENTRY(GetPhysicalDeviceSurfacePresentModesKHR, GetPresentModes),
    VULKAN_LAYER_ENTRY(GetPhysicalDevicePresentRectanglesKHR, GetPresentRectangles),
};

}  // namespace

PFN_vkVoidFunction surface_function(const char* name) { return look_up(kEntries, name); }

}  // namespace headless_surface
