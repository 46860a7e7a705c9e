// Describes what the Vulkan loader of this system shows: natively, or in a guest, where it is Mesa's Venus driver.
#pragma once

#include <string>

#include "describe/fact.h"
#include "platform/error.h"

namespace pvgpu::describe {

// `loader`: a file, or "" for the system's. The environment says which drivers it finds. The loader and its drivers stay
// open until the process ends. Devices below Vulkan 1.1 are left out.
Result<Description> describe_driver(const std::string& loader);

}  // namespace pvgpu::describe
