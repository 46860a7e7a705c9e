// Where this program lies, to find what lies beside it. Any thread.
#pragma once

#include <string>

namespace pvgpu::platform {

// The program's file; "" where the system does not tell.
std::string own_path();

}  // namespace pvgpu::platform
