// A VkInstance of this process's own, to list and test the devices before any guest comes. Owned by Host::open and gone when
// it returns, so that a server's parent process holds no GPU; or by Host, in a worker that loads the driver ahead of its guest.
#pragma once

#include <vulkan/vulkan_core.h>

#include <string>
#include <vector>

#include "host/loader.h"
#include "host/selector.h"
#include "platform/error.h"

namespace pvgpu::host {

// The instance-level functions that profiling needs; all present on Vulkan 1.1.
struct InstanceFunctions {
  PFN_vkDestroyInstance destroy_instance = nullptr;
  PFN_vkEnumeratePhysicalDevices enumerate_physical_devices = nullptr;
  PFN_vkGetPhysicalDeviceProperties get_properties = nullptr;
  PFN_vkGetPhysicalDeviceProperties2 get_properties2 = nullptr;
  PFN_vkGetPhysicalDeviceMemoryProperties get_memory_properties = nullptr;
  PFN_vkGetPhysicalDeviceQueueFamilyProperties get_queue_family_properties = nullptr;
  PFN_vkEnumerateDeviceExtensionProperties enumerate_device_extensions = nullptr;
  PFN_vkGetPhysicalDeviceExternalBufferProperties get_external_buffer_properties = nullptr;
  PFN_vkGetPhysicalDeviceExternalSemaphoreProperties get_external_semaphore_properties = nullptr;
  PFN_vkGetPhysicalDeviceExternalFenceProperties get_external_fence_properties = nullptr;
  PFN_vkGetPhysicalDeviceImageFormatProperties2 get_image_format_properties2 = nullptr;
  PFN_vkCreateDevice create_device = nullptr;
  PFN_vkGetDeviceProcAddr get_device_proc_addr = nullptr;
};

// Instance extensions and flags without which portability drivers (MoltenVK) stay invisible.
struct InstanceNeeds {
  std::vector<const char*> extensions;
  VkInstanceCreateFlags flags = 0;
};
InstanceNeeds instance_needs(const Loader& loader);

class ProbeInstance {
 public:
  struct Device {
    VkPhysicalDevice handle = VK_NULL_HANDLE;
    DeviceSummary summary;
  };

  // Devices below Vulkan 1.1 and Mesa's Venus (which would forward to ourselves) are left out; with
  // none left, the error tells what was left out and what to install.
  static Result<ProbeInstance> create(const Loader& loader);

  ProbeInstance(ProbeInstance&& other) noexcept;
  ProbeInstance& operator=(ProbeInstance&&) = delete;
  ~ProbeInstance();

  const InstanceFunctions& functions() const { return functions_; }
  VkInstance handle() const { return instance_; }
  // In the order of indices (device_rank, then the loader's).
  const std::vector<Device>& devices() const { return devices_; }
  std::vector<DeviceSummary> summaries() const;

 private:
  ProbeInstance() = default;
  Result<void> enumerate();

  InstanceFunctions functions_;
  VkInstance instance_ = VK_NULL_HANDLE;
  std::vector<Device> devices_;
};

// As vkEnumerateDeviceExtensionProperties lists them; empty if it fails.
std::vector<VkExtensionProperties> enumerate_device_extensions(const InstanceFunctions& functions,
                                                               VkPhysicalDevice device);

}  // namespace pvgpu::host
