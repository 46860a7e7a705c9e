// What the parts of the sandbox share. Internal to linux/.
#pragma once

#include "platform/error.h"

namespace pvgpu::platform {

// A sanitizer's runtime starts processes to look at this one (leaks at its end, names of functions in reports), so that builds with
// one are left that.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

// No program that is started gets more rights than this thread has (setuid). Without that, no others than root may restrict themselves.
Result<void> give_up_new_privileges();
// What root may do beside what its user may, but for what drivers and files of others need; of this thread, and those that it starts.
Result<void> give_up_capabilities();

}  // namespace pvgpu::platform
