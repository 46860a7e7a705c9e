// Plain Vulkan for the programs of this folder, which guest tests run natively and through pvgpu.
// They know nothing of pvgpu: what they do, any application may do. Errors end the program with a
// line that names the call. One thread only.
#pragma once

#include <vulkan/vulkan.h>

#include <cstdint>
#include <functional>
#include <span>

namespace client {

[[noreturn]] void fail(const char* what);
// Ends the program unless `result` is VK_SUCCESS.
void check(VkResult result, const char* call);

// The first physical device, with one queue that computes. Destroyed by close().
struct Device {
  VkInstance instance = VK_NULL_HANDLE;
  VkPhysicalDevice physical = VK_NULL_HANDLE;
  VkDevice device = VK_NULL_HANDLE;
  VkQueue queue = VK_NULL_HANDLE;
  VkCommandPool commands = VK_NULL_HANDLE;
  VkPhysicalDeviceMemoryProperties memory{};
};
// Vulkan 1.2 with timeline semaphores.
Device open(const char* program);
void close(Device& device);

// A device of `physical` with the first queue of `family` and a command pool for it.
Device make_device(VkInstance instance, VkPhysicalDevice physical, uint32_t family,
                   const void* next = nullptr, std::span<const char* const> extensions = {});
// Leaves the instance.
void destroy(Device& device);

// A buffer with memory of its own, mapped for its whole life.
struct Buffer {
  VkBuffer buffer = VK_NULL_HANDLE;
  VkDeviceMemory memory = VK_NULL_HANDLE;
  VkDeviceSize size = 0;
  void* mapped = nullptr;

  std::span<uint32_t> words() const { return {static_cast<uint32_t*>(mapped), size / 4}; }
};
Buffer make_buffer(const Device& device, VkDeviceSize size, VkBufferUsageFlags usage);
void destroy(const Device& device, Buffer& buffer);

// The first memory type among `allowed` (a bit mask) that has all of `properties`.
uint32_t memory_type(const Device& device, uint32_t allowed, VkMemoryPropertyFlags properties);

// Records a command buffer, submits it, waits for it by a fence, frees it.
void run(const Device& device, const std::function<void(VkCommandBuffer)>& record);

// All earlier writes of the device are visible to all later work and to the host.
void full_barrier(VkCommandBuffer commands);

// Between everything before and everything after it. Vulkan 1.3 with synchronization2.
void transition(VkCommandBuffer commands, VkImage image, const VkImageSubresourceRange& range,
                VkImageLayout from, VkImageLayout to);

// As run(), but waits by one timeline semaphore whose value counts the submissions.
class Timeline {
 public:
  explicit Timeline(const Device& device);
  void run(const std::function<void(VkCommandBuffer)>& record);
  void destroy();

 private:
  const Device& device_;
  VkSemaphore semaphore_ = VK_NULL_HANDLE;
  uint64_t value_ = 0;
};

}  // namespace client
