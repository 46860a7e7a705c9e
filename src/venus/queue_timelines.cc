#include "venus/queue_timelines.h"

#include <fmt/format.h>

#include "observe/log.h"
#include "platform/thread.h"

namespace pvgpu::venus {

QueueTimelines::~QueueTimelines() { stop(); }

bool QueueTimelines::bind(uint32_t ring_idx, Queue* queue) {
  if (ring_idx == 0 || ring_idx >= kCount) return false;
  Timeline& timeline = timelines_[ring_idx];
  std::lock_guard binding(binding_mutex_);
  std::lock_guard lock(timeline.mutex);
  if (timeline.queue) return false;
  timeline.queue = queue;
  return true;
}

std::expected<void, Poison> QueueTimelines::submit(uint32_t ring_idx, std::function<void()> done) {
  Timeline& timeline = timelines_[ring_idx];
  std::lock_guard lock(timeline.mutex);
  if (!timeline.queue)
    return std::unexpected(
        Poison{PoisonReason::kBadTimeline, fmt::format("fence on timeline {}, which no queue is bound to", ring_idx)});
  Device& device = *timeline.queue->device;
  VkFence fence = VK_NULL_HANDLE;
  if (!timeline.free_fences.empty()) {
    fence = timeline.free_fences.back();
    timeline.free_fences.pop_back();
  } else {
    const VkFenceCreateInfo info{VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, nullptr, 0};
    if (device.vk.vkCreateFence(device.handle, &info, nullptr, &fence) != VK_SUCCESS) fence = VK_NULL_HANDLE;
  }
  if (fence != VK_NULL_HANDLE) {
    std::lock_guard queue_lock(timeline.queue->mutex);
    const VkResult result = device.vk.vkQueueSubmit(timeline.queue->handle, 0, nullptr, fence);
    if (result != VK_SUCCESS) {  // a lost device completes everything
      timeline.free_fences.push_back(fence);
      fence = VK_NULL_HANDLE;
    }
  }
  timeline.pending.push_back({fence, &device, std::move(done)});
  if (!timeline.thread.joinable()) {
    timeline.stop = false;
    timeline.thread = std::thread([&timeline] { retire(timeline); });
  }
  timeline.wake.notify_one();
  return {};
}

void QueueTimelines::retire(Timeline& timeline) {
  platform::set_thread_name("pvgpu-fences");
  std::unique_lock lock(timeline.mutex);
  for (;;) {
    timeline.wake.wait(lock, [&] { return timeline.stop || !timeline.pending.empty(); });
    if (timeline.pending.empty()) return;
    Pending next = std::move(timeline.pending.front());
    timeline.pending.pop_front();
    Device& device = *next.device;
    lock.unlock();
    if (next.fence != VK_NULL_HANDLE) {
      device.vk.vkWaitForFences(device.handle, 1, &next.fence, VK_TRUE, ~uint64_t{0});
      device.vk.vkResetFences(device.handle, 1, &next.fence);
    }
    next.done();
    lock.lock();
    if (next.fence != VK_NULL_HANDLE) timeline.free_fences.push_back(next.fence);
  }
}

void QueueTimelines::halt(Timeline& timeline) {
  Device* device = nullptr;
  std::thread thread;
  {
    std::lock_guard lock(timeline.mutex);
    device = timeline.queue->device;
    timeline.queue = nullptr;  // from now on nothing is added
    timeline.stop = true;
    timeline.wake.notify_one();
    thread = std::move(timeline.thread);
  }
  if (thread.joinable()) thread.join();
  std::lock_guard lock(timeline.mutex);
  for (VkFence fence : timeline.free_fences) device->vk.vkDestroyFence(device->handle, fence, nullptr);
  timeline.free_fences.clear();
}

void QueueTimelines::unbind_device(Device& device) {
  std::lock_guard binding(binding_mutex_);
  for (Timeline& timeline : timelines_)
    if (timeline.queue && timeline.queue->device == &device) halt(timeline);
}

void QueueTimelines::stop() {
  std::lock_guard binding(binding_mutex_);
  for (Timeline& timeline : timelines_)
    if (timeline.queue) halt(timeline);
}

}  // namespace pvgpu::venus
