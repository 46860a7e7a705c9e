#include "venus/testing/session.h"

namespace pvgpu::venus::testing {

using namespace protocol;

host::Host& fake_host() {
  static const std::unique_ptr<host::Host> host = [] {
    auto opened = host::Host::open({.loader_path = fake_driver::library_path()});
    if (!opened) {
      ADD_FAILURE() << opened.error().what;
      std::abort();
    }
    return std::move(*opened);
  }();
  return *host;
}

Session::Session(Stage stage, const RingOptions& options, std::vector<const char*> extensions,
                 Context::Options context)
    : Guest(fake_host(), std::move(context)) {
  ring_ = std::make_unique<GuestRing>(*this, kRing, options);
  if (stage == Stage::kNothing) return;

  auto id_of_instance = new_object<VkInstance>();
  VkApplicationInfo application{VK_STRUCTURE_TYPE_APPLICATION_INFO};
  application.pApplicationName = "session";
  application.apiVersion = VK_API_VERSION_1_3;
  VkInstanceCreateInfo instance_info{VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
  instance_info.pApplicationInfo = &application;
  const auto created =
      ring().call(CreateInstanceArgs{&instance_info, nullptr, &id_of_instance, VK_SUCCESS});
  EXPECT_FALSE(created.failed);
  EXPECT_EQ(created.args.ret, VK_SUCCESS);
  instance = *created.args.pInstance;
  EXPECT_EQ(instance, id_of_instance);
  if (stage == Stage::kInstance) return;

  uint32_t count = 0;
  const auto counted =
      ring().call(EnumeratePhysicalDevicesArgs{instance, &count, nullptr, VK_SUCCESS});
  EXPECT_EQ(*counted.args.pPhysicalDeviceCount, 1u);
  count = 1;
  physical = new_object<VkPhysicalDevice>();
  const auto enumerated =
      ring().call(EnumeratePhysicalDevicesArgs{instance, &count, &physical, VK_SUCCESS});
  EXPECT_EQ(enumerated.args.ret, VK_SUCCESS);
  EXPECT_EQ(enumerated.args.pPhysicalDevices[0], physical);
  if (stage == Stage::kPhysicalDevice) return;

  device = create_device(extensions);
  if (stage == Stage::kDevice) return;

  const VkDeviceQueueTimelineInfoMESA timeline{VK_STRUCTURE_TYPE_DEVICE_QUEUE_TIMELINE_INFO_MESA,
                                               nullptr, 1};
  const VkDeviceQueueInfo2 queue_info{VK_STRUCTURE_TYPE_DEVICE_QUEUE_INFO_2, &timeline, 0, 0, 0};
  queue = new_object<VkQueue>();
  EXPECT_TRUE(ring().run(GetDeviceQueue2Args{device, &queue_info, &queue}));
}

VkDevice Session::create_device(const std::vector<const char*>& extensions) {
  const float priority = 1.0f;
  const VkDeviceQueueCreateInfo queues{
      VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, nullptr, 0, 0, 1, &priority};
  VkDeviceCreateInfo info{VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO};
  info.queueCreateInfoCount = 1;
  info.pQueueCreateInfos = &queues;
  info.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
  info.ppEnabledExtensionNames = extensions.data();
  auto made = new_object<VkDevice>();
  const auto created = ring().call(CreateDeviceArgs{physical, &info, nullptr, &made, VK_SUCCESS});
  EXPECT_EQ(created.args.ret, VK_SUCCESS);
  EXPECT_EQ(*created.args.pDevice, made);
  return made;
}

VkBuffer Session::create_buffer(VkDeviceSize size) {
  VkBufferCreateInfo info{VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO};
  info.size = size;
  info.usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT;
  auto made = new_object<VkBuffer>();
  ring().send(CreateBufferArgs{device, &info, nullptr, &made, VK_SUCCESS});
  return made;
}

VkImage Session::create_image(VkExternalMemoryHandleTypeFlags exported, VkImageTiling tiling) {
  const VkExternalMemoryImageCreateInfo external{VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO, nullptr, exported};
  VkImageCreateInfo info{VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO};
  if (exported != 0) info.pNext = &external;
  info.tiling = tiling;
  info.imageType = VK_IMAGE_TYPE_2D;
  info.format = VK_FORMAT_R8G8B8A8_UNORM;
  info.extent = {16, 16, 1};
  info.mipLevels = info.arrayLayers = 1;
  info.samples = VK_SAMPLE_COUNT_1_BIT;
  info.usage = VK_IMAGE_USAGE_TRANSFER_DST_BIT;
  auto made = new_object<VkImage>();
  ring().send(CreateImageArgs{device, &info, nullptr, &made, VK_SUCCESS});
  return made;
}

VkFence Session::create_fence() {
  const VkFenceCreateInfo info{VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
  auto made = new_object<VkFence>();
  ring().send(CreateFenceArgs{device, &info, nullptr, &made, VK_SUCCESS});
  return made;
}

VkSemaphore Session::create_semaphore() {
  const VkSemaphoreCreateInfo info{VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
  auto made = new_object<VkSemaphore>();
  ring().send(CreateSemaphoreArgs{device, &info, nullptr, &made, VK_SUCCESS});
  return made;
}

VkDeviceMemory Session::allocate(VkDeviceSize size, uint32_t type) {
  const VkMemoryAllocateInfo info{VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr, size, type};
  auto made = new_object<VkDeviceMemory>();
  ring().send(AllocateMemoryArgs{device, &info, nullptr, &made, VK_SUCCESS});
  return made;
}

VkCommandPool Session::create_command_pool() {
  const VkCommandPoolCreateInfo info{VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
  auto made = new_object<VkCommandPool>();
  ring().send(CreateCommandPoolArgs{device, &info, nullptr, &made, VK_SUCCESS});
  return made;
}

VkCommandBuffer Session::allocate_command_buffer(VkCommandPool pool) {
  const VkCommandBufferAllocateInfo info{VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO, nullptr,
                                         pool, VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1};
  auto made = new_object<VkCommandBuffer>();
  ring().send(AllocateCommandBuffersArgs{device, &info, &made, VK_SUCCESS});
  return made;
}

void Session::fill(VkCommandBuffer commands, VkBuffer buffer, uint32_t value, VkFence fence) {
  const VkCommandBufferBeginInfo begin{VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
  ring().send(BeginCommandBufferArgs{commands, &begin, VK_SUCCESS});
  ring().send(CmdFillBufferArgs{commands, buffer, 0, VK_WHOLE_SIZE, value});
  ring().send(EndCommandBufferArgs{commands, VK_SUCCESS});
  VkSubmitInfo submit_info{VK_STRUCTURE_TYPE_SUBMIT_INFO};
  submit_info.commandBufferCount = 1;
  submit_info.pCommandBuffers = &commands;
  ring().send(QueueSubmitArgs{queue, 1, &submit_info, fence, VK_SUCCESS});
}

}  // namespace pvgpu::venus::testing
