// Decides, from what is known of a driver, what is emulated and what becomes of every extension,
// and puts the reasons in words. Pure; any thread.
#pragma once

#include <string_view>

#include "host/profile.h"

namespace pvgpu::host {

// Sets `emulation` and `verdicts` of a profile that is complete but for them. `carries_extension`
// as in HostOptions.
void judge(DriverProfile& profile, bool (*carries_extension)(std::string_view));

}  // namespace pvgpu::host
