#include "bench/client/frames.h"

namespace pvgpu::bench::client {

Frames::Frames(const Gpu& gpu, size_t in_flight, std::mutex* queue_lock)
    : gpu_(gpu), queue_lock_(queue_lock), frames_(in_flight) {
  for (Frame& frame : frames_) {
    frame.pool = CommandPool(
        gpu, VkCommandPoolCreateInfo{.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                     .queueFamilyIndex = gpu.queue_family});
    frame.fence = Fence(gpu, VkFenceCreateInfo{.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO});
    const VkCommandBufferAllocateInfo info{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                           .commandPool = frame.pool,
                                           .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                           .commandBufferCount = 1};
    check(gpu.vk.AllocateCommandBuffers(gpu.device, &info, &frame.commands),
          "vkAllocateCommandBuffers");
  }
}

void Frames::wait(Frame& frame) {
  if (!frame.submitted) return;
  check(gpu_.vk.WaitForFences(gpu_.device, 1, frame.fence.address(), VK_TRUE, UINT64_MAX),
        "vkWaitForFences");
  check(gpu_.vk.ResetFences(gpu_.device, 1, frame.fence.address()), "vkResetFences");
  frame.submitted = false;
}

VkCommandBuffer Frames::begin() {
  Frame& frame = frames_[current_];
  wait(frame);
  check(gpu_.vk.ResetCommandPool(gpu_.device, frame.pool, 0), "vkResetCommandPool");
  const VkCommandBufferBeginInfo info{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                      .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
  check(gpu_.vk.BeginCommandBuffer(frame.commands, &info), "vkBeginCommandBuffer");
  return frame.commands;
}

void Frames::submit(const SubmitSemaphores& semaphores) {
  Frame& frame = frames_[current_];
  check(gpu_.vk.EndCommandBuffer(frame.commands), "vkEndCommandBuffer");
  const VkSubmitInfo info{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                          .waitSemaphoreCount = semaphores.wait ? 1u : 0u,
                          .pWaitSemaphores = &semaphores.wait,
                          .pWaitDstStageMask = &semaphores.wait_stage,
                          .commandBufferCount = 1,
                          .pCommandBuffers = &frame.commands,
                          .signalSemaphoreCount = semaphores.signal ? 1u : 0u,
                          .pSignalSemaphores = &semaphores.signal};
  auto lock = queue_lock_ ? std::unique_lock(*queue_lock_) : std::unique_lock<std::mutex>();
  check(gpu_.vk.QueueSubmit(gpu_.queue, 1, &info, frame.fence), "vkQueueSubmit");
  frame.submitted = true;
  current_ = (current_ + 1) % frames_.size();
}

void Frames::finish() {
  for (Frame& frame : frames_) wait(frame);
}

}  // namespace pvgpu::bench::client
