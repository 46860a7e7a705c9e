// Memory: its types, what is imported, how it is mapped, and which images and buffers can be bound to it.
#include <vulkan/vulkan.h>

#include <algorithm>
#include <string>

#include "dispatch.h"
#include "profile.h"
#include "structures.h"

namespace driver_profile {
namespace {

// -- which types fit --

// Bit i: `fits` says so of the profile's type i.
template <class Fits>
uint32_t types_that(Fits fits) {
  uint32_t bits = 0;
  for (size_t i = 0; i < profile().memory_types.size(); i++)
    if (fits(profile().memory_types[i])) bits |= 1u << i;
  return bits;
}
uint32_t types_of_buffers() {
  return types_that([](VkMemoryPropertyFlags flags) { return !(flags & VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT); });
}
uint32_t types_of_images(const VkImageCreateInfo& info) {
  return types_that([&](VkMemoryPropertyFlags flags) {
    const bool visible = flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT;
    const bool depth = info.usage & VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT;
    if (depth && visible && profile().private_depth_images) return false;
    if (info.usage & VK_IMAGE_USAGE_HOST_TRANSFER_BIT_EXT && !visible) return false;
    return !(flags & VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT) || (info.usage & VK_IMAGE_USAGE_TRANSIENT_ATTACHMENT_BIT) != 0;
  });
}
void set_types(VkMemoryRequirements& requirements, uint32_t types) {
  if (!profile().memory_types.empty()) requirements.memoryTypeBits = types;
}

VKAPI_ATTR void VKAPI_CALL GetBufferNeeds(VkDevice device, VkBuffer buffer, VkMemoryRequirements* needs) {
  device_of(device).next<PFN_vkGetBufferMemoryRequirements>("vkGetBufferMemoryRequirements")(device, buffer, needs);
  set_types(*needs, types_of_buffers());
}
VKAPI_ATTR void VKAPI_CALL GetBufferNeeds2(VkDevice device, const VkBufferMemoryRequirementsInfo2* info, VkMemoryRequirements2* needs) {
  device_of(device).next<PFN_vkGetBufferMemoryRequirements2>("vkGetBufferMemoryRequirements2")(device, info, needs);
  set_types(needs->memoryRequirements, types_of_buffers());
}
VKAPI_ATTR void VKAPI_CALL GetDeviceBufferNeeds(VkDevice device, const VkDeviceBufferMemoryRequirements* info, VkMemoryRequirements2* needs) {
  device_of(device).next<PFN_vkGetDeviceBufferMemoryRequirements>("vkGetDeviceBufferMemoryRequirements")(device, info, needs);
  set_types(needs->memoryRequirements, types_of_buffers());
}
VkImageCreateInfo info_of(Device& device, VkImage image) {
  std::lock_guard lock(device.mutex);
  const auto found = device.images.find(image);
  if (found == device.images.end()) give_up("an image that was not created is asked about");
  return found->second;
}
VKAPI_ATTR void VKAPI_CALL GetImageNeeds(VkDevice handle, VkImage image, VkMemoryRequirements* needs) {
  Device& device = device_of(handle);
  device.next<PFN_vkGetImageMemoryRequirements>("vkGetImageMemoryRequirements")(handle, image, needs);
  set_types(*needs, types_of_images(info_of(device, image)));
}
VKAPI_ATTR void VKAPI_CALL GetImageNeeds2(VkDevice handle, const VkImageMemoryRequirementsInfo2* info, VkMemoryRequirements2* needs) {
  Device& device = device_of(handle);
  device.next<PFN_vkGetImageMemoryRequirements2>("vkGetImageMemoryRequirements2")(handle, info, needs);
  set_types(needs->memoryRequirements, types_of_images(info_of(device, info->image)));
}
VKAPI_ATTR void VKAPI_CALL GetDeviceImageNeeds(VkDevice device, const VkDeviceImageMemoryRequirements* info, VkMemoryRequirements2* needs) {
  device_of(device).next<PFN_vkGetDeviceImageMemoryRequirements>("vkGetDeviceImageMemoryRequirements")(device, info, needs);
  set_types(needs->memoryRequirements, types_of_images(*info->pCreateInfo));
}

// -- allocation --

VkResult check_import(const VkMemoryAllocateInfo& info, const VkImportMemoryHostPointerInfoEXT& import, VkMemoryPropertyFlags flags) {
  const VkDeviceSize unit = profile().import_alignment;
  if (reinterpret_cast<uintptr_t>(import.pHostPointer) % unit != 0 || info.allocationSize % unit != 0)
    return refuse(VK_ERROR_INVALID_EXTERNAL_HANDLE, "an imported pointer or its size is not aligned to " + std::to_string(unit));
  if (!(flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT))
    return refuse(VK_ERROR_INVALID_EXTERNAL_HANDLE, "a pointer is imported into memory that is not HOST_VISIBLE");
  return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL AllocateMemory(VkDevice handle, const VkMemoryAllocateInfo* info, const VkAllocationCallbacks* allocator,
                                              VkDeviceMemory* memory) {
  Device& device = device_of(handle);
  const auto& types = profile().memory_types;
  if (!types.empty() && info->memoryTypeIndex >= types.size()) give_up("a memory type that is not there");
  Memory made{.flags = types.empty() ? VkMemoryPropertyFlags(VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) : types[info->memoryTypeIndex],
              .type = info->memoryTypeIndex};
  const auto* exported = find<const VkExportMemoryAllocateInfo>(info->pNext, VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO);
  if (exported && exported->handleTypes != 0) return refuse(VK_ERROR_INVALID_EXTERNAL_HANDLE, "memory cannot be exported");
  if (find<void>(info->pNext, VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR))
    return refuse(VK_ERROR_INVALID_EXTERNAL_HANDLE, "no descriptors are imported");
  const auto* import = find<const VkImportMemoryHostPointerInfoEXT>(info->pNext, VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT);
  if (import) {
    if (const VkResult result = check_import(*info, *import, made.flags); result != VK_SUCCESS) return result;
    made.imported = true;
  }
  VkMemoryAllocateInfo below = *info;
  if (!types.empty()) below.memoryTypeIndex = 0;
  const VkResult result = device.next<PFN_vkAllocateMemory>("vkAllocateMemory")(handle, &below, allocator, memory);
  if (result != VK_SUCCESS) return result;
  std::lock_guard lock(device.mutex);
  device.memories[*memory] = made;
  return result;
}
VKAPI_ATTR void VKAPI_CALL FreeMemory(VkDevice handle, VkDeviceMemory memory, const VkAllocationCallbacks* allocator) {
  Device& device = device_of(handle);
  {
    // First, since the next memory may have the same handle.
    std::lock_guard lock(device.mutex);
    device.memories.erase(memory);
  }
  device.next<PFN_vkFreeMemory>("vkFreeMemory")(handle, memory, allocator);
}
VKAPI_ATTR VkResult VKAPI_CALL GetHostPointer(VkDevice device, VkExternalMemoryHandleTypeFlagBits type, const void* pointer,
                                              VkMemoryHostPointerPropertiesEXT* properties) {
  const VkResult result =
      device_of(device).next<PFN_vkGetMemoryHostPointerPropertiesEXT>("vkGetMemoryHostPointerPropertiesEXT")(device, type, pointer, properties);
  if (!profile().memory_types.empty())
    properties->memoryTypeBits = types_that([](VkMemoryPropertyFlags flags) { return (flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) != 0; });
  return result;
}

// -- mapping --

VkResult begin_map(Device& device, VkDeviceMemory memory) {
  std::lock_guard lock(device.mutex);
  Memory& mapped = device.memories[memory];
  if (!(mapped.flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT)) return refuse(VK_ERROR_MEMORY_MAP_FAILED, "memory is not HOST_VISIBLE");
  if (mapped.mapped && profile().one_map) return refuse(VK_ERROR_MEMORY_MAP_FAILED, "memory is mapped already");
  mapped.mapped = true;
  return VK_SUCCESS;
}
VkResult end_map(Device& device, VkDeviceMemory memory, VkResult result) {
  std::lock_guard lock(device.mutex);
  if (result != VK_SUCCESS) device.memories[memory].mapped = false;
  return result;
}
VKAPI_ATTR VkResult VKAPI_CALL MapMemory(VkDevice handle, VkDeviceMemory memory, VkDeviceSize offset, VkDeviceSize size, VkMemoryMapFlags flags,
                                         void** data) {
  Device& device = device_of(handle);
  if (const VkResult result = begin_map(device, memory); result != VK_SUCCESS) return result;
  return end_map(device, memory, device.next<PFN_vkMapMemory>("vkMapMemory")(handle, memory, offset, size, flags, data));
}
VKAPI_ATTR VkResult VKAPI_CALL MapMemory2(VkDevice handle, const VkMemoryMapInfoKHR* info, void** data) {
  Device& device = device_of(handle);
  if (const VkResult result = begin_map(device, info->memory); result != VK_SUCCESS) return result;
  return end_map(device, info->memory, device.next<PFN_vkMapMemory2KHR>("vkMapMemory2")(handle, info, data));
}
VKAPI_ATTR void VKAPI_CALL UnmapMemory(VkDevice handle, VkDeviceMemory memory) {
  Device& device = device_of(handle);
  device.next<PFN_vkUnmapMemory>("vkUnmapMemory")(handle, memory);
  std::lock_guard lock(device.mutex);
  device.memories[memory].mapped = false;
}
VKAPI_ATTR VkResult VKAPI_CALL UnmapMemory2(VkDevice handle, const VkMemoryUnmapInfoKHR* info) {
  Device& device = device_of(handle);
  const VkResult result = device.next<PFN_vkUnmapMemory2KHR>("vkUnmapMemory2")(handle, info);
  std::lock_guard lock(device.mutex);
  device.memories[info->memory].mapped = false;
  return result;
}

// -- binding --

VkResult check_binding(Device& device, uint32_t fitting, bool linear, VkDeviceMemory memory) {
  std::lock_guard lock(device.mutex);
  const auto found = device.memories.find(memory);
  if (found == device.memories.end()) return VK_SUCCESS;  // a swapchain's, which the driver allocates itself
  const bool fits = profile().memory_types.empty() || (fitting >> found->second.type & 1);
  if (!fits) return refuse(VK_ERROR_OUT_OF_DEVICE_MEMORY, "bound to memory of a type that it cannot be bound to");
  if (found->second.imported && !linear && profile().only_linear_imports)
    return refuse(VK_ERROR_OUT_OF_DEVICE_MEMORY, "an image that is not linear is bound to imported memory");
  return VK_SUCCESS;
}
VkResult check_image(VkDevice handle, VkImage image, VkDeviceMemory memory) {
  Device& device = device_of(handle);
  const VkImageCreateInfo info = info_of(device, image);
  return check_binding(device, types_of_images(info), info.tiling == VK_IMAGE_TILING_LINEAR, memory);
}

VKAPI_ATTR VkResult VKAPI_CALL BindBufferMemory(VkDevice handle, VkBuffer buffer, VkDeviceMemory memory, VkDeviceSize offset) {
  Device& device = device_of(handle);
  if (const VkResult result = check_binding(device, types_of_buffers(), true, memory); result != VK_SUCCESS) return result;
  return device.next<PFN_vkBindBufferMemory>("vkBindBufferMemory")(handle, buffer, memory, offset);
}
VKAPI_ATTR VkResult VKAPI_CALL BindBufferMemory2(VkDevice handle, uint32_t count, const VkBindBufferMemoryInfo* infos) {
  Device& device = device_of(handle);
  for (uint32_t i = 0; i < count; i++)
    if (const VkResult result = check_binding(device, types_of_buffers(), true, infos[i].memory); result != VK_SUCCESS) return result;
  return device.next<PFN_vkBindBufferMemory2>("vkBindBufferMemory2")(handle, count, infos);
}
VKAPI_ATTR VkResult VKAPI_CALL BindImageMemory(VkDevice handle, VkImage image, VkDeviceMemory memory, VkDeviceSize offset) {
  if (const VkResult result = check_image(handle, image, memory); result != VK_SUCCESS) return result;
  return device_of(handle).next<PFN_vkBindImageMemory>("vkBindImageMemory")(handle, image, memory, offset);
}
VKAPI_ATTR VkResult VKAPI_CALL BindImageMemory2(VkDevice handle, uint32_t count, const VkBindImageMemoryInfo* infos) {
  for (uint32_t i = 0; i < count; i++)
    if (const VkResult result = check_image(handle, infos[i].image, infos[i].memory); result != VK_SUCCESS) return result;
  return device_of(handle).next<PFN_vkBindImageMemory2>("vkBindImageMemory2")(handle, count, infos);
}

const Entry kEntries[] = {
    VULKAN_LAYER_ENTRY(GetBufferMemoryRequirements, GetBufferNeeds),
    VULKAN_LAYER_ENTRY(GetBufferMemoryRequirements2, GetBufferNeeds2),
    VULKAN_LAYER_ENTRY(GetBufferMemoryRequirements2KHR, GetBufferNeeds2),
    VULKAN_LAYER_ENTRY(GetDeviceBufferMemoryRequirements, GetDeviceBufferNeeds),
    VULKAN_LAYER_ENTRY(GetDeviceBufferMemoryRequirementsKHR, GetDeviceBufferNeeds),
    VULKAN_LAYER_ENTRY(GetImageMemoryRequirements, GetImageNeeds),
    VULKAN_LAYER_ENTRY(GetImageMemoryRequirements2, GetImageNeeds2),
    VULKAN_LAYER_ENTRY(GetImageMemoryRequirements2KHR, GetImageNeeds2),
    VULKAN_LAYER_ENTRY(GetDeviceImageMemoryRequirements, GetDeviceImageNeeds),
    VULKAN_LAYER_ENTRY(GetDeviceImageMemoryRequirementsKHR, GetDeviceImageNeeds),
    VULKAN_LAYER_ENTRY(AllocateMemory, AllocateMemory),
    VULKAN_LAYER_ENTRY(FreeMemory, FreeMemory),
    VULKAN_LAYER_ENTRY(GetMemoryHostPointerPropertiesEXT, GetHostPointer),
    VULKAN_LAYER_ENTRY(MapMemory, MapMemory),
    VULKAN_LAYER_ENTRY(MapMemory2KHR, MapMemory2),
    VULKAN_LAYER_ENTRY(UnmapMemory, UnmapMemory),
    VULKAN_LAYER_ENTRY(UnmapMemory2KHR, UnmapMemory2),
    VULKAN_LAYER_ENTRY(BindBufferMemory, BindBufferMemory),
    VULKAN_LAYER_ENTRY(BindBufferMemory2, BindBufferMemory2),
    VULKAN_LAYER_ENTRY(BindBufferMemory2KHR, BindBufferMemory2),
    VULKAN_LAYER_ENTRY(BindImageMemory, BindImageMemory),
    VULKAN_LAYER_ENTRY(BindImageMemory2, BindImageMemory2),
    VULKAN_LAYER_ENTRY(BindImageMemory2KHR, BindImageMemory2),
#ifdef VK_VERSION_1_4
    VULKAN_LAYER_ENTRY(MapMemory2, MapMemory2),
    VULKAN_LAYER_ENTRY(UnmapMemory2, UnmapMemory2),
#endif
};

}  // namespace

PFN_vkVoidFunction memory_function(const char* name) { return look_up(kEntries, name); }

}  // namespace driver_profile
