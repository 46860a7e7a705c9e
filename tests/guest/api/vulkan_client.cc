#include "vulkan_client.h"

#include <cstdio>
#include <cstdlib>
#include <vector>

namespace client {

void fail(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::exit(1);
}

void check(VkResult result, const char* call) {
  if (result == VK_SUCCESS) return;
  std::fprintf(stderr, "%s: VkResult %d\n", call, result);
  std::exit(1);
}

Device open(const char* program) {
  const VkApplicationInfo application{.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                      .pApplicationName = program,
                                      .apiVersion = VK_API_VERSION_1_2};
  const VkInstanceCreateInfo instance_info{.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                           .pApplicationInfo = &application};
  VkInstance instance;
  check(vkCreateInstance(&instance_info, nullptr, &instance), "vkCreateInstance");

  uint32_t count = 1;
  VkPhysicalDevice physical;
  const VkResult listed = vkEnumeratePhysicalDevices(instance, &count, &physical);
  if (listed < 0 || count == 0) fail("vkEnumeratePhysicalDevices: no device");

  uint32_t family_count = 0;
  vkGetPhysicalDeviceQueueFamilyProperties(physical, &family_count, nullptr);
  std::vector<VkQueueFamilyProperties> families(family_count);
  vkGetPhysicalDeviceQueueFamilyProperties(physical, &family_count, families.data());
  uint32_t family = 0;
  while (family < family_count && !(families[family].queueFlags & VK_QUEUE_COMPUTE_BIT)) ++family;
  if (family == family_count) fail("no queue family computes");

  const VkPhysicalDeviceVulkan12Features features{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES, .timelineSemaphore = VK_TRUE};
  return make_device(instance, physical, family, &features);
}

void close(Device& device) {
  const VkInstance instance = device.instance;
  destroy(device);
  vkDestroyInstance(instance, nullptr);
}

Device make_device(VkInstance instance, VkPhysicalDevice physical, uint32_t family,
                   const void* next, std::span<const char* const> extensions) {
  Device result{.instance = instance, .physical = physical};
  vkGetPhysicalDeviceMemoryProperties(physical, &result.memory);
  const float priority = 1;
  const VkDeviceQueueCreateInfo queue{.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                      .queueFamilyIndex = family,
                                      .queueCount = 1,
                                      .pQueuePriorities = &priority};
  const VkDeviceCreateInfo info{.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                .pNext = next,
                                .queueCreateInfoCount = 1,
                                .pQueueCreateInfos = &queue,
                                .enabledExtensionCount = uint32_t(extensions.size()),
                                .ppEnabledExtensionNames = extensions.data()};
  check(vkCreateDevice(physical, &info, nullptr, &result.device), "vkCreateDevice");
  vkGetDeviceQueue(result.device, family, 0, &result.queue);
  const VkCommandPoolCreateInfo pool{.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                     .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
                                     .queueFamilyIndex = family};
  check(vkCreateCommandPool(result.device, &pool, nullptr, &result.commands),
        "vkCreateCommandPool");
  return result;
}

void destroy(Device& device) {
  vkDestroyCommandPool(device.device, device.commands, nullptr);
  vkDestroyDevice(device.device, nullptr);
  device = {};
}

uint32_t memory_type(const Device& device, uint32_t allowed, VkMemoryPropertyFlags properties) {
  for (uint32_t i = 0; i < device.memory.memoryTypeCount; ++i) {
    const bool fits = (device.memory.memoryTypes[i].propertyFlags & properties) == properties;
    if (fits && (allowed & (1u << i))) return i;
  }
  fail("no memory type fits");
}

Buffer make_buffer(const Device& device, VkDeviceSize size, VkBufferUsageFlags usage) {
  Buffer result;
  result.size = size;
  const VkBufferCreateInfo info{
      .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .size = size, .usage = usage};
  check(vkCreateBuffer(device.device, &info, nullptr, &result.buffer), "vkCreateBuffer");
  VkMemoryRequirements requirements;
  vkGetBufferMemoryRequirements(device.device, result.buffer, &requirements);
  const VkMemoryAllocateInfo allocation{
      .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
      .allocationSize = requirements.size,
      .memoryTypeIndex =
          memory_type(device, requirements.memoryTypeBits,
                      VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT)};
  check(vkAllocateMemory(device.device, &allocation, nullptr, &result.memory), "vkAllocateMemory");
  check(vkBindBufferMemory(device.device, result.buffer, result.memory, 0), "vkBindBufferMemory");
  check(vkMapMemory(device.device, result.memory, 0, VK_WHOLE_SIZE, 0, &result.mapped),
        "vkMapMemory");
  return result;
}

void destroy(const Device& device, Buffer& buffer) {
  vkDestroyBuffer(device.device, buffer.buffer, nullptr);
  vkFreeMemory(device.device, buffer.memory, nullptr);
  buffer = {};
}

namespace {

VkCommandBuffer record_once(const Device& device,
                            const std::function<void(VkCommandBuffer)>& record) {
  const VkCommandBufferAllocateInfo allocation{
      .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
      .commandPool = device.commands,
      .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
      .commandBufferCount = 1};
  VkCommandBuffer commands;
  check(vkAllocateCommandBuffers(device.device, &allocation, &commands),
        "vkAllocateCommandBuffers");
  const VkCommandBufferBeginInfo begin{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                       .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
  check(vkBeginCommandBuffer(commands, &begin), "vkBeginCommandBuffer");
  record(commands);
  full_barrier(commands);
  check(vkEndCommandBuffer(commands), "vkEndCommandBuffer");
  return commands;
}

}  // namespace

void run(const Device& device, const std::function<void(VkCommandBuffer)>& record) {
  VkCommandBuffer commands = record_once(device, record);
  const VkFenceCreateInfo fence_info{.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
  VkFence fence;
  check(vkCreateFence(device.device, &fence_info, nullptr, &fence), "vkCreateFence");
  const VkSubmitInfo submit{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                            .commandBufferCount = 1,
                            .pCommandBuffers = &commands};
  check(vkQueueSubmit(device.queue, 1, &submit, fence), "vkQueueSubmit");
  check(vkWaitForFences(device.device, 1, &fence, VK_TRUE, UINT64_MAX), "vkWaitForFences");
  vkDestroyFence(device.device, fence, nullptr);
  vkFreeCommandBuffers(device.device, device.commands, 1, &commands);
}

Timeline::Timeline(const Device& device) : device_(device) {
  const VkSemaphoreTypeCreateInfo type{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                       .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE};
  const VkSemaphoreCreateInfo info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
                                   .pNext = &type};
  check(vkCreateSemaphore(device.device, &info, nullptr, &semaphore_), "vkCreateSemaphore");
}

void Timeline::run(const std::function<void(VkCommandBuffer)>& record) {
  VkCommandBuffer commands = record_once(device_, record);
  ++value_;
  const VkTimelineSemaphoreSubmitInfo values{
      .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
      .signalSemaphoreValueCount = 1,
      .pSignalSemaphoreValues = &value_};
  const VkSubmitInfo submit{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                            .pNext = &values,
                            .commandBufferCount = 1,
                            .pCommandBuffers = &commands,
                            .signalSemaphoreCount = 1,
                            .pSignalSemaphores = &semaphore_};
  check(vkQueueSubmit(device_.queue, 1, &submit, VK_NULL_HANDLE), "vkQueueSubmit");
  const VkSemaphoreWaitInfo wait{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                 .semaphoreCount = 1,
                                 .pSemaphores = &semaphore_,
                                 .pValues = &value_};
  check(vkWaitSemaphores(device_.device, &wait, UINT64_MAX), "vkWaitSemaphores");
  vkFreeCommandBuffers(device_.device, device_.commands, 1, &commands);
}

void Timeline::destroy() {
  vkDestroySemaphore(device_.device, semaphore_, nullptr);
}

void full_barrier(VkCommandBuffer commands) {
  const VkMemoryBarrier barrier{.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                                .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
                                .dstAccessMask = VK_ACCESS_MEMORY_READ_BIT |
                                                 VK_ACCESS_MEMORY_WRITE_BIT |
                                                 VK_ACCESS_HOST_READ_BIT};
  vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                       VK_PIPELINE_STAGE_ALL_COMMANDS_BIT | VK_PIPELINE_STAGE_HOST_BIT, 0, 1,
                       &barrier, 0, nullptr, 0, nullptr);
}

void transition(VkCommandBuffer commands, VkImage image, const VkImageSubresourceRange& range,
                VkImageLayout from, VkImageLayout to) {
  const VkImageMemoryBarrier2 barrier{
      .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER_2,
      .srcStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
      .srcAccessMask = VK_ACCESS_2_MEMORY_WRITE_BIT,
      .dstStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
      .dstAccessMask = VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_MEMORY_WRITE_BIT,
      .oldLayout = from,
      .newLayout = to,
      .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
      .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
      .image = image,
      .subresourceRange = range};
  const VkDependencyInfo dependency{.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
                                    .imageMemoryBarrierCount = 1,
                                    .pImageMemoryBarriers = &barrier};
  vkCmdPipelineBarrier2(commands, &dependency);
}

}  // namespace client
