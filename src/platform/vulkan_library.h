// Under which names this system has Vulkan, and what a user does who has none. Constants.
#pragma once

#include <span>

namespace pvgpu::platform {

// Of the loader, or of a driver that works without one; in the order in which to try them.
std::span<const char* const> vulkan_library_names();
extern const char* const kInstallVulkanLoader;
extern const char* const kInstallVulkanDriver;

}  // namespace pvgpu::platform
