// The Vulkan loader (or a driver that serves as one), opened at run time and never linked, so that
// this program starts everywhere and can say what is missing. It stays open until the process ends:
// drivers leave threads and at-exit handlers behind that unloading would pull the code from under.
#pragma once

#include <vulkan/vulkan_core.h>

#include <string>
#include <vector>

#include "platform/error.h"

namespace pvgpu::host {

class Loader {
 public:
  // `path` empty: $PVGPU_VULKAN_LOADER, else the usual names in turn.
  static Result<Loader> open(const std::string& path);

  PFN_vkGetInstanceProcAddr get_instance_proc_addr() const { return get_; }
  // The file as the dynamic linker found it.
  const std::string& path() const { return path_; }
  // The highest VkInstance level; at least Vulkan 1.1.
  uint32_t instance_version() const { return instance_version_; }
  // Of the implementation and its implicit layers.
  const std::vector<VkExtensionProperties>& instance_extensions() const { return extensions_; }

 private:
  PFN_vkGetInstanceProcAddr get_ = nullptr;
  std::string path_;
  uint32_t instance_version_ = 0;
  std::vector<VkExtensionProperties> extensions_;
};

// What to do when a loader is there and no device: the ICD files that $VK_DRIVER_FILES names and
// whether each exists, or which packages bring drivers.
std::string no_driver_hint();

}  // namespace pvgpu::host
