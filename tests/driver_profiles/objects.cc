// Objects that a driver without some feature or handle type cannot make. Of images it is kept what memory they can be bound to.
#include <vulkan/vulkan.h>

#include <algorithm>
#include <string>

#include "dispatch.h"
#include "profile.h"
#include "structures.h"

namespace driver_profile {
namespace {

// Both external create-infos are {sType, pNext, handleTypes}.
VkResult check_handles(const void* chain, VkStructureType type) {
  const auto* external = find<const VkExternalMemoryBufferCreateInfo>(chain, type);
  if (external && external->handleTypes & ~VkExternalMemoryHandleTypeFlags(kHostHandles))
    return refuse(VK_ERROR_INVALID_EXTERNAL_HANDLE, "a buffer or image for memory of a handle type that is not there");
  return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL CreateBuffer(VkDevice handle, const VkBufferCreateInfo* info, const VkAllocationCallbacks* allocator,
                                            VkBuffer* buffer) {
  Device& device = device_of(handle);
  if (info->flags & VK_BUFFER_CREATE_SPARSE_BINDING_BIT && !device.features.sparseBinding)
    return refuse(VK_ERROR_FEATURE_NOT_PRESENT, "a sparse buffer");
  if (const VkResult result = check_handles(info->pNext, VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO); result != VK_SUCCESS) return result;
  return device.next<PFN_vkCreateBuffer>("vkCreateBuffer")(handle, info, allocator, buffer);
}

VkResult check_image(const Device& device, const VkImageCreateInfo& info) {
  if (info.flags & VK_IMAGE_CREATE_SPARSE_BINDING_BIT && !device.features.sparseBinding)
    return refuse(VK_ERROR_FEATURE_NOT_PRESENT, "a sparse image");
  if (info.tiling == VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT) return refuse(VK_ERROR_FORMAT_NOT_SUPPORTED, "an image with DRM modifiers");
  const auto* external = find<const VkExternalMemoryImageCreateInfo>(info.pNext, VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO);
  if (external && external->handleTypes & kHostHandles && profile().only_linear_imports && info.tiling != VK_IMAGE_TILING_LINEAR)
    return refuse(VK_ERROR_INVALID_EXTERNAL_HANDLE, "an image for imported memory that is not linear");
  return check_handles(info.pNext, VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO);
}
VKAPI_ATTR VkResult VKAPI_CALL CreateImage(VkDevice handle, const VkImageCreateInfo* info, const VkAllocationCallbacks* allocator, VkImage* image) {
  Device& device = device_of(handle);
  VkResult result = check_image(device, *info);
  if (result == VK_SUCCESS) result = device.next<PFN_vkCreateImage>("vkCreateImage")(handle, info, allocator, image);
  if (result != VK_SUCCESS) return result;
  std::lock_guard lock(device.mutex);
  VkImageCreateInfo& kept = device.images[*image] = *info;
  kept.pNext = nullptr;
  kept.pQueueFamilyIndices = nullptr;
  return result;
}
VKAPI_ATTR void VKAPI_CALL DestroyImage(VkDevice handle, VkImage image, const VkAllocationCallbacks* allocator) {
  Device& device = device_of(handle);
  {
    // First, since the next image may have the same handle.
    std::lock_guard lock(device.mutex);
    device.images.erase(image);
  }
  device.next<PFN_vkDestroyImage>("vkDestroyImage")(handle, image, allocator);
}

VKAPI_ATTR VkResult VKAPI_CALL CreateSemaphore(VkDevice device, const VkSemaphoreCreateInfo* info, const VkAllocationCallbacks* allocator,
                                               VkSemaphore* semaphore) {
  const auto* exported = find<const VkExportSemaphoreCreateInfo>(info->pNext, VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO);
  if (exported && exported->handleTypes != 0) return refuse(VK_ERROR_INVALID_EXTERNAL_HANDLE, "semaphores cannot be exported");
  return device_of(device).next<PFN_vkCreateSemaphore>("vkCreateSemaphore")(device, info, allocator, semaphore);
}
VKAPI_ATTR VkResult VKAPI_CALL CreateFence(VkDevice device, const VkFenceCreateInfo* info, const VkAllocationCallbacks* allocator, VkFence* fence) {
  const auto* exported = find<const VkExportFenceCreateInfo>(info->pNext, VK_STRUCTURE_TYPE_EXPORT_FENCE_CREATE_INFO);
  if (exported && exported->handleTypes != 0) return refuse(VK_ERROR_INVALID_EXTERNAL_HANDLE, "fences cannot be exported");
  return device_of(device).next<PFN_vkCreateFence>("vkCreateFence")(device, info, allocator, fence);
}

VKAPI_ATTR VkResult VKAPI_CALL CreateEvent(VkDevice handle, const VkEventCreateInfo* info, const VkAllocationCallbacks* allocator, VkEvent* event) {
  Device& device = device_of(handle);
  if (!device.events) return refuse(VK_ERROR_FEATURE_NOT_PRESENT, "an event, which the portability subset was not enabled with");
  return device.next<PFN_vkCreateEvent>("vkCreateEvent")(handle, info, allocator, event);
}

VkResult check_pipeline(const Device& device, const VkGraphicsPipelineCreateInfo& info) {
  const VkPhysicalDeviceFeatures& features = device.features;
  VkShaderStageFlags stages = 0;
  for (uint32_t i = 0; i < info.stageCount; i++) stages |= info.pStages[i].stage;
  constexpr auto kTessellation = VK_SHADER_STAGE_TESSELLATION_CONTROL_BIT | VK_SHADER_STAGE_TESSELLATION_EVALUATION_BIT;
  if (stages & VK_SHADER_STAGE_GEOMETRY_BIT && !features.geometryShader) return refuse(VK_ERROR_FEATURE_NOT_PRESENT, "a geometry shader");
  if (stages & kTessellation && !features.tessellationShader) return refuse(VK_ERROR_FEATURE_NOT_PRESENT, "a tessellation shader");
  const bool draws = stages & VK_SHADER_STAGE_FRAGMENT_BIT;
  if (draws && info.pColorBlendState && info.pColorBlendState->logicOpEnable && !features.logicOp)
    return refuse(VK_ERROR_FEATURE_NOT_PRESENT, "a logic operation");
  const bool fans = info.pInputAssemblyState && info.pInputAssemblyState->topology == VK_PRIMITIVE_TOPOLOGY_TRIANGLE_FAN;
  if (fans && stages & VK_SHADER_STAGE_VERTEX_BIT && !device.triangle_fans)
    return refuse(VK_ERROR_FEATURE_NOT_PRESENT, "triangle fans, which the portability subset was not enabled with");
  return VK_SUCCESS;
}
VKAPI_ATTR VkResult VKAPI_CALL CreateGraphicsPipelines(VkDevice handle, VkPipelineCache cache, uint32_t count,
                                                       const VkGraphicsPipelineCreateInfo* infos,
                                                       const VkAllocationCallbacks* allocator, VkPipeline* pipelines) {
  Device& device = device_of(handle);
  for (uint32_t i = 0; i < count; i++) {
    const VkResult result = check_pipeline(device, infos[i]);
    if (result == VK_SUCCESS) continue;
    std::fill_n(pipelines, count, VkPipeline{});
    return result;
  }
  return device.next<PFN_vkCreateGraphicsPipelines>("vkCreateGraphicsPipelines")(handle, cache, count, infos, allocator, pipelines);
}

const Entry kEntries[] = {
    VULKAN_LAYER_ENTRY(CreateBuffer, CreateBuffer),
    VULKAN_LAYER_ENTRY(CreateImage, CreateImage),
    VULKAN_LAYER_ENTRY(DestroyImage, DestroyImage),
    VULKAN_LAYER_ENTRY(CreateSemaphore, CreateSemaphore),
    VULKAN_LAYER_ENTRY(CreateFence, CreateFence),
    VULKAN_LAYER_ENTRY(CreateEvent, CreateEvent),
    VULKAN_LAYER_ENTRY(CreateGraphicsPipelines, CreateGraphicsPipelines),
};

}  // namespace

PFN_vkVoidFunction object_function(const char* name) { return look_up(kEntries, name); }

}  // namespace driver_profile
