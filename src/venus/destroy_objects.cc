#include "venus/destroy_objects.h"

#include <bit>

#include "protocol/types.h"

namespace pvgpu::venus {

void destroy_object(const protocol::DeviceDispatch& vk, VkDevice device, VkObjectType type, uint64_t handle) {
  if (handle == 0) return;
#define DESTROY(H, function)                                                              \
  case protocol::HandleMeta<H>::kType:                                                    \
    if (vk.function) vk.function(device, std::bit_cast<H>(handle), nullptr);              \
    break;
#define DESTROY_COMMAND(number, Args, function, level, ids, member) DESTROY(decltype(protocol::Args::member), function)
#define PLAIN_COMMAND(number, Args, function, level, ids, member)
#define CREATE_COMMAND(number, Args, function, level, ids, member)
#define SPECIAL_COMMAND(number, Args, function, level, ids, member)
  switch (type) {
#include "protocol/commands.inc"
    DESTROY(VkBuffer, vkDestroyBuffer)
    DESTROY(VkImage, vkDestroyImage)
    DESTROY(VkSemaphore, vkDestroySemaphore)
    DESTROY(VkCommandPool, vkDestroyCommandPool)
    DESTROY(VkDescriptorPool, vkDestroyDescriptorPool)
    default:
      break;
  }
}

}  // namespace pvgpu::venus
