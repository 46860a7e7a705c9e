// Sparse binding where it cannot work: pages of a sparse resource are bound to memory that the driver must know by more than a
// pointer. lavapipe maps the memory's descriptor again, which memory imported by pointer has not; the call succeeds and
// nothing is bound. So a device whose memory types are all imported is shown to guests without sparse resources.
// Pure functions; any thread.
#pragma once

#include <vulkan/vulkan_core.h>

#include <string_view>

#include "host/profile.h"

namespace pvgpu::host::sparse {

// Every memory type is served by memory that the driver imports.
bool is_hidden(const DriverProfile& profile);
inline constexpr std::string_view kName = "sparse binding";
inline constexpr std::string_view kReason =
    "all memory is imported into the driver by pointer, and sparse pages cannot be bound to such memory";

// What the driver says, without sparse resources.
void hide(VkPhysicalDeviceFeatures& features);
void hide(VkPhysicalDeviceProperties& properties);
void hide(VkQueueFamilyProperties& properties);

}  // namespace pvgpu::host::sparse
