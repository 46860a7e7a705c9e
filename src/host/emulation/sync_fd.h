// The claim "SYNC_FD semaphores can be imported, SYNC_FD fences exported" on a driver that has no
// sync-fd (MoltenVK, lavapipe without udmabuf). Stock Mesa offers Vulkan 1.3 and swapchains only
// with it. Here are the answers to the queries; the meaning of the three resource-sync commands is
// the decoder's (protocol reference 8.4). Pure functions; any thread.
#pragma once

#include <vulkan/vulkan_core.h>

#include <span>

#include "host/profile.h"

namespace pvgpu::host::sync_fd {

// VK_KHR_external_semaphore_fd is missing or SYNC_FD is not importable.
bool needs_semaphore(const DriverProfile& profile);
// VK_KHR_external_fence_fd is missing or SYNC_FD is not exportable.
bool needs_fence(const DriverProfile& profile);
// What is claimed to the guest when the flag of the same name is set.
std::span<const VkExtensionProperties> semaphore_extensions();
std::span<const VkExtensionProperties> fence_extensions();

// vkGetPhysicalDeviceExternalSemaphoreProperties. True: `out` is answered (its chain is left alone)
// and the driver must not be asked. False: ask the driver.
bool answer(const DriverProfile& profile, const VkPhysicalDeviceExternalSemaphoreInfo& info,
            VkExternalSemaphoreProperties& out);
// vkGetPhysicalDeviceExternalFenceProperties, likewise.
bool answer(const DriverProfile& profile, const VkPhysicalDeviceExternalFenceInfo& info,
            VkExternalFenceProperties& out);

// Takes the handle types that are emulated (or that no enabled extension has) out of
// VkExportSemaphoreCreateInfo and VkExportFenceCreateInfo, and the structure out of the chain when
// nothing is left.
void rewrite(const DriverProfile& profile, VkSemaphoreCreateInfo& info);
void rewrite(const DriverProfile& profile, VkFenceCreateInfo& info);

}  // namespace pvgpu::host::sync_fd
