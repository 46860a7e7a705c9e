// Decides, from what is known of a driver, what is emulated and what becomes of every extension,
// and puts the reasons in words. Pure; any thread.
#pragma once

#include "host/extensions.h"
#include "host/profile.h"

namespace pvgpu::host {

// Sets `emulation` and `verdicts` of a profile that is complete but for them.
void judge(DriverProfile& profile, const CarriedExtensions& carried);

}  // namespace pvgpu::host
