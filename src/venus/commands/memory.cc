// vkAllocateMemory, vkFreeMemory: device memory that the guest can be given, see src/host/memory.h.
#include <fmt/format.h>

#include "host/memory.h"
#include "host/pnext.h"
#include "protocol/handlers.h"
#include "venus/call.h"
#include "venus/context_impl.h"

namespace pvgpu::venus {
namespace {

// The memory behind a resource: what another context made, what an own VkDeviceMemory has, or a blob's.
platform::UniqueFd file_of(ContextImpl& context, const Resource& resource) {
  if (resource.foreign.valid()) return resource.foreign.duplicate();
  if (resource.memory.valid()) return resource.memory.fd().duplicate();
  std::lock_guard lock(context.memories_mutex);
  const auto found = context.memories.find(resource.memory_object);
  if (found == context.memories.end()) return {};
  const Memory& memory = *found->second;
  auto fd = host::export_memory(memory.device.memory_functions, memory.device.handle, memory.allocation);
  return fd ? std::move(*fd) : platform::UniqueFd();
}

std::expected<host::SharedAllocation, VkResult> import(ContextImpl& context, Device& device, const Resource& resource,
                                                       VkMemoryAllocateInfo& info) {
  platform::UniqueFd fd = file_of(context, resource);
  if (!fd.valid()) return std::unexpected(VK_ERROR_INVALID_EXTERNAL_HANDLE);
  return host::import_memory(*device.profile, device.memory_functions, device.handle, info, std::move(fd));
}

}  // namespace

void handle(Call& call, protocol::AllocateMemoryArgs& args) {
  ContextImpl& context = call.context();
  Device& device = call.device();
  const auto id = std::bit_cast<uint64_t>(*args.pMemory);
  if (!call.check_new_id(id)) return;
  auto& info = const_cast<VkMemoryAllocateInfo&>(*args.pAllocateInfo);  // the decoder's copy
  if (info.memoryTypeIndex >= device.profile->memory.memoryTypeCount)
    return call.poison(PoisonReason::kBadRange, fmt::format("memory type {} of {}", info.memoryTypeIndex,
                                                            device.profile->memory.memoryTypeCount));
  const VkMemoryPropertyFlags properties = device.profile->memory.memoryTypes[info.memoryTypeIndex].propertyFlags;
  *args.pMemory = VK_NULL_HANDLE;
  const auto* imported =
      host::unlink_struct<VkImportMemoryResourceInfoMESA>(&info, VK_STRUCTURE_TYPE_IMPORT_MEMORY_RESOURCE_INFO_MESA);
  const auto resource = imported ? context.resources().find(imported->resourceId) : nullptr;
  if (imported && !resource)
    return call.poison(PoisonReason::kUnknownResource, fmt::format("resource {} does not exist", imported->resourceId));
  auto allocation = resource ? import(context, device, *resource, info)
                             : host::allocate_memory(*device.profile, device.memory_functions, device.handle, info);
  if (!allocation) {
    args.ret = allocation.error();
    call.register_object(id, VK_OBJECT_TYPE_DEVICE_MEMORY, args.ret, 0, nullptr);
    return;
  }
  args.ret = VK_SUCCESS;
  const auto handle = std::bit_cast<uint64_t>(allocation->memory);
  auto memory = std::make_unique<Memory>(device, std::move(*allocation),
                                         (properties & VK_MEMORY_PROPERTY_HOST_CACHED_BIT) != 0);
  {
    // First the bytes, then the object: a blob may be asked for as soon as the object is there.
    std::lock_guard lock(context.memories_mutex);
    context.memories.insert_or_assign(id, std::move(memory));
  }
  *args.pMemory = std::bit_cast<VkDeviceMemory>(
      call.register_object(id, VK_OBJECT_TYPE_DEVICE_MEMORY, args.ret, handle, nullptr));
}

void handle(Call& call, protocol::FreeMemoryArgs& args) {
  if (!args.memory) return;
  Object* object = call.find(args.memory);
  if (!object) return;
  ContextImpl& context = call.context();
  const uint64_t id = object->id.load(std::memory_order_relaxed);
  context.objects().erase(object);
  std::unique_ptr<Memory> memory;  // freed outside the lock
  std::lock_guard lock(context.memories_mutex);
  if (auto it = context.memories.find(id); it != context.memories.end()) {
    memory = std::move(it->second);
    context.memories.erase(it);
  }
}

void handle(Call& call, protocol::GetMemoryResourcePropertiesMESAArgs& args) {
  const auto resource = call.context().resources().find(args.resourceId);
  if (!resource)
    return call.poison(PoisonReason::kUnknownResource, fmt::format("resource {} does not exist", args.resourceId));
  if (!file_of(call.context(), *resource).valid()) {
    args.ret = VK_ERROR_INVALID_EXTERNAL_HANDLE;
    return;
  }
  VkMemoryResourcePropertiesMESA& properties = *args.pMemoryResourceProperties;
  properties.memoryTypeBits = host::importable_memory_types(*call.device().profile);
  if (auto* size = host::find_struct<VkMemoryResourceAllocationSizePropertiesMESA>(
          properties.pNext, VK_STRUCTURE_TYPE_MEMORY_RESOURCE_ALLOCATION_SIZE_PROPERTIES_MESA))
    size->allocationSize = resource->size;
  args.ret = VK_SUCCESS;
}

}  // namespace pvgpu::venus
