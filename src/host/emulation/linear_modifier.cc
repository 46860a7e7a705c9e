#include "host/emulation/linear_modifier.h"

#include <algorithm>

namespace pvgpu::host::linear_modifier {
namespace {

constexpr VkExtensionProperties kExtensions[] = {
    {VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME, 2}};

// Uncompressed colour formats of one plane: those that have a DRM code with one memory plane.
bool has_one_colour_plane(VkFormat format) {
  if (format > VK_FORMAT_UNDEFINED && format <= VK_FORMAT_E5B9G9R9_UFLOAT_PACK32) return true;
  return format == VK_FORMAT_A4R4G4B4_UNORM_PACK16 || format == VK_FORMAT_A4B4G4R4_UNORM_PACK16 ||
         format == VK_FORMAT_A1B5G5R5_UNORM_PACK16 || format == VK_FORMAT_A8_UNORM;
}

// Vulkan's count-or-fill convention for a list that has `available` (0 or 1) entries.
template <class Entry>
void fill_list(uint32_t& count, Entry* entries, bool available, const Entry& entry) {
  const uint32_t present = available ? 1 : 0;
  if (!entries) {
    count = present;
    return;
  }
  count = std::min(count, present);
  if (count > 0) entries[0] = entry;
}

}  // namespace

bool needs_modifier(const DriverProfile& profile) {
  return profile.emulation.dma_buf_memory ||
         !profile.has_extension(VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME);
}

std::span<const VkExtensionProperties> extensions() {
  return kExtensions;
}

FormatQuery::FormatQuery(VkFormatProperties2& properties)
    : properties_(properties),
      lists_(&properties, {VK_STRUCTURE_TYPE_DRM_FORMAT_MODIFIER_PROPERTIES_LIST_EXT,
                           VK_STRUCTURE_TYPE_DRM_FORMAT_MODIFIER_PROPERTIES_LIST_2_EXT}) {}

void FormatQuery::finish(VkFormat format) {
  const VkFormatFeatureFlags features = properties_.formatProperties.linearTilingFeatures;
  const bool available = features != 0 && has_one_colour_plane(format);
  if (auto* list = lists_.find<VkDrmFormatModifierPropertiesListEXT>(
          VK_STRUCTURE_TYPE_DRM_FORMAT_MODIFIER_PROPERTIES_LIST_EXT)) {
    fill_list(list->drmFormatModifierCount, list->pDrmFormatModifierProperties, available,
              VkDrmFormatModifierPropertiesEXT{kLinear, 1, features});
  }
  if (auto* list = lists_.find<VkDrmFormatModifierPropertiesList2EXT>(
          VK_STRUCTURE_TYPE_DRM_FORMAT_MODIFIER_PROPERTIES_LIST_2_EXT)) {
    // The 64-bit flags are a superset with the same low bits; the driver's own are there if it was
    // asked.
    auto* wide = find_struct<const VkFormatProperties3>(properties_.pNext,
                                                        VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_3);
    const VkFormatFeatureFlags2 features2 = wide ? wide->linearTilingFeatures : features;
    fill_list(list->drmFormatModifierCount, list->pDrmFormatModifierProperties, available,
              VkDrmFormatModifierProperties2EXT{kLinear, 1, features2});
  }
  lists_.restore();
}

VkResult rewrite(VkPhysicalDeviceImageFormatInfo2& info) {
  auto* modifier = unlink_struct<VkPhysicalDeviceImageDrmFormatModifierInfoEXT>(
      &info, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_DRM_FORMAT_MODIFIER_INFO_EXT);
  if (info.tiling != VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT) return VK_SUCCESS;
  if (!modifier || modifier->drmFormatModifier != kLinear || !has_one_colour_plane(info.format)) {
    return VK_ERROR_FORMAT_NOT_SUPPORTED;
  }
  info.tiling = VK_IMAGE_TILING_LINEAR;
  return VK_SUCCESS;
}

std::expected<std::optional<VkSubresourceLayout>, VkResult> rewrite_image(VkImageCreateInfo& info) {
  auto* list = unlink_struct<VkImageDrmFormatModifierListCreateInfoEXT>(
      &info, VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_LIST_CREATE_INFO_EXT);
  auto* explicit_info = unlink_struct<VkImageDrmFormatModifierExplicitCreateInfoEXT>(
      &info, VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_EXPLICIT_CREATE_INFO_EXT);
  if (info.tiling != VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT) return std::nullopt;

  std::optional<VkSubresourceLayout> layout;
  bool linear = false;
  if (list) {
    const std::span modifiers(list->pDrmFormatModifiers, list->drmFormatModifierCount);
    linear = std::find(modifiers.begin(), modifiers.end(), kLinear) != modifiers.end();
  } else if (explicit_info) {
    linear = explicit_info->drmFormatModifier == kLinear &&
             explicit_info->drmFormatModifierPlaneCount == 1;
    if (linear) layout = explicit_info->pPlaneLayouts[0];
  }
  if (!linear || !has_one_colour_plane(info.format)) {
    return std::unexpected(VK_ERROR_INVALID_DRM_FORMAT_MODIFIER_PLANE_LAYOUT_EXT);
  }
  info.tiling = VK_IMAGE_TILING_LINEAR;
  return layout;
}

bool layout_matches(const VkSubresourceLayout& demanded, const VkSubresourceLayout& driver) {
  // size is ignored by the standard; the pitches of single layers and 2D images are undefined.
  return demanded.offset == driver.offset && demanded.rowPitch == driver.rowPitch;
}

}  // namespace pvgpu::host::linear_modifier
