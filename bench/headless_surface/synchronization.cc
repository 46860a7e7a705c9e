// Waiting for semaphores and fences that acquiring an image has signalled (signalled.h).
#include <vulkan/vulkan_core.h>

#include <vector>

#include "dispatch.h"

namespace headless_surface {
namespace {

// -- semaphores --

struct Waits {
  std::vector<VkSemaphore> semaphores;
  std::vector<VkPipelineStageFlags> stages;
};
Waits remaining(Device& device, const VkSubmitInfo& submit) {
  Waits waits;
  for (uint32_t i = 0; i < submit.waitSemaphoreCount; i++) {
    if (device.semaphores.take(submit.pWaitSemaphores[i])) continue;
    waits.semaphores.push_back(submit.pWaitSemaphores[i]);
    waits.stages.push_back(submit.pWaitDstStageMask[i]);
  }
  return waits;
}

// Tells the driver after all, where waits cannot be left out. Only from functions to which the program has given the queue for as long
// as they take, so nobody else uses it.
VkResult signal_really(Device& device, VkQueue queue, uint32_t count, const VkSemaphore* waits) {
  std::vector<VkSemaphore> signalled;
  for (uint32_t i = 0; i < count; i++)
    if (device.semaphores.take(waits[i])) signalled.push_back(waits[i]);
  if (signalled.empty()) return VK_SUCCESS;
  const VkSubmitInfo submit{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                            .signalSemaphoreCount = static_cast<uint32_t>(signalled.size()),
                            .pSignalSemaphores = signalled.data()};
  return device.submit(queue, 1, &submit, VK_NULL_HANDLE);
}

VKAPI_ATTR VkResult VKAPI_CALL QueueSubmit(VkQueue queue, uint32_t count, const VkSubmitInfo* infos, VkFence fence) {
  Device& device = devices.of(queue);
  std::vector<VkSubmitInfo> submits(infos, infos + count);
  std::vector<Waits> waits(count);
  for (uint32_t i = 0; i < count; i++) {
    VkSubmitInfo& submit = submits[i];
    if (submit.pNext) {
      // Structures in a chain may say something of each semaphore.
      if (const VkResult result = signal_really(device, queue, submit.waitSemaphoreCount, submit.pWaitSemaphores); result != VK_SUCCESS) return result;
      continue;
    }
    waits[i] = remaining(device, submit);
    submit.waitSemaphoreCount = static_cast<uint32_t>(waits[i].semaphores.size());
    submit.pWaitSemaphores = waits[i].semaphores.data();
    submit.pWaitDstStageMask = waits[i].stages.data();
  }
  return device.submit(queue, count, submits.data(), fence);
}

VKAPI_ATTR VkResult VKAPI_CALL QueueSubmit2(VkQueue queue, uint32_t count, const VkSubmitInfo2* infos, VkFence fence) {
  Device& device = devices.of(queue);
  std::vector<VkSubmitInfo2> submits(infos, infos + count);
  std::vector<std::vector<VkSemaphoreSubmitInfo>> waits(count);
  for (uint32_t i = 0; i < count; i++) {
    VkSubmitInfo2& submit = submits[i];
    for (uint32_t j = 0; j < submit.waitSemaphoreInfoCount; j++)
      if (!device.semaphores.take(submit.pWaitSemaphoreInfos[j].semaphore)) waits[i].push_back(submit.pWaitSemaphoreInfos[j]);
    submit.waitSemaphoreInfoCount = static_cast<uint32_t>(waits[i].size());
    submit.pWaitSemaphoreInfos = waits[i].data();
  }
  return device.submit2(queue, count, submits.data(), fence);
}

VKAPI_ATTR VkResult VKAPI_CALL QueueBindSparse(VkQueue queue, uint32_t count, const VkBindSparseInfo* infos, VkFence fence) {
  Device& device = devices.of(queue);
  for (uint32_t i = 0; i < count; i++)
    if (const VkResult result = signal_really(device, queue, infos[i].waitSemaphoreCount, infos[i].pWaitSemaphores); result != VK_SUCCESS) return result;
  return device.next<PFN_vkQueueBindSparse>("vkQueueBindSparse")(queue, count, infos, fence);
}

VKAPI_ATTR void VKAPI_CALL DestroySemaphore(VkDevice handle, VkSemaphore semaphore, const VkAllocationCallbacks* allocator) {
  Device& device = devices.of(handle);
  // First, since the next semaphore may have the same handle; the same of fences.
  device.semaphores.take(semaphore);
  device.next<PFN_vkDestroySemaphore>("vkDestroySemaphore")(handle, semaphore, allocator);
}

// -- fences --

VKAPI_ATTR VkResult VKAPI_CALL WaitForFences(VkDevice handle, uint32_t count, const VkFence* fences, VkBool32 all, uint64_t timeout) {
  Device& device = devices.of(handle);
  std::vector<VkFence> others;
  for (uint32_t i = 0; i < count; i++)
    if (!device.fences.has(fences[i])) others.push_back(fences[i]);
  if (others.empty() || (!all && others.size() < count)) return VK_SUCCESS;
  return device.wait_for_fences(handle, static_cast<uint32_t>(others.size()), others.data(), all, timeout);
}
VKAPI_ATTR VkResult VKAPI_CALL GetFenceStatus(VkDevice handle, VkFence fence) {
  Device& device = devices.of(handle);
  return device.fences.has(fence) ? VK_SUCCESS : device.fence_status(handle, fence);
}
VKAPI_ATTR VkResult VKAPI_CALL ResetFences(VkDevice handle, uint32_t count, const VkFence* fences) {
  Device& device = devices.of(handle);
  for (uint32_t i = 0; i < count; i++) device.fences.take(fences[i]);
  return device.reset_fences(handle, count, fences);
}
VKAPI_ATTR void VKAPI_CALL DestroyFence(VkDevice handle, VkFence fence, const VkAllocationCallbacks* allocator) {
  Device& device = devices.of(handle);
  device.fences.take(fence);
  device.next<PFN_vkDestroyFence>("vkDestroyFence")(handle, fence, allocator);
}

const vulkan_layer::Entry kEntries[] = {
    VULKAN_LAYER_ENTRY(QueueSubmit, QueueSubmit),
    VULKAN_LAYER_ENTRY(QueueSubmit2, QueueSubmit2),
    VULKAN_LAYER_ENTRY(QueueSubmit2KHR, QueueSubmit2),
    VULKAN_LAYER_ENTRY(QueueBindSparse, QueueBindSparse),
    VULKAN_LAYER_ENTRY(DestroySemaphore, DestroySemaphore),
    VULKAN_LAYER_ENTRY(WaitForFences, WaitForFences),
    VULKAN_LAYER_ENTRY(GetFenceStatus, GetFenceStatus),
    VULKAN_LAYER_ENTRY(ResetFences, ResetFences),
    VULKAN_LAYER_ENTRY(DestroyFence, DestroyFence),
};

}  // namespace

PFN_vkVoidFunction synchronization_function(const char* name) { return look_up(kEntries, name); }

}  // namespace headless_surface
