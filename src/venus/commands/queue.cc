// Submission and synchronization. A semaphore that the guest imported from "already signalled" has no
// payload at the driver: the next wait on it is dropped (protocol reference, 8.4).
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <thread>
#include <vector>

#include "host/emulation/sync_fd.h"
#include "host/pnext.h"
#include "protocol/handlers.h"
#include "venus/call.h"
#include "venus/context_impl.h"
#include "venus/ring.h"

namespace pvgpu::venus {
namespace {

// Removes the elements of an array whose position is not in `kept`; it lies in the arena or in the
// stream's own copy of the bytes, so it may be written.
template <class T>
void compact(const T* array, uint32_t& count, const std::vector<uint32_t>& kept) {
  if (!array || count == 0) return;
  T* out = const_cast<T*>(array);
  uint32_t n = 0;
  for (uint32_t i : kept)
    if (i < count) out[n++] = array[i];
  count = n;
}

// For VkSubmitInfo and VkBindSparseInfo, whose waits are spread over parallel arrays.
template <class Info>
void drop_signalled_waits(Call& call, Info& info) {
  std::vector<uint32_t> kept;
  for (uint32_t i = 0; i < info.waitSemaphoreCount; ++i)
    if (!call.device().signalled.erase(info.pWaitSemaphores[i])) kept.push_back(i);
  if (kept.size() == info.waitSemaphoreCount) return;
  if (auto* values = host::find_struct<VkTimelineSemaphoreSubmitInfo>(
          info.pNext, VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO))
    compact(values->pWaitSemaphoreValues, values->waitSemaphoreValueCount, kept);
  if (auto* group = host::find_struct<VkDeviceGroupSubmitInfo>(info.pNext, VK_STRUCTURE_TYPE_DEVICE_GROUP_SUBMIT_INFO))
    group->waitSemaphoreCount = 0, group->pWaitSemaphoreDeviceIndices = nullptr;
  if constexpr (requires { info.pWaitDstStageMask; }) {
    uint32_t count = info.waitSemaphoreCount;
    compact(info.pWaitDstStageMask, count, kept);
  }
  compact(info.pWaitSemaphores, info.waitSemaphoreCount, kept);
}

constexpr uint64_t kWaitSlice = 500'000'000;  // ns

// A wait in slices, so that a context whose guest has gone does not hang on work that never ends.
template <class Wait>
VkResult wait_sliced(Call& call, uint64_t timeout, Wait wait) {
  for (;;) {
    const uint64_t slice = std::min(timeout, kWaitSlice);
    const VkResult result = wait(slice);
    if (result != VK_TIMEOUT || timeout == slice || call.context().stopping()) return result;
    if (timeout != ~uint64_t{0}) timeout -= slice;
  }
}

enum class Held { kUntilItArrived, kUntilMoreCame, kWhole };

// Asks until it has `arrived`, something else has come, or the answer has been held back from `start` for as long as it may be.
template <class Arrived>
Held hold_back(Ring& ring, HoldBack::Clock::time_point start, HoldBack::Clock::duration longest, Arrived arrived) {
  for (;;) {
    const bool more = ring.more_has_come();
    const auto held = HoldBack::Clock::now() - start;
    if (arrived()) return Held::kUntilItArrived;
    if (more) return Held::kUntilMoreCame;
    if (held >= longest) return Held::kWhole;
    if (ring.hold_back()->yields(held)) std::this_thread::yield();
  }
}

// Fences of submissions that lanes are still to make are not the driver's yet, and may not be used while they become it.
void wait_for_submissions(Call& call, const VkFence* fences, uint32_t count) {
  if (std::any_of(fences, fences + count, [&](VkFence fence) { return call.stream().lanes_hold(fence); }))
    call.stream().wait_for_lanes();
}

}  // namespace

void handle(Call& call, protocol::GetFenceStatusArgs& args) {
  const auto arrived = [&] {
    args.ret = VK_NOT_READY;
    if (!call.stream().lanes_hold(args.fence)) args.call(call.device().vk.vkGetFenceStatus);
    return args.ret != VK_NOT_READY;
  };
  Ring* ring = call.stream().ring();
  HoldBack* waiting = ring ? ring->hold_back() : nullptr;
  if (!waiting) {
    arrived();
    return;
  }
  const auto start = HoldBack::Clock::now();
  const auto longest = waiting->asked(std::bit_cast<uint64_t>(args.fence), start);
  const Held held = hold_back(*ring, start, longest, arrived);
  if (held == Held::kUntilItArrived) return waiting->arrived();
  waiting->not_yet(HoldBack::Clock::now(), held == Held::kWhole);
}

void handle(Call& call, protocol::ResetFencesArgs& args) {
  wait_for_submissions(call, args.pFences, args.fenceCount);
  args.call(call.device().vk.vkResetFences);
}

void handle(Call& call, protocol::GetSemaphoreCounterValueArgs& args) {
  const auto get = call.device().vk.vkGetSemaphoreCounterValue;
  if (!get) return call.poison(PoisonReason::kUnavailableCommand, "timeline semaphores are not enabled");
  args.call(get);
  const uint64_t first = *args.pValue;
  if (args.ret != VK_SUCCESS) return;
  // For a moment only: whoever asks again may want to know of an earlier value each time, and not wait.
  Ring* ring = call.stream().ring();
  if (!ring || !ring->hold_back()) return;
  hold_back(*ring, HoldBack::Clock::now(), HoldBack::kLeast, [&] {
    args.call(get);
    return args.ret != VK_SUCCESS || *args.pValue != first;
  });
}

void handle(Call& call, protocol::QueueSubmitArgs& args) {
  args.ret = VK_SUCCESS;
  if (call.postpone(args.fence)) return;
  if (!call.device().signalled.empty())
    for (uint32_t i = 0; i < args.submitCount; ++i) drop_signalled_waits(call, const_cast<VkSubmitInfo&>(args.pSubmits[i]));
  std::lock_guard lock(call.queue().mutex);
  args.call(call.device().vk.vkQueueSubmit);
}

void handle(Call& call, protocol::QueueSubmit2Args& args) {
  Device& device = call.device();
  if (!device.vk.vkQueueSubmit2) return call.poison(PoisonReason::kUnavailableCommand, "synchronization2 is not enabled");
  args.ret = VK_SUCCESS;
  if (call.postpone(args.fence)) return;
  if (!device.signalled.empty()) {
    for (uint32_t i = 0; i < args.submitCount; ++i) {
      auto& submit = const_cast<VkSubmitInfo2&>(args.pSubmits[i]);
      auto* waits = const_cast<VkSemaphoreSubmitInfo*>(submit.pWaitSemaphoreInfos);
      auto* end = std::remove_if(waits, waits + submit.waitSemaphoreInfoCount,
                                 [&](const auto& wait) { return device.signalled.erase(wait.semaphore); });
      submit.waitSemaphoreInfoCount = static_cast<uint32_t>(end - waits);
    }
  }
  std::lock_guard lock(call.queue().mutex);
  args.call(device.vk.vkQueueSubmit2);
}

void handle(Call& call, protocol::QueueBindSparseArgs& args) {
  if (!call.device().signalled.empty())
    for (uint32_t i = 0; i < args.bindInfoCount; ++i)
      drop_signalled_waits(call, const_cast<VkBindSparseInfo&>(args.pBindInfo[i]));
  std::lock_guard lock(call.queue().mutex);
  args.call(call.device().vk.vkQueueBindSparse);
}

void handle(Call& call, protocol::QueueWaitIdleArgs& args) {
  std::lock_guard lock(call.queue().mutex);
  args.call(call.device().vk.vkQueueWaitIdle);
}

void handle(Call& call, protocol::WaitForFencesArgs& args) {
  wait_for_submissions(call, args.pFences, args.fenceCount);
  args.ret = wait_sliced(call, args.timeout, [&](uint64_t slice) {
    return call.device().vk.vkWaitForFences(args.device, args.fenceCount, args.pFences, args.waitAll, slice);
  });
}

void handle(Call& call, protocol::WaitSemaphoresArgs& args) {
  const auto wait = call.device().vk.vkWaitSemaphores;
  if (!wait) return call.poison(PoisonReason::kUnavailableCommand, "timeline semaphores are not enabled");
  args.ret = wait_sliced(call, args.timeout,
                         [&](uint64_t slice) { return wait(args.device, args.pWaitInfo, slice); });
}

void handle(Call& call, protocol::CreateFenceArgs& args) {
  const VkFence id = *args.pFence;
  if (!call.check_new_id(std::bit_cast<uint64_t>(id))) return;
  host::sync_fd::rewrite(*call.device().profile, const_cast<VkFenceCreateInfo&>(*args.pCreateInfo));
  args.call(call.device().vk.vkCreateFence);
  *args.pFence = call.created(id, args.ret, *args.pFence);
}

void handle(Call& call, protocol::CreateSemaphoreArgs& args) {
  const VkSemaphore id = *args.pSemaphore;
  if (!call.check_new_id(std::bit_cast<uint64_t>(id))) return;
  host::sync_fd::rewrite(*call.device().profile, const_cast<VkSemaphoreCreateInfo&>(*args.pCreateInfo));
  args.call(call.device().vk.vkCreateSemaphore);
  *args.pSemaphore = call.created(id, args.ret, *args.pSemaphore);
}

void handle(Call& call, protocol::DestroySemaphoreArgs& args) {
  if (!args.semaphore) return;
  Object* object = call.find(args.semaphore);
  if (!object) return;
  const auto handle = std::bit_cast<VkSemaphore>(object->handle);
  call.context().objects().erase(object);
  call.device().signalled.erase(handle);
  call.device().vk.vkDestroySemaphore(call.device().handle, handle, nullptr);
}

void handle(Call& call, protocol::ImportSemaphoreResourceMESAArgs& args) {
  const VkImportSemaphoreResourceInfoMESA& info = *args.pImportSemaphoreResourceInfo;
  if (info.resourceId != 0)
    return call.poison(PoisonReason::kUnknownResource, fmt::format("resource {} is no semaphore payload", info.resourceId));
  call.device().signalled.insert(info.semaphore);
}

// The payload was exported: the signal is consumed.
void handle(Call& call, protocol::WaitSemaphoreResourceMESAArgs& args) {
  Device& device = call.device();
  if (device.signalled.erase(args.semaphore)) return;
  Queue* queue = nullptr;
  {
    std::lock_guard lock(device.queues_mutex);
    if (!device.queues.empty()) queue = &device.queues.front();
  }
  if (!queue) return call.poison(PoisonReason::kUnknownObject, "the device has no queue");
  const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
  VkSubmitInfo submit{VK_STRUCTURE_TYPE_SUBMIT_INFO};
  submit.waitSemaphoreCount = 1;
  submit.pWaitSemaphores = &args.semaphore;
  submit.pWaitDstStageMask = &stage;
  std::lock_guard lock(queue->mutex);
  const VkResult result = device.vk.vkQueueSubmit(queue->handle, 1, &submit, VK_NULL_HANDLE);
  if (result < 0) call.report_lost_result(result);
}

// The payload was exported: the fence is as after vkResetFences, once its work is complete.
void handle(Call& call, protocol::ResetFenceResourceMESAArgs& args) {
  Device& device = call.device();
  VkResult result = wait_sliced(call, ~uint64_t{0}, [&](uint64_t slice) {
    return device.vk.vkWaitForFences(args.device, 1, &args.fence, VK_TRUE, slice);
  });
  if (result == VK_SUCCESS) result = device.vk.vkResetFences(args.device, 1, &args.fence);
  if (result < 0) call.report_lost_result(result);
}

}  // namespace pvgpu::venus
