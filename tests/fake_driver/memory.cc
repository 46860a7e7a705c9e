// The fake driver's memory, buffers and pipelines.

#include "hand.h"
#include "state.h"

namespace pvgpu::fake_driver {
namespace {

constexpr uint32_t kAllMemoryTypes = 3;
constexpr uint32_t kHostVisibleTypes = 2;

template <class T>
const T* find_struct(const void* next, VkStructureType type) {
  for (auto* link = static_cast<const VkBaseInStructure*>(next); link; link = link->pNext)
    if (link->sType == type) return reinterpret_cast<const T*>(link);
  return nullptr;
}

VkResult create_pipelines(VkDevice device, uint32_t count, VkPipeline* pipelines) {
  std::lock_guard lock(state().mutex);
  for (uint32_t i = 0; i < count; ++i)
    pipelines[i] = state().create<VkPipeline>(std::bit_cast<uint64_t>(device));
  return VK_SUCCESS;
}

}  // namespace

VKAPI_ATTR VkResult VKAPI_CALL Hand::vkAllocateMemory(VkDevice device,
                                                      const VkMemoryAllocateInfo* info,
                                                      const VkAllocationCallbacks*,
                                                      VkDeviceMemory* memory) {
  auto made = std::make_shared<Memory>();
  made->size = info->allocationSize;
  if (const auto* import = find_struct<VkImportMemoryHostPointerInfoEXT>(
          info->pNext, VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT)) {
    made->data = static_cast<std::byte*>(import->pHostPointer);
  } else {
    made->owned = std::make_unique_for_overwrite<std::byte[]>(made->size);
    made->data = made->owned.get();
  }
  std::lock_guard lock(state().mutex);
  *memory = state().create<VkDeviceMemory>(std::bit_cast<uint64_t>(device), made);
  return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL Hand::vkFreeMemory(VkDevice, VkDeviceMemory memory,
                                              const VkAllocationCallbacks*) {
  std::lock_guard lock(state().mutex);
  state().erase(memory);
}

VKAPI_ATTR VkResult VKAPI_CALL Hand::vkMapMemory(VkDevice, VkDeviceMemory memory,
                                                 VkDeviceSize offset, VkDeviceSize,
                                                 VkMemoryMapFlags, void** data) {
  std::lock_guard lock(state().mutex);
  const auto mapped = state().get<Memory>(memory);
  if (!mapped) return VK_ERROR_MEMORY_MAP_FAILED;
  *data = mapped->data + offset;
  return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL
Hand::vkGetMemoryHostPointerPropertiesEXT(VkDevice, VkExternalMemoryHandleTypeFlagBits, const void*,
                                          VkMemoryHostPointerPropertiesEXT* properties) {
  properties->memoryTypeBits = kHostVisibleTypes;
  return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL Hand::vkCreateBuffer(VkDevice device, const VkBufferCreateInfo* info,
                                                    const VkAllocationCallbacks*,
                                                    VkBuffer* buffer) {
  auto made = std::make_shared<Buffer>();
  made->size = info->size;
  std::lock_guard lock(state().mutex);
  *buffer = state().create<VkBuffer>(std::bit_cast<uint64_t>(device), made);
  return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL Hand::vkGetBufferMemoryRequirements(VkDevice, VkBuffer buffer,
                                                               VkMemoryRequirements* needs) {
  std::lock_guard lock(state().mutex);
  const auto known = state().get<Buffer>(buffer);
  *needs = {known ? (known->size + 63) & ~VkDeviceSize{63} : 0, 64, kAllMemoryTypes};
}

VKAPI_ATTR void VKAPI_CALL Hand::vkGetBufferMemoryRequirements2(
    VkDevice device, const VkBufferMemoryRequirementsInfo2* info, VkMemoryRequirements2* needs) {
  vkGetBufferMemoryRequirements(device, info->buffer, &needs->memoryRequirements);
}

VKAPI_ATTR void VKAPI_CALL Hand::vkGetImageMemoryRequirements(VkDevice, VkImage,
                                                              VkMemoryRequirements* needs) {
  *needs = {4096, 4096, kAllMemoryTypes};
}

VKAPI_ATTR void VKAPI_CALL Hand::vkGetImageMemoryRequirements2(
    VkDevice device, const VkImageMemoryRequirementsInfo2* info, VkMemoryRequirements2* needs) {
  vkGetImageMemoryRequirements(device, info->image, &needs->memoryRequirements);
}

VKAPI_ATTR VkResult VKAPI_CALL Hand::vkBindBufferMemory(VkDevice, VkBuffer buffer,
                                                        VkDeviceMemory memory,
                                                        VkDeviceSize offset) {
  std::lock_guard lock(state().mutex);
  const auto bound = state().get<Buffer>(buffer);
  const auto to = state().get<Memory>(memory);
  if (!bound || !to || offset > to->size || bound->size > to->size - offset) {
    state().wrong("vkBindBufferMemory: the buffer does not fit the memory");
    return VK_ERROR_UNKNOWN;
  }
  bound->memory = to;
  bound->offset = offset;
  return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL Hand::vkBindBufferMemory2(VkDevice device, uint32_t count,
                                                         const VkBindBufferMemoryInfo* infos) {
  VkResult result = VK_SUCCESS;
  for (uint32_t i = 0; i < count && result == VK_SUCCESS; ++i)
    result = vkBindBufferMemory(device, infos[i].buffer, infos[i].memory, infos[i].memoryOffset);
  return result;
}

VKAPI_ATTR VkResult VKAPI_CALL Hand::vkCreateGraphicsPipelines(VkDevice device, VkPipelineCache,
                                                               uint32_t count,
                                                               const VkGraphicsPipelineCreateInfo*,
                                                               const VkAllocationCallbacks*,
                                                               VkPipeline* pipelines) {
  return create_pipelines(device, count, pipelines);
}

VKAPI_ATTR VkResult VKAPI_CALL Hand::vkCreateComputePipelines(VkDevice device, VkPipelineCache,
                                                              uint32_t count,
                                                              const VkComputePipelineCreateInfo*,
                                                              const VkAllocationCallbacks*,
                                                              VkPipeline* pipelines) {
  return create_pipelines(device, count, pipelines);
}

}  // namespace pvgpu::fake_driver
