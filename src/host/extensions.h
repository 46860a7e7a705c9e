// Device extensions, from both sides: what the guest is shown, and what is enabled at the driver
// when the guest has chosen. Pure functions of a profile.
#pragma once

#include <vulkan/vulkan_core.h>

#include <expected>
#include <span>
#include <string_view>
#include <vector>

#include "host/profile.h"

namespace pvgpu::host {

// What this build's decoder knows of device extensions.
struct CarriedExtensions {
  // Why it cannot be carried, which hides an extension from guests; "" if it can. nullptr: it knows
  // every extension.
  std::string_view (*why_not)(std::string_view name) = nullptr;
  // All that it knows, to tell which of them a driver lacks; may be left empty.
  std::span<const std::string_view> names;
};

// What vkEnumerateDeviceExtensionProperties answers: the driver's extensions that are not hidden,
// and the emulated ones.
std::vector<VkExtensionProperties> guest_device_extensions(const DriverProfile& profile);

// Names for the driver's VkDeviceCreateInfo: the guest's without the emulated ones, then those that
// the memory plan needs, each once. A name that guest_device_extensions does not show is refused
// with VK_ERROR_EXTENSION_NOT_PRESENT. The pointers are the guest's own or static.
std::expected<std::vector<const char*>, VkResult> driver_device_extensions(
    const DriverProfile& profile, std::span<const char* const> guest);

// Why a driver's extension is kept from guests whatever the driver, or "" if it is not.
std::string_view hidden_reason(std::string_view extension);

}  // namespace pvgpu::host
