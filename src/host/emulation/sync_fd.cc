#include "host/emulation/sync_fd.h"

#include "host/pnext.h"

namespace pvgpu::host::sync_fd {
namespace {

constexpr VkExtensionProperties kSemaphore[] = {{VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME, 1}};
constexpr VkExtensionProperties kFence[] = {{VK_KHR_EXTERNAL_FENCE_FD_EXTENSION_NAME, 1}};

bool is_timeline(const VkPhysicalDeviceExternalSemaphoreInfo& info) {
  auto* type = find_struct<const VkSemaphoreTypeCreateInfo>(
      info.pNext, VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO);
  return type && type->semaphoreType == VK_SEMAPHORE_TYPE_TIMELINE;
}

}  // namespace

bool needs_semaphore(const DriverProfile& profile) {
  return !profile.has_extension(VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME) ||
         !(profile.sync_fd_semaphore_features & VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT);
}

bool needs_fence(const DriverProfile& profile) {
  return !profile.has_extension(VK_KHR_EXTERNAL_FENCE_FD_EXTENSION_NAME) ||
         !(profile.sync_fd_fence_features & VK_EXTERNAL_FENCE_FEATURE_EXPORTABLE_BIT);
}

std::span<const VkExtensionProperties> semaphore_extensions() {
  return kSemaphore;
}
std::span<const VkExtensionProperties> fence_extensions() {
  return kFence;
}

bool answer(const DriverProfile& profile, const VkPhysicalDeviceExternalSemaphoreInfo& info,
            VkExternalSemaphoreProperties& out) {
  if (!profile.emulation.sync_fd_semaphore) return false;
  // The extension is not enabled at the driver, so no handle type but the emulated one exists.
  out.exportFromImportedHandleTypes = 0;
  out.compatibleHandleTypes = 0;
  out.externalSemaphoreFeatures = 0;
  if (info.handleType == VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT && !is_timeline(info)) {
    out.compatibleHandleTypes = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT;
    out.externalSemaphoreFeatures = VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT;
  }
  return true;
}

bool answer(const DriverProfile& profile, const VkPhysicalDeviceExternalFenceInfo& info,
            VkExternalFenceProperties& out) {
  if (!profile.emulation.sync_fd_fence) return false;
  out.exportFromImportedHandleTypes = 0;
  out.compatibleHandleTypes = 0;
  out.externalFenceFeatures = 0;
  if (info.handleType == VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT) {
    out.compatibleHandleTypes = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT;
    out.externalFenceFeatures = VK_EXTERNAL_FENCE_FEATURE_EXPORTABLE_BIT;
  }
  return true;
}

void rewrite(const DriverProfile& profile, VkSemaphoreCreateInfo& info) {
  if (!profile.emulation.sync_fd_semaphore) return;
  unlink_struct<VkExportSemaphoreCreateInfo>(&info, VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO);
}

void rewrite(const DriverProfile& profile, VkFenceCreateInfo& info) {
  if (!profile.emulation.sync_fd_fence) return;
  unlink_struct<VkExportFenceCreateInfo>(&info, VK_STRUCTURE_TYPE_EXPORT_FENCE_CREATE_INFO);
}

}  // namespace pvgpu::host::sync_fd
