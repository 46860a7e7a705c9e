#include "platform/vulkan_library.h"

namespace pvgpu::platform {

std::span<const char* const> vulkan_library_names() {
  // By their paths too: the hardened runtime looks for bare names in the system's folders and the program's own only, and drops
  // the DYLD_* variables that could say otherwise.
  static constexpr const char* kNames[] = {"libvulkan.1.dylib",
                                           "libvulkan.dylib",
                                           "/opt/homebrew/lib/libvulkan.1.dylib",
                                           "/usr/local/lib/libvulkan.1.dylib",
                                           "libMoltenVK.dylib",
                                           "/opt/homebrew/lib/libMoltenVK.dylib",
                                           "/usr/local/lib/libMoltenVK.dylib"};
  return kNames;
}

const char* const kInstallVulkanLoader =
    "install the Vulkan SDK or `brew install vulkan-loader molten-vk`, or name the library in "
    "PVGPU_VULKAN_LOADER";
const char* const kInstallVulkanDriver =
    "install a driver (`brew install molten-vk`), or let VK_DRIVER_FILES name its ICD file; "
    "VK_LOADER_DEBUG=all tells more";

}  // namespace pvgpu::platform
