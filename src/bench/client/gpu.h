// The GPU under test: an instance, a device with one queue that draws, and its functions.
// Vulkan 1.0 and no optional feature, so that every driver can do it. Owned by a work; the queue
// needs a lock where several threads submit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/client/vulkan.h"

namespace pvgpu::bench::client {

// Which physical device: number `nth` of those whose name contains `name` (Venus wraps the host's
// name into its own).
struct GpuChoice {
  std::string loader, name;
  uint32_t nth = 0;
};

struct GpuExtensions {
  std::vector<const char*> instance, device;
};

class Gpu {
 public:
  explicit Gpu(const GpuChoice& choice, const GpuExtensions& extensions = {});
  ~Gpu();
  Gpu(const Gpu&) = delete;
  Gpu& operator=(const Gpu&) = delete;

  // The memory type among `allowed` (a bit mask) that has all of `wanted`, if possible all of
  // `preferred` too.
  uint32_t memory_type(uint32_t allowed, VkMemoryPropertyFlags wanted,
                       VkMemoryPropertyFlags preferred = 0) const;
  VkMemoryPropertyFlags memory_flags(uint32_t type) const {
    return memory_.memoryTypes[type].propertyFlags;
  }
  // Of the largest heap that is device-local.
  VkDeviceSize device_local_bytes() const;
  std::string name() const { return properties_.deviceName; }

  Vulkan vk;
  VkInstance instance = VK_NULL_HANDLE;
  VkPhysicalDevice physical = VK_NULL_HANDLE;
  VkDevice device = VK_NULL_HANDLE;
  VkQueue queue = VK_NULL_HANDLE;
  uint32_t queue_family = 0;

 private:
  void create_instance(const GpuExtensions& extensions);
  void tell_missing(const GpuExtensions& extensions) const;
  void choose(const GpuChoice& choice);
  void create_device(const GpuExtensions& extensions);

  VkPhysicalDeviceProperties properties_{};
  VkPhysicalDeviceMemoryProperties memory_{};
};

}  // namespace pvgpu::bench::client
