// The few recorded commands whose arguments are not passed to the driver as they are.
#include "host/emulation/queue_family.h"
#include "protocol/handlers.h"
#include "venus/call.h"

namespace pvgpu::venus {
namespace {

// Mesa's guests hand each presented image over to others and take it back, whether there are others or not. An image that nobody
// else can see stays where it is: to hand one over costs an NVIDIA H200 60 us (why is not known; perhaps it undoes a compression). What
// the barrier orders, and the layouts, are as they were.
template <class Barrier>
void keep_unshared(Device& device, Barrier& barrier) {
  if (host::queue_family::leaves_instance(barrier) && !device.shared_images.contains(barrier.image)) [[unlikely]]
    barrier.srcQueueFamilyIndex = barrier.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
}

// Barriers are the decoder's copies, so they are rewritten in place: the queue families of images that are not shared, the foreign one
// where it is emulated, and the old layout of images that the driver thinks UNDEFINED.
template <class Barrier>
void rewrite(Call& call, const Barrier* barriers, uint32_t count) {
  Device& device = call.device();
  const std::span<Barrier> all(const_cast<Barrier*>(barriers), count);
  if constexpr (requires(Barrier b) { b.image; })
    for (Barrier& barrier : all) keep_unshared(device, barrier);
  if (device.profile->emulation.queue_family_foreign) host::queue_family::rewrite(all);
  if constexpr (requires(Barrier b) { b.oldLayout; }) {
    if (device.preinitialized.empty()) return;
    for (Barrier& barrier : all)
      if (barrier.oldLayout == VK_IMAGE_LAYOUT_PREINITIALIZED && device.preinitialized.contains(barrier.image))
        barrier.oldLayout = VK_IMAGE_LAYOUT_UNDEFINED;
  }
}
void rewrite(Call& call, const VkDependencyInfo& info) {
  rewrite(call, info.pBufferMemoryBarriers, info.bufferMemoryBarrierCount);
  rewrite(call, info.pImageMemoryBarriers, info.imageMemoryBarrierCount);
}

bool has_synchronization2(Call& call) {
  if (call.device().vk.vkCmdPipelineBarrier2) return true;
  call.poison(PoisonReason::kUnavailableCommand, "synchronization2 is not enabled");
  return false;
}

}  // namespace

void handle(Call& call, protocol::CmdPipelineBarrierArgs& args) {
  rewrite(call, args.pBufferMemoryBarriers, args.bufferMemoryBarrierCount);
  rewrite(call, args.pImageMemoryBarriers, args.imageMemoryBarrierCount);
  args.call(call.device().vk.vkCmdPipelineBarrier);
}

void handle(Call& call, protocol::CmdWaitEventsArgs& args) {
  rewrite(call, args.pBufferMemoryBarriers, args.bufferMemoryBarrierCount);
  rewrite(call, args.pImageMemoryBarriers, args.imageMemoryBarrierCount);
  args.call(call.device().vk.vkCmdWaitEvents);
}

void handle(Call& call, protocol::CmdPipelineBarrier2Args& args) {
  if (!has_synchronization2(call)) return;
  rewrite(call, *args.pDependencyInfo);
  args.call(call.device().vk.vkCmdPipelineBarrier2);
}

void handle(Call& call, protocol::CmdWaitEvents2Args& args) {
  if (!has_synchronization2(call)) return;
  for (uint32_t i = 0; i < args.eventCount; ++i) rewrite(call, args.pDependencyInfos[i]);
  args.call(call.device().vk.vkCmdWaitEvents2);
}

void handle(Call& call, protocol::CmdSetEvent2Args& args) {
  if (!has_synchronization2(call)) return;
  rewrite(call, *args.pDependencyInfo);
  args.call(call.device().vk.vkCmdSetEvent2);
}

// Those that it executes may have been recorded elsewhere.
void handle(Call& call, protocol::CmdExecuteCommandsArgs& args) {
  call.stream().wait_for_lanes();
  args.call(call.device().vk.vkCmdExecuteCommands);
}

// The elements are packed by our own decoder: the guest's stride says nothing about them.
void handle(Call& call, protocol::CmdDrawMultiEXTArgs& args) {
  const auto f = call.device().vk.vkCmdDrawMultiEXT;
  if (!f) return call.poison(PoisonReason::kUnavailableCommand, "VK_EXT_multi_draw is not enabled");
  args.stride = sizeof(VkMultiDrawInfoEXT);
  args.call(f);
}

void handle(Call& call, protocol::CmdDrawMultiIndexedEXTArgs& args) {
  const auto f = call.device().vk.vkCmdDrawMultiIndexedEXT;
  if (!f) return call.poison(PoisonReason::kUnavailableCommand, "VK_EXT_multi_draw is not enabled");
  args.stride = sizeof(VkMultiDrawIndexedInfoEXT);
  args.call(f);
}

}  // namespace pvgpu::venus
