// A VkDevice for the self-test: one queue, the memory extensions that the driver has, and one
// buffer operation that shows whether GPU and CPU see the same bytes. Used by one thread.
#pragma once

#include <vulkan/vulkan_core.h>

#include <expected>
#include <string>

#include "host/probe_instance.h"
#include "host/profile.h"

namespace pvgpu::host {

// A step of a test: its value, or why it did not work.
template <class T>
using Step = std::expected<T, std::string>;

// "vkAllocateMemory: VK_ERROR_OUT_OF_DEVICE_MEMORY"
std::unexpected<std::string> step_failed(const char* call, VkResult result);

// clang-format off
#define PVGPU_TEST_DEVICE_FUNCTIONS(X)                                                           \
  X(DestroyDevice) X(GetDeviceQueue) X(QueueSubmit) X(WaitForFences) X(CreateFence)              \
  X(DestroyFence) X(CreateCommandPool) X(DestroyCommandPool) X(AllocateCommandBuffers)           \
  X(BeginCommandBuffer) X(EndCommandBuffer) X(CmdFillBuffer) X(CmdCopyBuffer)                    \
  X(CmdPipelineBarrier) X(CreateBuffer) X(DestroyBuffer) X(GetBufferMemoryRequirements)          \
  X(BindBufferMemory) X(AllocateMemory) X(FreeMemory) X(MapMemory) X(UnmapMemory)                \
  X(CreateImage) X(DestroyImage) X(GetImageMemoryRequirements)
// clang-format on

struct TestDeviceFunctions {
#define PVGPU_MEMBER(name) PFN_vk##name name = nullptr;
  PVGPU_TEST_DEVICE_FUNCTIONS(PVGPU_MEMBER)
#undef PVGPU_MEMBER
  PFN_vkGetMemoryFdKHR GetMemoryFdKHR = nullptr;  // null without the extension
  PFN_vkGetMemoryHostPointerPropertiesEXT GetMemoryHostPointerPropertiesEXT = nullptr;  // likewise
};

// What window systems draw to: 256 by 256 pixels, drawn and copied.
VkImageCreateInfo usual_image(VkImageTiling tiling);

class TestDevice {
 public:
  // Bytes of a buffer that run_gpu works on, in four equal parts.
  static constexpr VkDeviceSize kBufferSize = 64 * 1024;
  static constexpr VkDeviceSize kPart = kBufferSize / 4;

  static Step<TestDevice> create(const InstanceFunctions& functions, VkPhysicalDevice device,
                                 const DriverProfile& profile);
  TestDevice(TestDevice&& other) noexcept;
  TestDevice& operator=(TestDevice&&) = delete;
  ~TestDevice();

  const TestDeviceFunctions& functions() const { return f_; }
  VkDevice handle() const { return device_; }
  // The GPU did not finish in time: nothing that it may still use can be freed.
  bool hung() const { return hung_; }

  // A buffer of kBufferSize bytes; `types` 0 for no external create-info.
  Step<VkBuffer> create_buffer(VkBufferUsageFlags usage, VkExternalMemoryHandleTypeFlags types);
  // Memory types that an image like this can live in; 0 if it cannot be created.
  uint32_t image_memory_types(const VkImageCreateInfo& info) const;
  // On the GPU, waited for: fills part 0 with `value` words and copies part 1 to part 2.
  Step<void> run_gpu(VkBuffer buffer, uint32_t value);

 private:
  TestDevice() = default;
  Step<void> load(const InstanceFunctions& functions, const DriverProfile& profile);
  Step<VkCommandBuffer> record(VkCommandPool pool, VkBuffer buffer, uint32_t value);
  Step<void> submit(VkCommandBuffer commands);

  TestDeviceFunctions f_;
  VkDevice device_ = VK_NULL_HANDLE;
  uint32_t queue_family_ = 0;
  bool hung_ = false;
};

}  // namespace pvgpu::host
