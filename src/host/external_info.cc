#include "host/external_info.h"

#include <array>
#include <bit>

#include "host/emulation/dma_buf.h"
#include "host/pnext.h"

namespace pvgpu::host {
namespace {

// In the order in which they are preferred when a driver cannot combine them.
constexpr std::array kStrategies = {MemoryStrategy::kDmaBuf, MemoryStrategy::kHostImport,
                                    MemoryStrategy::kOpaqueFd};

VkExternalMemoryFeatureFlags feature_needed(MemoryStrategy strategy) {
  return strategy == MemoryStrategy::kHostImport ? VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT
                                                 : VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT;
}

// The handle types of all strategies in use that the driver supports for this resource and that go
// together. `ask` gives the driver's word on one handle type.
template <class Ask>
VkExternalMemoryHandleTypeFlags combine(const DriverProfile& profile, Ask ask) {
  VkExternalMemoryHandleTypeFlags types = 0;
  for (MemoryStrategy strategy : kStrategies) {
    if (!profile.uses(strategy)) continue;
    const auto type = VkExternalMemoryHandleTypeFlagBits(strategy_handle_type(strategy));
    const std::optional<VkExternalMemoryProperties> properties = ask(type);
    if (!properties || !(properties->externalMemoryFeatures & feature_needed(strategy))) continue;
    // The guest does not know that it would have to allocate dedicated memory.
    if (properties->externalMemoryFeatures & VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT)
      continue;
    if ((properties->compatibleHandleTypes & types) != types) continue;
    types |= type;
  }
  return types;
}

// What the guest asked for itself, in the driver's terms.
VkExternalMemoryHandleTypeFlags to_driver(const DriverProfile& profile,
                                          VkExternalMemoryHandleTypeFlags guest) {
  if (!profile.emulation.dma_buf_memory) return guest;
  const bool dma_buf = guest & VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
  return dma_buf ? dma_buf::driver_handle_type(profile) : 0;
}

// What of it the driver gets in any case. Under emulation only what the driver says it supports,
// since the guest has asked about another handle type.
VkExternalMemoryHandleTypeFlags passed_on(const DriverProfile& profile,
                                          VkExternalMemoryHandleTypeFlags asked) {
  return profile.emulation.dma_buf_memory ? 0 : asked;
}

bool needs_external(const DriverProfile& profile, const VkImageCreateInfo& info, bool guest_asks) {
  if (info.initialLayout != VK_IMAGE_LAYOUT_UNDEFINED) return false;
  // VUID-VkImageCreateInfo-pNext-09654
  if (find_struct<const void>(info.pNext,
                              VK_STRUCTURE_TYPE_IMAGE_ALIGNMENT_CONTROL_CREATE_INFO_MESA)) {
    return false;
  }
  if (profile.all_types_host_visible) return true;
  // Beside imported memory there is the driver's own, and nobody knows yet which of them the image will be
  // bound to. A HOST_ALLOCATION image may lose memory types or speed there, while one without create-info works
  // in imported memory on NVIDIA (580), the driver that is like this, whatever the validation layer says. Of linear images the self-test
  // knows more.
  if (profile.uses(MemoryStrategy::kHostImport)) {
    // Host image copy is like linear tiling in that there may be no other memory for it.
    return profile.harmless_linear_import &&
           (info.tiling == VK_IMAGE_TILING_LINEAR || (info.usage & VK_IMAGE_USAGE_HOST_TRANSFER_BIT_EXT) != 0);
  }
  return guest_asks || info.tiling == VK_IMAGE_TILING_LINEAR;
}

template <class Structure>
void set_handle_types(void* info, VkStructureType type, VkExternalMemoryHandleTypeFlags types,
                      Structure& storage) {
  if (types == 0) {
    unlink_struct<Structure>(info, type);
    return;
  }
  auto* present = find_struct<Structure>(static_cast<VkBaseInStructure*>(info)->pNext, type);
  if (!present) {
    storage = {.sType = type, .pNext = nullptr, .handleTypes = 0};
    prepend_struct(info, &storage);
    present = &storage;
  }
  present->handleTypes = types;
}

bool fits(const VkImageCreateInfo& info, const VkImageFormatProperties& limits) {
  return info.extent.width <= limits.maxExtent.width &&
         info.extent.height <= limits.maxExtent.height &&
         info.extent.depth <= limits.maxExtent.depth && info.mipLevels <= limits.maxMipLevels &&
         info.arrayLayers <= limits.maxArrayLayers && (info.samples & limits.sampleCounts) != 0;
}

}  // namespace

BufferQuery driver_buffer_query(PFN_vkGetPhysicalDeviceExternalBufferProperties function,
                                VkPhysicalDevice device) {
  return [=](const VkBufferCreateInfo& info, VkExternalMemoryHandleTypeFlagBits type) {
    VkPhysicalDeviceExternalBufferInfo query{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
        .pNext = nullptr,
        .flags = info.flags,
        .usage = info.usage,
        .handleType = type};
    VkBufferUsageFlags2CreateInfo usage2{};
    if (auto* given = find_struct<const VkBufferUsageFlags2CreateInfo>(
            info.pNext, VK_STRUCTURE_TYPE_BUFFER_USAGE_FLAGS_2_CREATE_INFO)) {
      usage2 = *given;
      usage2.pNext = nullptr;
      query.pNext = &usage2;
    }
    VkExternalBufferProperties properties{.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES,
                                          .pNext = nullptr,
                                          .externalMemoryProperties = {}};
    function(device, &query, &properties);
    return properties.externalMemoryProperties;
  };
}

ImageQuery driver_image_query(PFN_vkGetPhysicalDeviceImageFormatProperties2 function,
                              VkPhysicalDevice device) {
  return [=](const VkImageCreateInfo& info,
             VkExternalMemoryHandleTypeFlagBits type) -> std::optional<VkExternalMemoryProperties> {
    VkPhysicalDeviceExternalImageFormatInfo external{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO,
        .pNext = nullptr,
        .handleType = type};
    VkPhysicalDeviceImageFormatInfo2 query{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_FORMAT_INFO_2,
        .pNext = &external,
        .format = info.format,
        .type = info.imageType,
        .tiling = info.tiling,
        .usage = info.usage,
        .flags = info.flags};
    VkImageFormatListCreateInfo formats{};
    if (auto* given = find_struct<const VkImageFormatListCreateInfo>(
            info.pNext, VK_STRUCTURE_TYPE_IMAGE_FORMAT_LIST_CREATE_INFO)) {
      formats = *given;
      prepend_struct(&query, &formats);
    }
    VkImageStencilUsageCreateInfo stencil{};
    if (auto* given = find_struct<const VkImageStencilUsageCreateInfo>(
            info.pNext, VK_STRUCTURE_TYPE_IMAGE_STENCIL_USAGE_CREATE_INFO)) {
      stencil = *given;
      prepend_struct(&query, &stencil);
    }
    VkExternalImageFormatProperties answer{
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES,
        .pNext = nullptr,
        .externalMemoryProperties = {}};
    VkImageFormatProperties2 properties{.sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_PROPERTIES_2,
                                        .pNext = &answer,
                                        .imageFormatProperties = {}};
    if (function(device, &query, &properties) != VK_SUCCESS) return std::nullopt;
    if (!fits(info, properties.imageFormatProperties)) return std::nullopt;
    return answer.externalMemoryProperties;
  };
}

VkExternalMemoryHandleTypeFlags buffer_handle_types(const DriverProfile& profile,
                                                    const VkBufferCreateInfo& info,
                                                    const BufferQuery& query) {
  auto* guest = find_struct<const VkExternalMemoryBufferCreateInfo>(
      info.pNext, VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO);
  const VkExternalMemoryHandleTypeFlags asked = guest ? to_driver(profile, guest->handleTypes) : 0;
  const VkExternalMemoryHandleTypeFlags candidates = profile.buffer_handle_types | asked;
  return passed_on(profile, asked) | combine(profile, [&](VkExternalMemoryHandleTypeFlagBits type) {
           return candidates & type ? std::optional(query(info, type)) : std::nullopt;
         });
}

VkExternalMemoryHandleTypeFlags image_handle_types(const DriverProfile& profile,
                                                   const VkImageCreateInfo& info,
                                                   const ImageQuery& query) {
  auto* guest = find_struct<const VkExternalMemoryImageCreateInfo>(
      info.pNext, VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO);
  const VkExternalMemoryHandleTypeFlags asked = guest ? to_driver(profile, guest->handleTypes) : 0;
  const VkExternalMemoryHandleTypeFlags own = passed_on(profile, asked);
  if (!needs_external(profile, info, asked != 0)) return own;
  // A driver's own modifiers cannot be asked about without choosing one: take the guest's word.
  if (info.tiling == VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT) return own;
  return own | combine(profile,
                       [&](VkExternalMemoryHandleTypeFlagBits type) { return query(info, type); });
}

void set_buffer_handle_types(VkBufferCreateInfo& info, VkExternalMemoryHandleTypeFlags types,
                             VkExternalMemoryBufferCreateInfo& storage) {
  set_handle_types(&info, VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO, types, storage);
}

void set_image_handle_types(VkImageCreateInfo& info, VkExternalMemoryHandleTypeFlags types,
                            VkExternalMemoryImageCreateInfo& storage) {
  set_handle_types(&info, VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO, types, storage);
}

}  // namespace pvgpu::host
