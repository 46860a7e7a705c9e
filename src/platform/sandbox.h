// Takes from this process what serving a guest does not need, so that a guest that has taken over the driver has taken over little
// else. For a worker's main thread, in this order, each once; there is no way back. Refused calls fail with EPERM, so that a driver
// that only tries goes on.
#pragma once

#include <string>
#include <vector>

#include "platform/error.h"

namespace pvgpu::platform {

// Whether this system's restrictions have been tried with its drivers, so that workers have them unless told otherwise.
extern const bool kSandboxIsTried;

// What restrict_files and restrict_calls work by, for people: "Landlock 7". The error: why they cannot work here.
Result<std::string> file_restriction();
Result<std::string> call_restriction();

// Before the driver is loaded, and before there are other threads, which would keep their rights. From now on files can be written
// and created only where drivers keep their shader caches, and devices opened only if drivers need them; reading other files is left.
// `files` are written too, and may be created: their folders then stay writable, with what is in them.
Result<void> restrict_files(const std::vector<std::string>& files);

// Once the driver is loaded, for all threads that there are and will be: no further process, no socket, no signal to others, nothing
// that changes the system or looks into other processes.
Result<void> restrict_calls();

}  // namespace pvgpu::platform
