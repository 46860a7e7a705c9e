#include "host/test_device.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "host/result_name.h"

namespace pvgpu::host {
namespace {

constexpr uint64_t kGpuDeadlineNs = 5'000'000'000;

std::vector<const char*> test_extensions(const DriverProfile& profile) {
  std::vector<const char*> names;
  for (const char* name :
       {VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME, VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME,
        VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME, "VK_KHR_portability_subset"}) {
    if (profile.has_extension(name)) names.push_back(name);
  }
  return names;
}

// Graphics and compute queues can fill and copy without saying so.
Step<uint32_t> find_queue_family(const InstanceFunctions& functions, VkPhysicalDevice device) {
  uint32_t count = 0;
  functions.get_queue_family_properties(device, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  functions.get_queue_family_properties(device, &count, families.data());
  constexpr VkQueueFlags kWanted =
      VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT | VK_QUEUE_TRANSFER_BIT;
  for (uint32_t i = 0; i < count; ++i) {
    if (families[i].queueCount > 0 && (families[i].queueFlags & kWanted)) return i;
  }
  return std::unexpected("no queue can transfer");
}

}  // namespace

std::unexpected<std::string> step_failed(const char* call, VkResult result) {
  return std::unexpected(fmt::format("{}: {}", call, result_name(result)));
}

TestDevice::TestDevice(TestDevice&& other) noexcept
    : f_(other.f_),
      device_(std::exchange(other.device_, VK_NULL_HANDLE)),
      queue_family_(other.queue_family_),
      hung_(other.hung_) {}

TestDevice::~TestDevice() {
  if (device_ != VK_NULL_HANDLE && !hung_) f_.DestroyDevice(device_, nullptr);
}

Step<TestDevice> TestDevice::create(const InstanceFunctions& functions, VkPhysicalDevice device,
                                    const DriverProfile& profile) {
  TestDevice test;
  const Step<uint32_t> family = find_queue_family(functions, device);
  if (!family) return std::unexpected(family.error());
  test.queue_family_ = *family;
  const float priority = 1.0f;
  VkDeviceQueueCreateInfo queue{};
  queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
  queue.queueFamilyIndex = *family;
  queue.queueCount = 1;
  queue.pQueuePriorities = &priority;
  const std::vector<const char*> extensions = test_extensions(profile);
  VkDeviceCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
  info.queueCreateInfoCount = 1;
  info.pQueueCreateInfos = &queue;
  info.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
  info.ppEnabledExtensionNames = extensions.data();
  const VkResult result = functions.create_device(device, &info, nullptr, &test.device_);
  if (result != VK_SUCCESS) {
    test.device_ = VK_NULL_HANDLE;
    return step_failed("vkCreateDevice", result);
  }
  if (auto loaded = test.load(functions, profile); !loaded) {
    if (!test.f_.DestroyDevice) test.device_ = VK_NULL_HANDLE;
    return std::unexpected(loaded.error());
  }
  return test;
}

Step<void> TestDevice::load(const InstanceFunctions& functions, const DriverProfile& profile) {
  const PFN_vkGetDeviceProcAddr get = functions.get_device_proc_addr;
#define PVGPU_LOAD(name)                                              \
  f_.name = reinterpret_cast<PFN_vk##name>(get(device_, "vk" #name)); \
  if (!f_.name) return std::unexpected("the driver has no vk" #name);
  PVGPU_TEST_DEVICE_FUNCTIONS(PVGPU_LOAD)
#undef PVGPU_LOAD
  if (profile.has_extension(VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME)) {
    f_.GetMemoryFdKHR = reinterpret_cast<PFN_vkGetMemoryFdKHR>(get(device_, "vkGetMemoryFdKHR"));
  }
  if (profile.has_extension(VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME)) {
    f_.GetMemoryHostPointerPropertiesEXT =
        reinterpret_cast<PFN_vkGetMemoryHostPointerPropertiesEXT>(
            get(device_, "vkGetMemoryHostPointerPropertiesEXT"));
  }
  return {};
}

Step<VkBuffer> TestDevice::create_buffer(VkBufferUsageFlags usage,
                                         VkExternalMemoryHandleTypeFlags types) {
  VkExternalMemoryBufferCreateInfo external{};
  external.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO;
  external.handleTypes = types;
  VkBufferCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
  info.pNext = types ? &external : nullptr;
  info.size = kBufferSize;
  info.usage = usage;
  VkBuffer buffer = VK_NULL_HANDLE;
  const VkResult result = f_.CreateBuffer(device_, &info, nullptr, &buffer);
  if (result != VK_SUCCESS) return step_failed("vkCreateBuffer", result);
  return buffer;
}

VkImageCreateInfo usual_image(VkImageTiling tiling) {
  VkImageCreateInfo image{};
  image.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO;
  image.imageType = VK_IMAGE_TYPE_2D;
  image.format = VK_FORMAT_B8G8R8A8_UNORM;
  image.extent = {256, 256, 1};
  image.mipLevels = 1;
  image.arrayLayers = 1;
  image.samples = VK_SAMPLE_COUNT_1_BIT;
  image.tiling = tiling;
  image.usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT |
                VK_IMAGE_USAGE_TRANSFER_DST_BIT;
  return image;
}

uint32_t TestDevice::image_memory_types(const VkImageCreateInfo& info) const {
  VkImage image = VK_NULL_HANDLE;
  if (f_.CreateImage(device_, &info, nullptr, &image) != VK_SUCCESS) return 0;
  VkMemoryRequirements needs{};
  f_.GetImageMemoryRequirements(device_, image, &needs);
  f_.DestroyImage(device_, image, nullptr);
  return needs.memoryTypeBits;
}

Step<void> TestDevice::run_gpu(VkBuffer buffer, uint32_t value) {
  VkCommandPoolCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
  info.queueFamilyIndex = queue_family_;
  VkCommandPool pool = VK_NULL_HANDLE;
  const VkResult result = f_.CreateCommandPool(device_, &info, nullptr, &pool);
  if (result != VK_SUCCESS) return step_failed("vkCreateCommandPool", result);
  Step<void> done;
  if (const Step<VkCommandBuffer> commands = record(pool, buffer, value)) {
    done = submit(*commands);
  } else {
    done = std::unexpected(commands.error());
  }
  if (!hung_) f_.DestroyCommandPool(device_, pool, nullptr);
  return done;
}

Step<VkCommandBuffer> TestDevice::record(VkCommandPool pool, VkBuffer buffer, uint32_t value) {
  VkCommandBufferAllocateInfo allocate{};
  allocate.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
  allocate.commandPool = pool;
  allocate.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
  allocate.commandBufferCount = 1;
  VkCommandBuffer commands = VK_NULL_HANDLE;
  VkResult result = f_.AllocateCommandBuffers(device_, &allocate, &commands);
  if (result != VK_SUCCESS) return step_failed("vkAllocateCommandBuffers", result);
  VkCommandBufferBeginInfo begin{};
  begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
  begin.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
  result = f_.BeginCommandBuffer(commands, &begin);
  if (result != VK_SUCCESS) return step_failed("vkBeginCommandBuffer", result);
  f_.CmdFillBuffer(commands, buffer, 0, kPart, value);
  const VkBufferCopy copy{.srcOffset = kPart, .dstOffset = 2 * kPart, .size = kPart};
  f_.CmdCopyBuffer(commands, buffer, buffer, 1, &copy);
  VkMemoryBarrier barrier{};
  barrier.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
  barrier.srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT;
  barrier.dstAccessMask = VK_ACCESS_HOST_READ_BIT;
  f_.CmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_HOST_BIT, 0, 1,
                        &barrier, 0, nullptr, 0, nullptr);
  result = f_.EndCommandBuffer(commands);
  if (result != VK_SUCCESS) return step_failed("vkEndCommandBuffer", result);
  return commands;
}

Step<void> TestDevice::submit(VkCommandBuffer commands) {
  VkFenceCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO;
  VkFence fence = VK_NULL_HANDLE;
  VkResult result = f_.CreateFence(device_, &info, nullptr, &fence);
  if (result != VK_SUCCESS) return step_failed("vkCreateFence", result);
  VkQueue queue = VK_NULL_HANDLE;
  f_.GetDeviceQueue(device_, queue_family_, 0, &queue);
  VkSubmitInfo submission{};
  submission.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
  submission.commandBufferCount = 1;
  submission.pCommandBuffers = &commands;
  const char* call = "vkQueueSubmit";
  result = f_.QueueSubmit(queue, 1, &submission, fence);
  if (result == VK_SUCCESS) {
    call = "vkWaitForFences";
    result = f_.WaitForFences(device_, 1, &fence, VK_TRUE, kGpuDeadlineNs);
    hung_ = result == VK_TIMEOUT;
  }
  if (!hung_) f_.DestroyFence(device_, fence, nullptr);
  if (result != VK_SUCCESS) return step_failed(call, result);
  return {};
}

}  // namespace pvgpu::host
