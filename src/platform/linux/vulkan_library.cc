#include "platform/vulkan_library.h"

namespace pvgpu::platform {

std::span<const char* const> vulkan_library_names() {
  static constexpr const char* kNames[] = {"libvulkan.so.1", "libvulkan.so"};
  return kNames;
}

const char* const kInstallVulkanLoader =
    "install the Vulkan loader (Debian, Ubuntu: libvulkan1; Fedora: vulkan-loader), or name the "
    "library in PVGPU_VULKAN_LOADER";
const char* const kInstallVulkanDriver =
    "install a driver (Debian, Ubuntu, Fedora: mesa-vulkan-drivers, or the GPU vendor's), or let "
    "VK_DRIVER_FILES name its ICD file; VK_LOADER_DEBUG=all tells more";

}  // namespace pvgpu::platform
