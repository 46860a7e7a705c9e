// Opens libraries that are wanted only when something is asked for that needs them. Any thread.
#pragma once

#include <string>

namespace pvgpu::platform {

// The library `name` (without lib) of this major version of its interface, where the system or its packages keep such. Stays
// open. Null, with what the system said last in `error`.
void* open_shared_library(const std::string& name, int version, std::string& error);

}  // namespace pvgpu::platform
