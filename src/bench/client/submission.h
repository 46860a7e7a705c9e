// A command buffer that is submitted again and again. Used by one thread.
#pragma once

#include <cstdint>

#include "bench/client/resources.h"

namespace pvgpu::bench::client {

// `record` fills the command buffer once.
class Submission {
 public:
  template <class Record>
  Submission(const Gpu& gpu, Record record)
      : gpu_(gpu),
        pool_(gpu, VkCommandPoolCreateInfo{.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                           .queueFamilyIndex = gpu.queue_family}),
        fence_(gpu, VkFenceCreateInfo{.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO}) {
    const VkCommandBufferAllocateInfo info{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                           .commandPool = pool_,
                                           .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                           .commandBufferCount = 1};
    check(gpu.vk.AllocateCommandBuffers(gpu.device, &info, &commands_), "vkAllocateCommandBuffers");
    const VkCommandBufferBeginInfo begin{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    check(gpu.vk.BeginCommandBuffer(commands_, &begin), "vkBeginCommandBuffer");
    record(commands_);
    check(gpu.vk.EndCommandBuffer(commands_), "vkEndCommandBuffer");
  }

  void reset() { check(gpu_.vk.ResetFences(gpu_.device, 1, fence_.address()), "vkResetFences"); }

  void submit_and_wait() {
    const VkSubmitInfo info{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                            .commandBufferCount = 1,
                            .pCommandBuffers = &commands_};
    check(gpu_.vk.QueueSubmit(gpu_.queue, 1, &info, fence_), "vkQueueSubmit");
    check(gpu_.vk.WaitForFences(gpu_.device, 1, fence_.address(), VK_TRUE, UINT64_MAX),
          "vkWaitForFences");
  }

 private:
  const Gpu& gpu_;
  CommandPool pool_;
  Fence fence_;
  VkCommandBuffer commands_ = VK_NULL_HANDLE;
};

}  // namespace pvgpu::bench::client
