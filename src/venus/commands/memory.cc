// vkAllocateMemory, vkFreeMemory: device memory that the guest can be given, see src/host/memory.h.
#include <fmt/format.h>

#include "host/memory.h"
#include "host/pnext.h"
#include "protocol/handlers.h"
#include "venus/call.h"
#include "venus/context_impl.h"

namespace pvgpu::venus {

void handle(Call& call, protocol::AllocateMemoryArgs& args) {
  ContextImpl& context = call.context();
  Device& device = call.device();
  const auto id = std::bit_cast<uint64_t>(*args.pMemory);
  if (!call.check_new_id(id)) return;
  auto& info = const_cast<VkMemoryAllocateInfo&>(*args.pAllocateInfo);  // the decoder's copy
  if (info.memoryTypeIndex >= device.profile->memory.memoryTypeCount)
    return call.poison(PoisonReason::kBadRange, fmt::format("memory type {} of {}", info.memoryTypeIndex,
                                                            device.profile->memory.memoryTypeCount));
  *args.pMemory = VK_NULL_HANDLE;
  const auto* import =
      host::unlink_struct<VkImportMemoryResourceInfoMESA>(&info, VK_STRUCTURE_TYPE_IMPORT_MEMORY_RESOURCE_INFO_MESA);
  if (import && !context.resources().find(import->resourceId))
    return call.poison(PoisonReason::kUnknownResource, fmt::format("resource {} does not exist", import->resourceId));
  auto allocation = import ? std::unexpected(VK_ERROR_INVALID_EXTERNAL_HANDLE)
                           : host::allocate_memory(*device.profile, device.memory_functions, device.handle, info);
  if (!allocation) {
    args.ret = allocation.error();
    call.register_object(id, VK_OBJECT_TYPE_DEVICE_MEMORY, args.ret, 0, nullptr);
    return;
  }
  args.ret = VK_SUCCESS;
  const auto handle = std::bit_cast<uint64_t>(allocation->memory);
  const VkMemoryPropertyFlags properties = device.profile->memory.memoryTypes[info.memoryTypeIndex].propertyFlags;
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
  if (!call.context().resources().find(args.resourceId))
    return call.poison(PoisonReason::kUnknownResource, fmt::format("resource {} does not exist", args.resourceId));
  args.ret = VK_ERROR_INVALID_EXTERNAL_HANDLE;  // importing resources is not supported yet; see the README
}

}  // namespace pvgpu::venus
