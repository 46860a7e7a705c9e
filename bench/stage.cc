#include "stage.h"

#include <fmt/format.h>

#include <cstdlib>

#include "fake_driver/fake_driver.h"
#include "observe/log.h"

namespace pvgpu::bench {

using namespace venus;
using namespace venus::testing;
using namespace protocol;

namespace {

constexpr uint32_t kReplyResource = 1;
constexpr uint64_t kReplyBytes = 64 << 10;

host::Host& fake_host() {
  static const std::unique_ptr<host::Host> host = [] {
    observe::set_level(observe::Level::kWarn);
    auto opened = host::Host::open({.loader_path = fake_driver::library_path()});
    if (!opened) {
      fmt::print(stderr, "the fake driver does not open: {}\n", opened.error().what);
      std::exit(1);
    }
    return std::move(*opened);
  }();
  return *host;
}

// Any function of the driver, as one that does nothing and says VK_SUCCESS.
template <class Result, class... Args>
void silence(Result (*&function)(Args...)) {
  function = [](Args...) { return Result(); };
}

// What the benchmarks measure.
void silence_measured(DeviceDispatch& vk) {
  silence(vk.vkCmdDraw);
  silence(vk.vkCmdDrawIndexed);
  silence(vk.vkCmdDispatch);
  silence(vk.vkCmdSetViewport);
  silence(vk.vkCmdBindPipeline);
  silence(vk.vkCmdBindDescriptorSets);
  silence(vk.vkCmdBindVertexBuffers);
  silence(vk.vkCmdPushConstants);
  silence(vk.vkCmdPipelineBarrier);
  silence(vk.vkCmdPipelineBarrier2);
  silence(vk.vkCmdCopyBuffer);
  silence(vk.vkCmdBeginRendering);
  silence(vk.vkUpdateDescriptorSets);
  silence(vk.vkGetEventStatus);
}

}  // namespace

Stage::Stage() : context_(std::make_unique<ContextImpl>(fake_host(), Context::Options{.name = "bench"})) {
  instance = new_object<VkInstance>();
  const VkApplicationInfo application{.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO, .apiVersion = VK_API_VERSION_1_3};
  const VkInstanceCreateInfo instance_info{.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, .pApplicationInfo = &application};
  send(CreateInstanceArgs{&instance_info, nullptr, &instance, VK_SUCCESS});
  physical = new_object<VkPhysicalDevice>();
  uint32_t one = 1;
  send(EnumeratePhysicalDevicesArgs{instance, &one, &physical, VK_SUCCESS});

  device = new_object<VkDevice>();
  const float priority = 1;
  const VkDeviceQueueCreateInfo queues{
      .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, .queueCount = 1, .pQueuePriorities = &priority};
  const VkDeviceCreateInfo device_info{
      .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, .queueCreateInfoCount = 1, .pQueueCreateInfos = &queues};
  send(CreateDeviceArgs{physical, &device_info, nullptr, &device, VK_SUCCESS});
  silence_measured(device_state().vk);
  queue = new_object<VkQueue>();
  const VkDeviceQueueTimelineInfoMESA timeline{
      .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_TIMELINE_INFO_MESA, .ringIdx = 1};
  const VkDeviceQueueInfo2 queue_info{.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_INFO_2, .pNext = &timeline};
  send(GetDeviceQueue2Args{device, &queue_info, &queue});

  pool = new_object<VkCommandPool>();
  const VkCommandPoolCreateInfo pool_info{.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
  send(CreateCommandPoolArgs{device, &pool_info, nullptr, &pool, VK_SUCCESS});
  commands = new_object<VkCommandBuffer>();
  const VkCommandBufferAllocateInfo commands_info{
      .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO, .commandPool = pool, .commandBufferCount = 1};
  send(AllocateCommandBuffersArgs{device, &commands_info, &commands, VK_SUCCESS});
  const VkCommandBufferBeginInfo begin{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
  send(BeginCommandBufferArgs{commands, &begin, VK_SUCCESS});

  set_layout = new_object<VkDescriptorSetLayout>();
  const VkDescriptorSetLayoutCreateInfo set_info{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO};
  send(CreateDescriptorSetLayoutArgs{device, &set_info, nullptr, &set_layout, VK_SUCCESS});
  layout = new_object<VkPipelineLayout>();
  const VkPipelineLayoutCreateInfo layout_info{.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO};
  send(CreatePipelineLayoutArgs{device, &layout_info, nullptr, &layout, VK_SUCCESS});
  auto module = new_object<VkShaderModule>();
  const uint32_t code[] = {0x07230203};
  const VkShaderModuleCreateInfo module_info{
      .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = sizeof code, .pCode = code};
  send(CreateShaderModuleArgs{device, &module_info, nullptr, &module, VK_SUCCESS});
  pipeline = new_object<VkPipeline>();
  const VkComputePipelineCreateInfo pipeline_info{.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
                                                  .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                                                            .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                                                            .module = module,
                                                            .pName = "main"},
                                                  .layout = layout};
  send(CreateComputePipelinesArgs{device, VK_NULL_HANDLE, 1, &pipeline_info, nullptr, &pipeline, VK_SUCCESS});
  descriptor_pool_ = new_object<VkDescriptorPool>();
  const VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1000};
  const VkDescriptorPoolCreateInfo descriptor_info{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                                   .maxSets = 1000,
                                                   .poolSizeCount = 1,
                                                   .pPoolSizes = &size};
  send(CreateDescriptorPoolArgs{device, &descriptor_info, nullptr, &descriptor_pool_, VK_SUCCESS});
}

Stage::~Stage() = default;

void Stage::execute(std::span<const std::byte> bytes) {
  if (context_->control_stream().execute(bytes)) [[likely]] return;
  const Poison reason = context_->poison_reason();
  fmt::print(stderr, "poisoned: {}: {}\n", poison_name(reason.reason), reason.detail);
  std::exit(1);
}

void Stage::provide_reply_slot() {
  if (!context_->create_blob(kReplyResource, {.flags = kBlobMappable, .size = kReplyBytes})) std::exit(1);
  const VkCommandStreamDescriptionMESA slot{kReplyResource, 0, kReplyBytes};
  send(SetReplyCommandStreamMESAArgs{&slot});
}

void Stage::rewind_replies() { send(SeekReplyCommandStreamMESAArgs{0}); }

VkBuffer Stage::make_buffer() {
  auto made = new_object<VkBuffer>();
  const VkBufferCreateInfo info{
      .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .size = 4096, .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT};
  send(CreateBufferArgs{device, &info, nullptr, &made, VK_SUCCESS});
  return made;
}

VkEvent Stage::make_event() {
  auto made = new_object<VkEvent>();
  const VkEventCreateInfo info{.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO};
  send(CreateEventArgs{device, &info, nullptr, &made, VK_SUCCESS});
  return made;
}

VkImage Stage::make_image() {
  auto made = new_object<VkImage>();
  const VkImageCreateInfo info{.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
                               .imageType = VK_IMAGE_TYPE_2D,
                               .format = VK_FORMAT_R8G8B8A8_UNORM,
                               .extent = {16, 16, 1},
                               .mipLevels = 1,
                               .arrayLayers = 1,
                               .samples = VK_SAMPLE_COUNT_1_BIT,
                               .usage = VK_IMAGE_USAGE_TRANSFER_DST_BIT};
  send(CreateImageArgs{device, &info, nullptr, &made, VK_SUCCESS});
  return made;
}

VkDescriptorSet Stage::make_descriptor_set() {
  auto made = new_object<VkDescriptorSet>();
  const VkDescriptorSetAllocateInfo info{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                         .descriptorPool = descriptor_pool_,
                                         .descriptorSetCount = 1,
                                         .pSetLayouts = &set_layout};
  send(AllocateDescriptorSetsArgs{device, &info, &made, VK_SUCCESS});
  return made;
}

}  // namespace pvgpu::bench
