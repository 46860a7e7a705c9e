#include "host/emulation/dma_buf.h"

#include "host/pnext.h"

namespace pvgpu::host::dma_buf {
namespace {

constexpr VkExtensionProperties kExtensions[] = {
    {VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME, 1},
    {VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME, 1},
};

}  // namespace

bool needs_memory(const DriverProfile& profile) {
  return !profile.uses(MemoryStrategy::kDmaBuf) &&
         (profile.uses(MemoryStrategy::kHostImport) || profile.uses(MemoryStrategy::kOpaqueFd));
}

std::span<const VkExtensionProperties> extensions() {
  return kExtensions;
}

VkExternalMemoryHandleTypeFlagBits driver_handle_type(const DriverProfile& profile) {
  return profile.uses(MemoryStrategy::kHostImport)
             ? VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT
             : VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT;
}

VkExternalMemoryProperties to_guest(const VkExternalMemoryProperties& driver) {
  const VkExternalMemoryFeatureFlags features = driver.externalMemoryFeatures;
  // Memory of ours is never dedicated, so a resource that must have dedicated memory cannot use it.
  if (features & VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT) return {};
  if (!(features &
        (VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT | VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT))) {
    return {};
  }
  return {.externalMemoryFeatures =
              VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT | VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT,
          .exportFromImportedHandleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
          .compatibleHandleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT};
}

bool rewrite(const DriverProfile& profile, VkPhysicalDeviceExternalBufferInfo& info) {
  if (info.handleType != VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT) return false;
  info.handleType = driver_handle_type(profile);
  return true;
}

bool rewrite(const DriverProfile& profile, VkPhysicalDeviceImageFormatInfo2& info) {
  auto* external = find_struct<VkPhysicalDeviceExternalImageFormatInfo>(
      info.pNext, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO);
  if (!external || external->handleType == 0) return true;
  if (external->handleType != VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT) return false;
  external->handleType = driver_handle_type(profile);
  return true;
}

VkResult finish(VkImageFormatProperties2& properties) {
  auto* external = find_struct<VkExternalImageFormatProperties>(
      properties.pNext, VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES);
  if (!external) return VK_SUCCESS;
  external->externalMemoryProperties = to_guest(external->externalMemoryProperties);
  // Vulkan: a combination that supports the handle type in no way is not supported at all.
  return external->externalMemoryProperties.externalMemoryFeatures ? VK_SUCCESS
                                                                   : VK_ERROR_FORMAT_NOT_SUPPORTED;
}

bool ask_without_external(const DriverProfile& profile, VkPhysicalDeviceImageFormatInfo2& info) {
  if (!profile.unlisted_linear_import || info.tiling != VK_IMAGE_TILING_LINEAR) return false;
  auto* external = find_struct<VkPhysicalDeviceExternalImageFormatInfo>(
      info.pNext, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO);
  if (!external || external->handleType == 0) return false;
  // 0 is as if the structure were not there.
  external->handleType = VkExternalMemoryHandleTypeFlagBits(0);
  return true;
}

void claim(VkImageFormatProperties2& properties) {
  auto* external = find_struct<VkExternalImageFormatProperties>(
      properties.pNext, VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES);
  if (!external) return;
  external->externalMemoryProperties =
      to_guest({.externalMemoryFeatures = VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT,
                .exportFromImportedHandleTypes = 0,
                .compatibleHandleTypes = 0});
}

}  // namespace pvgpu::host::dma_buf
