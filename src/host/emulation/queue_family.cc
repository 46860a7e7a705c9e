#include "host/emulation/queue_family.h"

namespace pvgpu::host::queue_family {
namespace {

constexpr VkExtensionProperties kForeign[] = {{VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME, 1}};

}  // namespace

bool needs_foreign(const DriverProfile& profile) {
  return !profile.has_extension(VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME);
}

std::span<const VkExtensionProperties> extensions() {
  return kForeign;
}

void rewrite(const VkDependencyInfo& info) {
  rewrite(std::span(const_cast<VkBufferMemoryBarrier2*>(info.pBufferMemoryBarriers),
                    info.bufferMemoryBarrierCount));
  rewrite(std::span(const_cast<VkImageMemoryBarrier2*>(info.pImageMemoryBarriers),
                    info.imageMemoryBarrierCount));
}

}  // namespace pvgpu::host::queue_family
