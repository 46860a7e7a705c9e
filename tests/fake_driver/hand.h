// The functions of the fake driver that need a meaning, as members so that driver.cc finds them by
// name.
#pragma once

#include <vulkan/vulkan_core.h>

namespace pvgpu::fake_driver {

struct Hand {
#define HAND(result, name, ...) static VKAPI_ATTR result VKAPI_CALL name(__VA_ARGS__)
  // driver.cc
  HAND(PFN_vkVoidFunction, vkGetInstanceProcAddr, VkInstance, const char* name);
  HAND(PFN_vkVoidFunction, vkGetDeviceProcAddr, VkDevice device, const char* name);
  // instance.cc
  HAND(VkResult, vkEnumerateInstanceVersion, uint32_t* version);
  HAND(VkResult, vkCreateInstance, const VkInstanceCreateInfo*, const VkAllocationCallbacks*,
       VkInstance* instance);
  HAND(void, vkDestroyInstance, VkInstance instance, const VkAllocationCallbacks*);
  HAND(VkResult, vkEnumeratePhysicalDevices, VkInstance instance, uint32_t* count,
       VkPhysicalDevice* devices);
  HAND(VkResult, vkEnumeratePhysicalDeviceGroups, VkInstance instance, uint32_t* count,
       VkPhysicalDeviceGroupProperties* groups);
  HAND(void, vkGetPhysicalDeviceProperties, VkPhysicalDevice,
       VkPhysicalDeviceProperties* properties);
  HAND(void, vkGetPhysicalDeviceProperties2, VkPhysicalDevice,
       VkPhysicalDeviceProperties2* properties);
  HAND(void, vkGetPhysicalDeviceMemoryProperties, VkPhysicalDevice,
       VkPhysicalDeviceMemoryProperties* properties);
  HAND(void, vkGetPhysicalDeviceMemoryProperties2, VkPhysicalDevice,
       VkPhysicalDeviceMemoryProperties2* properties);
  HAND(void, vkGetPhysicalDeviceQueueFamilyProperties, VkPhysicalDevice, uint32_t* count,
       VkQueueFamilyProperties* properties);
  HAND(void, vkGetPhysicalDeviceQueueFamilyProperties2, VkPhysicalDevice, uint32_t* count,
       VkQueueFamilyProperties2* properties);
  HAND(VkResult, vkEnumerateDeviceExtensionProperties, VkPhysicalDevice, const char*,
       uint32_t* count, VkExtensionProperties* properties);
  HAND(void, vkGetPhysicalDeviceExternalBufferProperties, VkPhysicalDevice,
       const VkPhysicalDeviceExternalBufferInfo* info, VkExternalBufferProperties* properties);
  HAND(VkResult, vkCreateDevice, VkPhysicalDevice physical, const VkDeviceCreateInfo* info,
       const VkAllocationCallbacks*, VkDevice* device);
  HAND(void, vkDestroyDevice, VkDevice device, const VkAllocationCallbacks*);
  HAND(void, vkGetDeviceQueue, VkDevice device, uint32_t family, uint32_t index, VkQueue* queue);
  HAND(void, vkGetDeviceQueue2, VkDevice device, const VkDeviceQueueInfo2* info, VkQueue* queue);
  // memory.cc
  HAND(VkResult, vkAllocateMemory, VkDevice device, const VkMemoryAllocateInfo* info,
       const VkAllocationCallbacks*, VkDeviceMemory* memory);
  HAND(void, vkFreeMemory, VkDevice, VkDeviceMemory memory, const VkAllocationCallbacks*);
  HAND(VkResult, vkMapMemory, VkDevice, VkDeviceMemory memory, VkDeviceSize offset, VkDeviceSize,
       VkMemoryMapFlags, void** data);
  HAND(VkResult, vkGetMemoryHostPointerPropertiesEXT, VkDevice, VkExternalMemoryHandleTypeFlagBits,
       const void*, VkMemoryHostPointerPropertiesEXT* properties);
  HAND(VkResult, vkCreateBuffer, VkDevice device, const VkBufferCreateInfo* info,
       const VkAllocationCallbacks*, VkBuffer* buffer);
  HAND(void, vkGetBufferMemoryRequirements, VkDevice, VkBuffer buffer, VkMemoryRequirements* needs);
  HAND(void, vkGetBufferMemoryRequirements2, VkDevice, const VkBufferMemoryRequirementsInfo2* info,
       VkMemoryRequirements2* needs);
  HAND(void, vkGetImageMemoryRequirements, VkDevice, VkImage, VkMemoryRequirements* needs);
  HAND(void, vkGetImageMemoryRequirements2, VkDevice, const VkImageMemoryRequirementsInfo2*,
       VkMemoryRequirements2* needs);
  HAND(VkResult, vkBindBufferMemory, VkDevice, VkBuffer buffer, VkDeviceMemory memory,
       VkDeviceSize offset);
  HAND(VkResult, vkBindBufferMemory2, VkDevice, uint32_t count,
       const VkBindBufferMemoryInfo* infos);
  HAND(VkResult, vkCreateGraphicsPipelines, VkDevice device, VkPipelineCache, uint32_t count,
       const VkGraphicsPipelineCreateInfo* infos, const VkAllocationCallbacks*,
       VkPipeline* pipelines);
  HAND(VkResult, vkCreateComputePipelines, VkDevice device, VkPipelineCache, uint32_t count,
       const VkComputePipelineCreateInfo* infos, const VkAllocationCallbacks*,
       VkPipeline* pipelines);
  // queue.cc
  HAND(VkResult, vkAllocateCommandBuffers, VkDevice device, const VkCommandBufferAllocateInfo* info,
       VkCommandBuffer* buffers);
  HAND(void, vkFreeCommandBuffers, VkDevice, VkCommandPool pool, uint32_t count,
       const VkCommandBuffer* buffers);
  HAND(void, vkDestroyCommandPool, VkDevice, VkCommandPool pool, const VkAllocationCallbacks*);
  HAND(VkResult, vkAllocateDescriptorSets, VkDevice device, const VkDescriptorSetAllocateInfo* info,
       VkDescriptorSet* sets);
  HAND(VkResult, vkFreeDescriptorSets, VkDevice, VkDescriptorPool pool, uint32_t count,
       const VkDescriptorSet* sets);
  HAND(VkResult, vkResetDescriptorPool, VkDevice, VkDescriptorPool pool,
       VkDescriptorPoolResetFlags);
  HAND(void, vkDestroyDescriptorPool, VkDevice, VkDescriptorPool pool,
       const VkAllocationCallbacks*);
  HAND(VkResult, vkBeginCommandBuffer, VkCommandBuffer buffer, const VkCommandBufferBeginInfo*);
  HAND(void, vkCmdFillBuffer, VkCommandBuffer commands, VkBuffer buffer, VkDeviceSize offset,
       VkDeviceSize size, uint32_t value);
  HAND(void, vkCmdUpdateBuffer, VkCommandBuffer commands, VkBuffer buffer, VkDeviceSize offset,
       VkDeviceSize size, const void* data);
  HAND(void, vkCmdCopyBuffer, VkCommandBuffer commands, VkBuffer from, VkBuffer to, uint32_t count,
       const VkBufferCopy* regions);
  HAND(VkResult, vkCreateFence, VkDevice device, const VkFenceCreateInfo* info,
       const VkAllocationCallbacks*, VkFence* fence);
  HAND(VkResult, vkResetFences, VkDevice, uint32_t count, const VkFence* fences);
  HAND(VkResult, vkGetFenceStatus, VkDevice, VkFence fence);
  HAND(VkResult, vkWaitForFences, VkDevice, uint32_t count, const VkFence* fences, VkBool32 all,
       uint64_t timeout);
  HAND(VkResult, vkCreateSemaphore, VkDevice device, const VkSemaphoreCreateInfo* info,
       const VkAllocationCallbacks*, VkSemaphore* semaphore);
  HAND(VkResult, vkGetSemaphoreCounterValue, VkDevice, VkSemaphore semaphore, uint64_t* value);
  HAND(VkResult, vkSignalSemaphore, VkDevice, const VkSemaphoreSignalInfo* info);
  HAND(VkResult, vkQueueSubmit, VkQueue, uint32_t count, const VkSubmitInfo* submits,
       VkFence fence);
  HAND(VkResult, vkQueueSubmit2, VkQueue, uint32_t count, const VkSubmitInfo2* submits,
       VkFence fence);
  HAND(VkResult, vkQueueWaitIdle, VkQueue);
  HAND(VkResult, vkDeviceWaitIdle, VkDevice);
#undef HAND
};

}  // namespace pvgpu::fake_driver
