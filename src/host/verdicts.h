// Decides, from what is known of a driver, what is emulated and what becomes of every extension,
// and puts the reasons in words. Pure; any thread.
#pragma once

#include <string_view>

#include "host/extensions.h"
#include "host/profile.h"

namespace pvgpu::host {

// What DriverProfile::split_memory_types is called.
inline constexpr std::string_view kMemoryForImages = "memory for images";

// Sets `emulation` and `verdicts` of a profile that is complete but for them.
void judge(DriverProfile& profile, const CarriedExtensions& carried);

}  // namespace pvgpu::host
