// The claim "memory can be exported as a dma-buf" on a driver that cannot: the guest's DMA_BUF
// becomes the handle type that our memory has at the driver (HOST_ALLOCATION, or OPAQUE_FD), and
// what the guest exports is the descriptor of memory that we own. Import over virtio-gpu is a
// resource of ours again. Pure functions; any thread.
#pragma once

#include <vulkan/vulkan_core.h>

#include <optional>
#include <span>

#include "host/profile.h"

namespace pvgpu::host::dma_buf {

// No memory type can be exported as a dma-buf that is mappable, but some type can be shared
// otherwise.
bool needs_memory(const DriverProfile& profile);
std::span<const VkExtensionProperties> extensions();

// The handle type that stands for DMA_BUF at this driver.
VkExternalMemoryHandleTypeFlagBits driver_handle_type(const DriverProfile& profile);
// The driver's word on driver_handle_type, as the guest is told of DMA_BUF. All zero: not possible.
VkExternalMemoryProperties to_guest(const VkExternalMemoryProperties& driver);

// Use of the queries below: rewrite the info; nullopt means that the driver need not be asked and
// nothing is supported. Else ask, then translate the answer with to_guest. Call only with
// emulation.dma_buf_memory.

// vkGetPhysicalDeviceExternalBufferProperties. False: answer with zeros.
bool rewrite(const DriverProfile& profile, VkPhysicalDeviceExternalBufferInfo& info);
// vkGetPhysicalDeviceImageFormatProperties2 (after linear_modifier::rewrite). False: answer
// VK_ERROR_FORMAT_NOT_SUPPORTED. A chain without VkPhysicalDeviceExternalImageFormatInfo is left
// alone.
bool rewrite(const DriverProfile& profile, VkPhysicalDeviceImageFormatInfo2& info);
// After the driver has answered VK_SUCCESS to the rewritten info: translates
// VkExternalImageFormatProperties if present. VK_ERROR_FORMAT_NOT_SUPPORTED when the image could
// not be bound to our memory.
VkResult finish(VkImageFormatProperties2& properties);

// After the driver or finish() said VK_ERROR_FORMAT_NOT_SUPPORTED. True: the driver takes linear
// images on our memory without listing it (DriverProfile::unlisted_linear_import), and `info` now
// asks about an image that is not external. If the driver answers VK_SUCCESS to that, claim() fills
// VkExternalImageFormatProperties.
bool ask_without_external(const DriverProfile& profile, VkPhysicalDeviceImageFormatInfo2& info);
void claim(VkImageFormatProperties2& properties);

}  // namespace pvgpu::host::dma_buf
