// The host's side of a guest's instance, devices, queues and device memory. Owned by the context (lists
// in ContextImpl), referenced from object slots; they live until the context ends, so that a stale
// pointer from a racing guest stays a pointer to the right kind of thing.
#pragma once

#include <vulkan/vulkan_core.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "host/memory.h"
#include "host/pool_allocator.h"
#include "host/profile.h"
#include "protocol/dispatch.h"
#include "venus/handle_set.h"
#include "venus/object_table.h"

namespace pvgpu::venus {

struct Instance {
  VkInstance handle = VK_NULL_HANDLE;
  uint32_t api_version = 0;
  protocol::InstanceDispatch vk;
};

struct PhysicalDevice {
  VkPhysicalDevice handle = VK_NULL_HANDLE;
  const host::DriverProfile* profile = nullptr;
  uint64_t id = 0;  // the guest's; 0 until vkEnumeratePhysicalDevices assigns it
};

// A VkQueue. Vulkan wants its use serialized; the guest's rings, fences of the transport and our own
// submissions meet here.
struct Queue {
  Device* device = nullptr;
  VkQueue handle = VK_NULL_HANDLE;
  uint32_t family = 0;
  uint32_t ring_idx = 0;  // the timeline that the guest bound; 0: none
  std::mutex mutex;
};

struct Device {
  VkDevice handle = VK_NULL_HANDLE;
  PhysicalDevice* physical = nullptr;
  const host::DriverProfile* profile = nullptr;
  protocol::DeviceDispatch vk;
  host::MemoryFunctions memory_functions;
  uint64_t id = 0;  // the guest's; 0 once it is destroyed
  uint32_t number = 0;  // counts the context's devices from 1

  std::mutex queues_mutex;  // guards the list; queues themselves stay until the context ends
  std::deque<Queue> queues;

  // Semaphores whose payload is "already signalled" for the next wait (vkImportSemaphoreResourceMESA).
  HandleSet<VkSemaphore> signalled;
  // Images that the guest created PREINITIALIZED and the driver UNDEFINED; see commands/image_buffer.cc.
  HandleSet<VkImage> preinitialized;

  // Images of linear tiling, where others cannot be bound to imported memory (DriverProfile::split_memory_types).
  HandleSet<VkImage> linear_images;

  // Images and buffers that the guest wants to export (DMA_BUF): only memory that it can be given will do.
  HandleSet<VkImage> exported_images;
  HandleSet<VkBuffer> exported_buffers;
  // Those of exported_images whose bytes others really see: all but those below.
  HandleSet<VkImage> shared_images;
  // Of exported images that cannot be exported really: the layout that the guest is told.
  std::mutex stand_ins_mutex;
  std::unordered_map<VkImage, VkSubresourceLayout> stand_ins;

  // Lists of pooled objects change under this lock, and the list below; see commands/pools.cc.
  std::mutex pools_mutex;
  // What command pools' `state` points to, of drivers that gain by it; and some that pools have left behind for the next ones.
  std::unordered_map<const host::PoolAllocator*, std::unique_ptr<host::PoolAllocator>> pool_allocators;
  std::vector<std::unique_ptr<host::PoolAllocator>> spare_pool_allocators;

  Queue* find_queue(VkQueue queue) {
    std::lock_guard lock(queues_mutex);
    for (Queue& q : queues)
      if (q.handle == queue) return &q;
    return nullptr;
  }
};

// The pool that a command buffer or descriptor set was allocated from.
inline const Object* pool_of(const Object& member) {
  std::lock_guard lock(member.device->pools_mutex);
  return member.pool;
}

// A guest's VkDeviceMemory; freed with it. Changed and exported under ContextImpl::memories_mutex.
struct Memory {
  Memory(Device& d, host::SharedAllocation a, bool is_cached)
      : device(d), allocation(std::move(a)), cached(is_cached) {}
  ~Memory() { host::free_memory(device.memory_functions, device.handle, allocation); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  Device& device;
  host::SharedAllocation allocation;
  const bool cached;  // by the processor: how a guest's kernel should map it
};

}  // namespace pvgpu::venus
