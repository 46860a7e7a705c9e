// The claim VK_EXT_image_drm_format_modifier with the LINEAR modifier alone, on a driver without
// modifiers or whose memory we own: a LINEAR-modifier image is an image of linear tiling. Formats
// of one plane and no compression only. Pure functions; any thread; chains are arena copies and
// edited in place.
#pragma once

#include <vulkan/vulkan_core.h>

#include <expected>
#include <optional>
#include <span>

#include "host/pnext.h"
#include "host/profile.h"

namespace pvgpu::host::linear_modifier {

inline constexpr uint64_t kLinear = 0;  // DRM_FORMAT_MOD_LINEAR

// The driver has no VK_EXT_image_drm_format_modifier, or dma-buf memory is emulated (its modifiers
// would need real dma-bufs).
bool needs_modifier(const DriverProfile& profile);
std::span<const VkExtensionProperties> extensions();

// vkGetPhysicalDeviceFormatProperties2. Construct before the driver is called, call finish() after
// it: the modifier lists are kept from the driver, then filled from linearTilingFeatures.
class FormatQuery {
 public:
  explicit FormatQuery(VkFormatProperties2& properties);
  void finish(VkFormat format);

 private:
  VkFormatProperties2& properties_;
  DetachedStructs lists_;
};

// vkGetPhysicalDeviceImageFormatProperties2: DRM tiling with the LINEAR modifier becomes linear
// tiling, and the modifier structure leaves the chain. Any other modifier:
// VK_ERROR_FORMAT_NOT_SUPPORTED, do not ask the driver.
VkResult rewrite(VkPhysicalDeviceImageFormatInfo2& info);

// vkCreateImage and vkGetDeviceImageMemoryRequirements. The value is the layout that an explicit
// create-info demanded for plane 0, which the caller compares with the driver's
// vkGetImageSubresourceLayout (layout_matches); nullopt when there is none.
std::expected<std::optional<VkSubresourceLayout>, VkResult> rewrite_image(VkImageCreateInfo& info);
bool layout_matches(const VkSubresourceLayout& demanded, const VkSubresourceLayout& driver);

// vkGetImageSubresourceLayout(2) on an image that was rewritten: MEMORY_PLANE_0 is the colour
// aspect.
constexpr VkImageAspectFlags to_driver_aspect(VkImageAspectFlags aspect) {
  return aspect == VK_IMAGE_ASPECT_MEMORY_PLANE_0_BIT_EXT
             ? VkImageAspectFlags(VK_IMAGE_ASPECT_COLOR_BIT)
             : aspect;
}

// vkGetImageDrmFormatModifierPropertiesEXT on such an image.
inline VkResult answer(VkImageDrmFormatModifierPropertiesEXT& out) {
  out.drmFormatModifier = kLinear;
  return VK_SUCCESS;
}

}  // namespace pvgpu::host::linear_modifier
