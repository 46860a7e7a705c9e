#include "platform/hypervisor.h"

#include <sys/sysctl.h>

#include <cstddef>

namespace pvgpu::platform {

const char* const kHypervisor = "hvf";
const char* const kSharedMemoryBackend = "memory-backend-shm";

bool has_hypervisor() {
  int supported = 0;
  size_t size = sizeof supported;
  return ::sysctlbyname("kern.hv_support", &supported, &size, nullptr, 0) == 0 && supported;
}

}  // namespace pvgpu::platform
