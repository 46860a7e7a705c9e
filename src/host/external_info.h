// Which external handle types a buffer or image has to be created with, so that the memory this
// host gives it (imported by pointer, or exportable) is valid to bind: Vulkan wants the memory's
// handle type in VkExternalMemory{Buffer,Image}CreateInfo (VUID-vkBindBufferMemory-memory-02985 and
// its kin).
//
// Used by vkCreateBuffer/vkCreateImage and, with the same result, by
// vkGetDevice*MemoryRequirements. Pure but for the queries passed in; any thread.
#pragma once

#include <vulkan/vulkan_core.h>

#include <functional>
#include <optional>

#include "host/profile.h"

namespace pvgpu::host {

// What the driver says of a buffer or image like this one, with this handle type. nullopt: it
// cannot exist.
using BufferQuery = std::function<VkExternalMemoryProperties(const VkBufferCreateInfo&,
                                                             VkExternalMemoryHandleTypeFlagBits)>;
using ImageQuery = std::function<std::optional<VkExternalMemoryProperties>(
    const VkImageCreateInfo&, VkExternalMemoryHandleTypeFlagBits)>;

// The queries as the driver answers them. The function pointers are instance-level and never null.
BufferQuery driver_buffer_query(PFN_vkGetPhysicalDeviceExternalBufferProperties function,
                                VkPhysicalDevice device);
ImageQuery driver_image_query(PFN_vkGetPhysicalDeviceImageFormatProperties2 function,
                              VkPhysicalDevice device);

// Handle types for VkExternalMemoryBufferCreateInfo, 0 for none. `info` is the guest's (its own
// VkExternalMemoryBufferCreateInfo included).
VkExternalMemoryHandleTypeFlags buffer_handle_types(const DriverProfile& profile,
                                                    const VkBufferCreateInfo& info,
                                                    const BufferQuery& query);

// The same for images, after linear_modifier::rewrite_image. Only an image that can meet shared
// memory gets one (all types HOST_VISIBLE, linear tiling, or the guest wants it external), because
// external images lose compression on real GPUs; and only with initialLayout UNDEFINED, as the
// standard asks.
VkExternalMemoryHandleTypeFlags image_handle_types(const DriverProfile& profile,
                                                   const VkImageCreateInfo& info,
                                                   const ImageQuery& query);

// Makes the chain of `info` say exactly `types`: fills the structure that is there, removes it for
// 0, or links `storage`, which must live as long as `info` is used.
void set_buffer_handle_types(VkBufferCreateInfo& info, VkExternalMemoryHandleTypeFlags types,
                             VkExternalMemoryBufferCreateInfo& storage);
void set_image_handle_types(VkImageCreateInfo& info, VkExternalMemoryHandleTypeFlags types,
                            VkExternalMemoryImageCreateInfo& storage);

}  // namespace pvgpu::host
