#include "venus/destroy_objects.h"

#include <bit>

#include "host/pool_allocator.h"
#include "protocol/types.h"

namespace pvgpu::venus {

void destroy_object(const protocol::DeviceDispatch& vk, VkDevice device, const Object& object) {
  const uint64_t handle = object.handle;
  if (handle == 0) return;
#define DESTROY(H, function)                                                              \
  case protocol::HandleMeta<H>::kType:                                                    \
    if (vk.function) vk.function(device, std::bit_cast<H>(handle), nullptr);              \
    break;
#define DESTROY_COMMAND(number, Args, function, level, ids, member) DESTROY(decltype(protocol::Args::member), function)
#define PLAIN_COMMAND(number, Args, function, level, ids, member)
#define CREATE_COMMAND(number, Args, function, level, ids, member)
#define SPECIAL_COMMAND(number, Args, function, level, ids, member)
  switch (object.type) {
#include "protocol/commands.inc"
    DESTROY(VkBuffer, vkDestroyBuffer)
    DESTROY(VkImage, vkDestroyImage)
    DESTROY(VkSemaphore, vkDestroySemaphore)
    case VK_OBJECT_TYPE_COMMAND_POOL: {
      const auto* allocator = static_cast<const host::PoolAllocator*>(object.state);
      vk.vkDestroyCommandPool(device, std::bit_cast<VkCommandPool>(handle), allocator ? allocator->callbacks() : nullptr);
      break;
    }
    DESTROY(VkDescriptorPool, vkDestroyDescriptorPool)
    default:
      break;
  }
}

}  // namespace pvgpu::venus
