// The standard's names for the values that appear in messages. Stateless.
#pragma once

#include <vulkan/vulkan_core.h>

#include <string>
#include <string_view>

namespace pvgpu::host {

// "VK_ERROR_OUT_OF_DEVICE_MEMORY"; a number for a result that this code never meets.
std::string result_name(VkResult result);
// "1.3.280"
std::string version_text(uint32_t version);
// "discrete", "integrated", "virtual", "cpu", "other".
std::string_view device_type_name(VkPhysicalDeviceType type);

}  // namespace pvgpu::host
