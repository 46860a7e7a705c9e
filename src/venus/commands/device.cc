// vkCreateDevice, vkDestroyDevice and queues.
#define VK_ENABLE_BETA_EXTENSIONS  // VK_KHR_portability_subset
#include <fmt/format.h>

#include <vulkan/vulkan_core.h>
#include <vulkan/vulkan_beta.h>

#include <algorithm>
#include <span>
#include <string_view>

#include "host/extensions.h"
#include "host/pnext.h"
#include "protocol/handlers.h"
#include "venus/call.h"
#include "venus/context_impl.h"
#include "venus/queue_timelines.h"

namespace pvgpu::venus {
namespace {

// Mesa's window systems count presents with timeline semaphores of their own, whether or not the application has
// asked for the feature. Every driver of Vulkan 1.2 has it. `storage` must live as long as `info` is used.
void enable_timelines(Call& call, VkDeviceCreateInfo& info, VkPhysicalDeviceTimelineSemaphoreFeatures& storage) {
  if (std::min(call.instance().api_version, call.profile().api_version) < VK_API_VERSION_1_2) return;
  if (auto* all = host::find_struct<VkPhysicalDeviceVulkan12Features>(
          info.pNext, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES)) {
    all->timelineSemaphore = VK_TRUE;
  } else if (auto* own = host::find_struct<VkPhysicalDeviceTimelineSemaphoreFeatures>(info.pNext, storage.sType)) {
    own->timelineSemaphore = VK_TRUE;
  } else {
    storage.timelineSemaphore = VK_TRUE;
    host::prepend_struct(&info, &storage);
  }
}

// What a portability driver can do of the subset must be enabled to be used, and the guest, which takes it for granted, does not know the
// extension that this host enables for it. `storage` as above.
void enable_portability_subset(Call& call, VkDeviceCreateInfo& info, VkPhysicalDevicePortabilitySubsetFeaturesKHR& storage) {
  const bool enabled = std::ranges::any_of(std::span(info.ppEnabledExtensionNames, info.enabledExtensionCount), [](std::string_view name) {
    return name == VK_KHR_PORTABILITY_SUBSET_EXTENSION_NAME;
  });
  if (!enabled) return;
  VkPhysicalDeviceFeatures2 features{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &storage, {}};
  call.instance().vk.vkGetPhysicalDeviceFeatures2(call.physical_device().handle, &features);
  host::prepend_struct(&info, &storage);
}

}  // namespace

void handle(Call& call, protocol::CreateDeviceArgs& args) {
  ContextImpl& context = call.context();
  PhysicalDevice& physical = call.physical_device();
  const auto id = std::bit_cast<uint64_t>(*args.pDevice);
  if (!call.check_new_id(id)) return;

  VkDeviceCreateInfo info = *args.pCreateInfo;
  VkPhysicalDeviceTimelineSemaphoreFeatures timelines{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES};
  VkPhysicalDevicePortabilitySubsetFeaturesKHR portability{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PORTABILITY_SUBSET_FEATURES_KHR};
  const auto extensions =
      host::driver_device_extensions(*physical.profile, {info.ppEnabledExtensionNames, info.enabledExtensionCount});
  VkDevice handle = VK_NULL_HANDLE;
  if (extensions) {
    info.enabledExtensionCount = static_cast<uint32_t>(extensions->size());
    info.ppEnabledExtensionNames = extensions->data();
    info.enabledLayerCount = 0;
    info.ppEnabledLayerNames = nullptr;
    enable_timelines(call, info, timelines);
    enable_portability_subset(call, info, portability);
    args.ret = call.instance().vk.vkCreateDevice(args.physicalDevice, &info, nullptr, &handle);
  } else {
    args.ret = extensions.error();
  }
  *args.pDevice = VK_NULL_HANDLE;
  if (args.ret < 0) {
    call.register_object(id, VK_OBJECT_TYPE_DEVICE, args.ret, 0, nullptr);
    return;
  }
  std::lock_guard lock(context.devices_mutex);
  Device& device = context.devices.emplace_back();
  device.number = static_cast<uint32_t>(context.devices.size());
  device.handle = handle;
  device.physical = &physical;
  device.profile = physical.profile;
  device.vk.load(call.instance().vk.vkGetDeviceProcAddr, handle);
  device.memory_functions = {device.vk.vkAllocateMemory, device.vk.vkFreeMemory, device.vk.vkGetMemoryFdKHR};
  const auto inserted = context.objects().insert(id, VK_OBJECT_TYPE_DEVICE, std::bit_cast<uint64_t>(handle), &device);
  if (!inserted) return call.poison(inserted.error(), fmt::format("object {} cannot be registered", id));
  *args.pDevice = std::bit_cast<VkDevice>(id);
}

void handle(Call& call, protocol::DestroyDeviceArgs&) {
  std::lock_guard lock(call.context().devices_mutex);
  call.context().destroy_device(call.device());
}

namespace {

// Registers a queue that the driver gave; the guest names each (family, index, flags) once.
void add_queue(Call& call, uint64_t id, VkQueue handle, uint32_t family, uint32_t ring_idx) {
  Device& device = call.device();
  if (handle == VK_NULL_HANDLE) return call.poison(PoisonReason::kUnknownObject, "the device has no such queue");
  Queue* queue = device.find_queue(handle);
  if (!queue) {
    std::lock_guard lock(device.queues_mutex);
    queue = &device.queues.emplace_back();
    queue->device = &device;
    queue->handle = handle;
    queue->family = family;
    queue->ring_idx = ring_idx;
  }
  if (ring_idx != 0 && !call.context().timelines().bind(ring_idx, queue))
    return call.poison(PoisonReason::kBadTimeline, fmt::format("timeline {} cannot be bound", ring_idx));
  call.register_object(id, VK_OBJECT_TYPE_QUEUE, VK_SUCCESS, std::bit_cast<uint64_t>(handle), queue);
}

}  // namespace

void handle(Call& call, protocol::GetDeviceQueueArgs& args) {
  const VkQueue id = *args.pQueue;
  if (!call.check_new_id(std::bit_cast<uint64_t>(id))) return;
  args.call(call.device().vk.vkGetDeviceQueue);
  add_queue(call, std::bit_cast<uint64_t>(id), *args.pQueue, args.queueFamilyIndex, 0);
  *args.pQueue = id;
}

void handle(Call& call, protocol::GetDeviceQueue2Args& args) {
  const VkQueue id = *args.pQueue;
  if (!call.check_new_id(std::bit_cast<uint64_t>(id))) return;
  auto& info = const_cast<VkDeviceQueueInfo2&>(*args.pQueueInfo);  // the decoder's copy
  const auto* timeline =
      host::unlink_struct<VkDeviceQueueTimelineInfoMESA>(&info, VK_STRUCTURE_TYPE_DEVICE_QUEUE_TIMELINE_INFO_MESA);
  args.call(call.device().vk.vkGetDeviceQueue2);
  add_queue(call, std::bit_cast<uint64_t>(id), *args.pQueue, info.queueFamilyIndex, timeline ? timeline->ringIdx : 0);
  *args.pQueue = id;
}

void handle(Call& call, protocol::DeviceWaitIdleArgs& args) {
  Device& device = call.device();
  args.ret = VK_SUCCESS;
  std::lock_guard lock(device.queues_mutex);
  for (Queue& queue : device.queues) {
    std::lock_guard queue_lock(queue.mutex);
    const VkResult result = device.vk.vkQueueWaitIdle(queue.handle);
    if (result < 0) args.ret = result;
  }
}

}  // namespace pvgpu::venus
