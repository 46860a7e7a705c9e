// Command buffers and descriptor sets: objects that live and die with a pool. A pool's object heads
// the list of its members (Object::next); the lists change under Device::pools_mutex.
#include <fmt/format.h>

#include "protocol/handlers.h"
#include "venus/call.h"
#include "venus/context_impl.h"
#include "venus/handles.h"

namespace pvgpu::venus {
namespace {

// Call::find for what the driver is about to see: an object that it failed to create is refused.
template <class H>
Object* find_live(Call& call, H id) {
  Object* object = call.find(id);
  if (!object || object->handle != 0) return object;
  call.poison(ContextHandles::explain(std::bit_cast<uint64_t>(id), object, object->type, protocol::HandleMeta<H>::kName));
  return nullptr;
}

void link(Object& pool, Object& member) {
  member.pool = &pool;
  member.previous = nullptr;
  member.next = pool.next;
  if (pool.next) pool.next->previous = &member;
  pool.next = &member;
}

void unlink(Object& member) {
  if (member.previous) {
    member.previous->next = member.next;
  } else if (member.pool) {
    member.pool->next = member.next;
  }
  if (member.next) member.next->previous = member.previous;
}

void forget_members(Call& call, Object& pool) {
  std::lock_guard lock(call.device().pools_mutex);
  while (Object* member = pool.next) {
    unlink(*member);
    call.context().objects().erase(member);
  }
}

// Puts the driver's new members into the table and their ids back into `handles`.
template <class H>
void add_members(Call& call, Object& pool, std::span<const H> ids, H* handles, VkResult result) {
  std::lock_guard lock(call.device().pools_mutex);
  for (size_t i = 0; i < ids.size(); ++i) {
    const H id = call.created(ids[i], result, result == VK_SUCCESS ? handles[i] : H{});
    if (call.poisoned()) return;
    if (Object* member = id || !call.wants_reply() ? call.context().objects().find(std::bit_cast<uint64_t>(ids[i])) : nullptr)
      link(pool, *member);
    handles[i] = id;
  }
}

// Takes the members out of the table and leaves the driver's handles in `handles`. False: poisoned.
template <class H>
bool take_members(Call& call, Object& pool, std::span<H> handles) {
  std::lock_guard lock(call.device().pools_mutex);
  for (H& handle : handles) {
    if (!handle) continue;
    Object* member = call.find(handle);
    if (!member) return false;
    if (member->pool != &pool) {
      call.poison(PoisonReason::kWrongObjectType, fmt::format("object {} belongs to another pool", std::bit_cast<uint64_t>(handle)));
      return false;
    }
    handle = std::bit_cast<H>(member->handle);
    unlink(*member);
    call.context().objects().erase(member);
  }
  return true;
}

template <class H>
bool check_new_ids(Call& call, std::span<const H> ids) {
  for (H id : ids)
    if (!call.check_new_id(std::bit_cast<uint64_t>(id))) return false;
  return true;
}

template <class H>
std::span<const H> copy_ids(Call& call, const H* ids, uint32_t count) {
  H* copy = call.stream().arena().make<H>(count);
  std::copy_n(ids, count, copy);
  return {copy, count};
}

constexpr size_t kMostSpareAllocators = 64;

// nullptr: the driver does as well without.
host::PoolAllocator* new_allocator(Device& device) {
  if (!host::records_by_allocating(*device.profile)) return nullptr;
  std::lock_guard lock(device.pools_mutex);
  auto& spares = device.spare_pool_allocators;
  auto allocator = spares.empty() ? std::make_unique<host::PoolAllocator>() : std::move(spares.back());
  if (!spares.empty()) spares.pop_back();
  host::PoolAllocator* key = allocator.get();
  device.pool_allocators.emplace(key, std::move(allocator));
  return key;
}

// Its pool is gone.
void forget_allocator(Device& device, host::PoolAllocator& allocator) {
  allocator.clear();
  std::lock_guard lock(device.pools_mutex);
  auto node = device.pool_allocators.extract(&allocator);
  if (node && device.spare_pool_allocators.size() < kMostSpareAllocators)
    device.spare_pool_allocators.push_back(std::move(node.mapped()));
}

}  // namespace

void handle(Call& call, protocol::CreateCommandPoolArgs& args) {
  const VkCommandPool id = *args.pCommandPool;
  if (!call.check_new_id(std::bit_cast<uint64_t>(id))) return;
  Device& device = call.device();
  host::PoolAllocator* allocator = new_allocator(device);
  if (allocator) args.pAllocator = allocator->callbacks();
  args.call(device.vk.vkCreateCommandPool);
  if (allocator && args.ret != VK_SUCCESS) {
    forget_allocator(device, *allocator);
    allocator = nullptr;
  }
  *args.pCommandPool = call.created(id, args.ret, *args.pCommandPool, allocator);
}

void handle(Call& call, protocol::AllocateCommandBuffersArgs& args) {
  auto& info = const_cast<VkCommandBufferAllocateInfo&>(*args.pAllocateInfo);  // the decoder's copy
  Object* pool = find_live(call, info.commandPool);
  if (!pool) return;
  const auto ids = copy_ids(call, args.pCommandBuffers, info.commandBufferCount);
  if (!check_new_ids(call, ids)) return;
  info.commandPool = std::bit_cast<VkCommandPool>(pool->handle);
  args.call(call.device().vk.vkAllocateCommandBuffers);
  add_members(call, *pool, ids, args.pCommandBuffers, args.ret);
}

void handle(Call& call, protocol::FreeCommandBuffersArgs& args) {
  Object* pool = call.find(args.commandPool);
  auto* handles = const_cast<VkCommandBuffer*>(args.pCommandBuffers);
  if (!pool || !take_members(call, *pool, std::span(handles, handles ? args.commandBufferCount : 0))) return;
  args.commandPool = std::bit_cast<VkCommandPool>(pool->handle);
  if (handles && pool->handle) args.call(call.device().vk.vkFreeCommandBuffers);
}

void handle(Call& call, protocol::DestroyCommandPoolArgs& args) {
  Object* pool = args.commandPool ? call.find(args.commandPool) : nullptr;
  if (!pool) return;
  forget_members(call, *pool);
  args.commandPool = std::bit_cast<VkCommandPool>(pool->handle);
  auto* allocator = static_cast<host::PoolAllocator*>(pool->state);
  if (allocator) args.pAllocator = allocator->callbacks();
  call.context().objects().erase(pool);
  args.call(call.device().vk.vkDestroyCommandPool);
  if (allocator) forget_allocator(call.device(), *allocator);
}

void handle(Call& call, protocol::AllocateDescriptorSetsArgs& args) {
  auto& info = const_cast<VkDescriptorSetAllocateInfo&>(*args.pAllocateInfo);  // the decoder's copy
  Object* pool = find_live(call, info.descriptorPool);
  if (!pool) return;
  auto* layouts = const_cast<VkDescriptorSetLayout*>(info.pSetLayouts);
  for (uint32_t i = 0; i < info.descriptorSetCount; ++i) {
    const Object* layout = find_live(call, layouts[i]);
    if (!layout) return;
    layouts[i] = std::bit_cast<VkDescriptorSetLayout>(layout->handle);
  }
  const auto ids = copy_ids(call, args.pDescriptorSets, info.descriptorSetCount);
  if (!check_new_ids(call, ids)) return;
  info.descriptorPool = std::bit_cast<VkDescriptorPool>(pool->handle);
  args.call(call.device().vk.vkAllocateDescriptorSets);
  add_members(call, *pool, ids, args.pDescriptorSets, args.ret);
}

void handle(Call& call, protocol::FreeDescriptorSetsArgs& args) {
  Object* pool = call.find(args.descriptorPool);
  auto* handles = const_cast<VkDescriptorSet*>(args.pDescriptorSets);
  if (!pool || !take_members(call, *pool, std::span(handles, handles ? args.descriptorSetCount : 0))) return;
  args.descriptorPool = std::bit_cast<VkDescriptorPool>(pool->handle);
  args.ret = VK_SUCCESS;
  if (handles && pool->handle) args.call(call.device().vk.vkFreeDescriptorSets);
}

void handle(Call& call, protocol::ResetDescriptorPoolArgs& args) {
  Object* pool = find_live(call, args.descriptorPool);
  if (!pool) return;
  forget_members(call, *pool);
  args.descriptorPool = std::bit_cast<VkDescriptorPool>(pool->handle);
  args.call(call.device().vk.vkResetDescriptorPool);
}

void handle(Call& call, protocol::DestroyDescriptorPoolArgs& args) {
  Object* pool = args.descriptorPool ? call.find(args.descriptorPool) : nullptr;
  if (!pool) return;
  forget_members(call, *pool);
  args.descriptorPool = std::bit_cast<VkDescriptorPool>(pool->handle);
  call.context().objects().erase(pool);
  args.call(call.device().vk.vkDestroyDescriptorPool);
}

}  // namespace pvgpu::venus
