// The fake driver's pools, command buffers, queues and synchronization. The GPU is whoever submits,
// or whoever lets held work go.
#include <chrono>
#include <cstring>

#include "hand.h"
#include "state.h"

namespace pvgpu::fake_driver {
namespace {

// Everything that was allocated from a pool.
template <class P>
void erase_members(P pool) {
  std::erase_if(state().objects, [&](const auto& entry) {
    return entry.second.pool == std::bit_cast<uint64_t>(pool);
  });
}

template <class H>
void erase_all(uint32_t count, const H* handles, const char* function) {
  std::lock_guard lock(state().mutex);
  for (uint32_t i = 0; i < count; ++i)
    if (handles[i] && state().objects.erase(std::bit_cast<uint64_t>(handles[i])) == 0)
      state().wrong(std::string(function) + ": a handle that does not exist");
}

struct Work {
  std::vector<VkSemaphore> waits, signals;
  std::vector<uint64_t> values;  // per signal, for timelines
  std::vector<VkCommandBuffer> buffers;
};

// With the state locked.
void run(const std::vector<Work>& submission, VkFence fence) {
  for (const Work& work : submission) {
    for (VkSemaphore wait : work.waits) {
      const auto semaphore = state().get<Semaphore>(wait);
      if (!semaphore) state().wrong("vkQueueSubmit: waits for a semaphore that does not exist");
      if (!semaphore || semaphore->timeline) continue;
      if (!semaphore->signalled)
        state().wrong("vkQueueSubmit: waits for a semaphore that nothing signals");
      semaphore->signalled = false;
    }
    for (VkCommandBuffer buffer : work.buffers) {
      const auto commands = state().get<CommandBuffer>(buffer);
      if (!commands) {
        state().wrong("vkQueueSubmit: a command buffer that does not exist");
        continue;
      }
      for (auto& command : commands->commands) command();
    }
    for (size_t i = 0; i < work.signals.size(); ++i)
      if (const auto semaphore = state().get<Semaphore>(work.signals[i])) {
        semaphore->signalled = true;
        if (i < work.values.size()) semaphore->value = work.values[i];
      }
  }
  if (const auto done = state().get<Fence>(fence)) done->signalled = true;
  state().changed.notify_all();
}

VkResult submit(std::vector<Work> submission, VkFence fence) {
  std::lock_guard lock(state().mutex);
  if (state().hold) {
    state().held.push_back([submission = std::move(submission), fence] { run(submission, fence); });
  } else {
    run(submission, fence);
  }
  return VK_SUCCESS;
}

// Records a command that runs with the state locked.
void record(VkCommandBuffer buffer, std::function<void()> command) {
  std::lock_guard lock(state().mutex);
  if (const auto commands = state().get<CommandBuffer>(buffer))
    commands->commands.push_back(std::move(command));
}

// The bytes of a bound buffer, or nullptr after noting the misuse.
std::byte* bytes_of(VkBuffer handle, VkDeviceSize offset, VkDeviceSize size) {
  const auto buffer = state().get<Buffer>(handle);
  if (buffer && buffer->data() && offset <= buffer->size && size <= buffer->size - offset)
    return buffer->data() + offset;
  state().wrong("a transfer outside its buffer, or in one without memory");
  return nullptr;
}

VkResult wait_idle() {
  std::lock_guard lock(state().mutex);
  state().run_held();
  return VK_SUCCESS;
}

}  // namespace

VKAPI_ATTR VkResult VKAPI_CALL Hand::vkAllocateCommandBuffers(
    VkDevice device, const VkCommandBufferAllocateInfo* info, VkCommandBuffer* buffers) {
  std::lock_guard lock(state().mutex);
  if (!state().objects.contains(std::bit_cast<uint64_t>(info->commandPool)))
    state().wrong("vkAllocateCommandBuffers: no pool");
  for (uint32_t i = 0; i < info->commandBufferCount; ++i)
    buffers[i] = state().create<VkCommandBuffer>(std::bit_cast<uint64_t>(device),
                                                 std::make_shared<CommandBuffer>(),
                                                 std::bit_cast<uint64_t>(info->commandPool));
  return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL Hand::vkFreeCommandBuffers(VkDevice, VkCommandPool, uint32_t count,
                                                      const VkCommandBuffer* buffers) {
  erase_all(count, buffers, "vkFreeCommandBuffers");
}

VKAPI_ATTR void VKAPI_CALL Hand::vkDestroyCommandPool(VkDevice, VkCommandPool pool,
                                                      const VkAllocationCallbacks*) {
  std::lock_guard lock(state().mutex);
  if (!pool) return;
  erase_members(pool);
  state().erase(pool);
}

VKAPI_ATTR VkResult VKAPI_CALL Hand::vkAllocateDescriptorSets(
    VkDevice device, const VkDescriptorSetAllocateInfo* info, VkDescriptorSet* sets) {
  std::lock_guard lock(state().mutex);
  if (!state().objects.contains(std::bit_cast<uint64_t>(info->descriptorPool)))
    state().wrong("vkAllocateDescriptorSets: no pool");
  for (uint32_t i = 0; i < info->descriptorSetCount; ++i)
    sets[i] = state().create<VkDescriptorSet>(std::bit_cast<uint64_t>(device), nullptr,
                                              std::bit_cast<uint64_t>(info->descriptorPool));
  return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL Hand::vkFreeDescriptorSets(VkDevice, VkDescriptorPool,
                                                          uint32_t count,
                                                          const VkDescriptorSet* sets) {
  erase_all(count, sets, "vkFreeDescriptorSets");
  return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL Hand::vkResetDescriptorPool(VkDevice, VkDescriptorPool pool,
                                                           VkDescriptorPoolResetFlags) {
  std::lock_guard lock(state().mutex);
  if (!pool) state().wrong("vkResetDescriptorPool: VK_NULL_HANDLE");
  erase_members(pool);
  return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL Hand::vkDestroyDescriptorPool(VkDevice, VkDescriptorPool pool,
                                                         const VkAllocationCallbacks*) {
  std::lock_guard lock(state().mutex);
  if (!pool) return;
  erase_members(pool);
  state().erase(pool);
}

VKAPI_ATTR VkResult VKAPI_CALL Hand::vkBeginCommandBuffer(VkCommandBuffer buffer,
                                                          const VkCommandBufferBeginInfo*) {
  std::lock_guard lock(state().mutex);
  if (const auto commands = state().get<CommandBuffer>(buffer)) commands->commands.clear();
  return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL Hand::vkCmdFillBuffer(VkCommandBuffer commands, VkBuffer buffer,
                                                 VkDeviceSize offset, VkDeviceSize size,
                                                 uint32_t value) {
  record(commands, [=] {
    VkDeviceSize length = size;
    if (const auto whole = state().get<Buffer>(buffer); whole && size == VK_WHOLE_SIZE)
      length = (whole->size - offset) & ~VkDeviceSize{3};
    if (std::byte* to = bytes_of(buffer, offset, length))
      for (VkDeviceSize i = 0; i + 4 <= length; i += 4) std::memcpy(to + i, &value, 4);
  });
}

VKAPI_ATTR void VKAPI_CALL Hand::vkCmdUpdateBuffer(VkCommandBuffer commands, VkBuffer buffer,
                                                   VkDeviceSize offset, VkDeviceSize size,
                                                   const void* data) {
  std::vector<std::byte> bytes(static_cast<const std::byte*>(data),
                               static_cast<const std::byte*>(data) + size);
  record(commands, [=] {
    if (std::byte* to = bytes_of(buffer, offset, bytes.size()))
      std::memcpy(to, bytes.data(), bytes.size());
  });
}

VKAPI_ATTR void VKAPI_CALL Hand::vkCmdCopyBuffer(VkCommandBuffer commands, VkBuffer from,
                                                 VkBuffer to, uint32_t count,
                                                 const VkBufferCopy* regions) {
  for (uint32_t i = 0; i < count; ++i) {
    record(commands, [=, region = regions[i]] {
      const std::byte* source = bytes_of(from, region.srcOffset, region.size);
      std::byte* target = bytes_of(to, region.dstOffset, region.size);
      if (source && target) std::memmove(target, source, region.size);
    });
  }
}

VKAPI_ATTR VkResult VKAPI_CALL Hand::vkCreateFence(VkDevice device, const VkFenceCreateInfo* info,
                                                   const VkAllocationCallbacks*, VkFence* fence) {
  auto made = std::make_shared<Fence>();
  made->signalled = info->flags & VK_FENCE_CREATE_SIGNALED_BIT;
  std::lock_guard lock(state().mutex);
  *fence = state().create<VkFence>(std::bit_cast<uint64_t>(device), made);
  return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL Hand::vkResetFences(VkDevice, uint32_t count,
                                                   const VkFence* fences) {
  std::lock_guard lock(state().mutex);
  for (uint32_t i = 0; i < count; ++i)
    if (const auto fence = state().get<Fence>(fences[i])) fence->signalled = false;
  return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL Hand::vkGetFenceStatus(VkDevice, VkFence handle) {
  std::lock_guard lock(state().mutex);
  const auto fence = state().get<Fence>(handle);
  return fence && fence->signalled ? VK_SUCCESS : VK_NOT_READY;
}

VKAPI_ATTR VkResult VKAPI_CALL Hand::vkWaitForFences(VkDevice, uint32_t count,
                                                     const VkFence* fences, VkBool32 all,
                                                     uint64_t timeout) {
  std::unique_lock lock(state().mutex);
  std::vector<std::shared_ptr<Fence>> waited;
  for (uint32_t i = 0; i < count; ++i) waited.push_back(state().get<Fence>(fences[i]));
  const auto done = [&] {
    size_t signalled = 0;
    for (const auto& fence : waited) signalled += !fence || fence->signalled;
    return all ? signalled == waited.size() : signalled > 0;
  };
  if (timeout == ~uint64_t{0}) {
    state().changed.wait(lock, done);
    return VK_SUCCESS;
  }
  return state().changed.wait_for(lock, std::chrono::nanoseconds(timeout), done) ? VK_SUCCESS
                                                                                 : VK_TIMEOUT;
}

VKAPI_ATTR VkResult VKAPI_CALL Hand::vkCreateSemaphore(VkDevice device,
                                                       const VkSemaphoreCreateInfo* info,
                                                       const VkAllocationCallbacks*,
                                                       VkSemaphore* semaphore) {
  auto made = std::make_shared<Semaphore>();
  for (auto* link = static_cast<const VkBaseInStructure*>(info->pNext); link; link = link->pNext) {
    if (link->sType != VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO) continue;
    const auto* type = reinterpret_cast<const VkSemaphoreTypeCreateInfo*>(link);
    made->timeline = type->semaphoreType == VK_SEMAPHORE_TYPE_TIMELINE;
    made->value = type->initialValue;
  }
  std::lock_guard lock(state().mutex);
  *semaphore = state().create<VkSemaphore>(std::bit_cast<uint64_t>(device), made);
  return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL Hand::vkGetSemaphoreCounterValue(VkDevice, VkSemaphore handle,
                                                                uint64_t* value) {
  std::lock_guard lock(state().mutex);
  const auto semaphore = state().get<Semaphore>(handle);
  *value = semaphore ? semaphore->value : 0;
  return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL Hand::vkSignalSemaphore(VkDevice,
                                                       const VkSemaphoreSignalInfo* info) {
  std::lock_guard lock(state().mutex);
  if (const auto semaphore = state().get<Semaphore>(info->semaphore))
    semaphore->value = info->value;
  state().changed.notify_all();
  return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL Hand::vkQueueSubmit(VkQueue, uint32_t count,
                                                   const VkSubmitInfo* submits, VkFence fence) {
  std::vector<Work> submission(count);
  for (uint32_t i = 0; i < count; ++i) {
    submission[i].waits.assign(submits[i].pWaitSemaphores,
                               submits[i].pWaitSemaphores + submits[i].waitSemaphoreCount);
    submission[i].buffers.assign(submits[i].pCommandBuffers,
                                 submits[i].pCommandBuffers + submits[i].commandBufferCount);
    submission[i].signals.assign(submits[i].pSignalSemaphores,
                                 submits[i].pSignalSemaphores + submits[i].signalSemaphoreCount);
    for (auto* link = static_cast<const VkBaseInStructure*>(submits[i].pNext); link;
         link = link->pNext) {
      if (link->sType != VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO) continue;
      const auto* timeline = reinterpret_cast<const VkTimelineSemaphoreSubmitInfo*>(link);
      if (timeline->pSignalSemaphoreValues)
        submission[i].values.assign(
            timeline->pSignalSemaphoreValues,
            timeline->pSignalSemaphoreValues + timeline->signalSemaphoreValueCount);
    }
  }
  return submit(std::move(submission), fence);
}

VKAPI_ATTR VkResult VKAPI_CALL Hand::vkQueueSubmit2(VkQueue, uint32_t count,
                                                    const VkSubmitInfo2* submits, VkFence fence) {
  std::vector<Work> submission(count);
  for (uint32_t i = 0; i < count; ++i) {
    for (uint32_t n = 0; n < submits[i].waitSemaphoreInfoCount; ++n)
      submission[i].waits.push_back(submits[i].pWaitSemaphoreInfos[n].semaphore);
    for (uint32_t n = 0; n < submits[i].commandBufferInfoCount; ++n)
      submission[i].buffers.push_back(submits[i].pCommandBufferInfos[n].commandBuffer);
    for (uint32_t n = 0; n < submits[i].signalSemaphoreInfoCount; ++n) {
      submission[i].signals.push_back(submits[i].pSignalSemaphoreInfos[n].semaphore);
      submission[i].values.push_back(submits[i].pSignalSemaphoreInfos[n].value);
    }
  }
  return submit(std::move(submission), fence);
}

VKAPI_ATTR VkResult VKAPI_CALL Hand::vkQueueWaitIdle(VkQueue) {
  return wait_idle();
}
VKAPI_ATTR VkResult VKAPI_CALL Hand::vkDeviceWaitIdle(VkDevice) {
  return wait_idle();
}

}  // namespace pvgpu::fake_driver
