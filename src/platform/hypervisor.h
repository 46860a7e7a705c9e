// What this system has for running virtual machines, in QEMU's words. Any thread.
#pragma once

namespace pvgpu::platform {

extern const char* const kHypervisor;
// Whether this process may use it, for ordinary kernels of this processor's kind.
bool has_hypervisor();

// The kind of memory that QEMU shares with other processes.
extern const char* const kSharedMemoryBackend;

}  // namespace pvgpu::platform
