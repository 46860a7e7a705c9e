#include "platform/hypervisor.h"

#include <unistd.h>

#include <fstream>
#include <string>

namespace pvgpu::platform {

const char* const kHypervisor = "kvm";
const char* const kSharedMemoryBackend = "memory-backend-memfd";

bool has_hypervisor() {
  if (::access("/dev/kvm", R_OK | W_OK) != 0) return false;
  // The device alone tells nothing on x86: in a virtual machine it may be there and run no ordinary kernel. (Other processors
  // have no such line.)
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("flags")) return line.contains(" vmx") || line.contains(" svm");
  }
  return true;
}

}  // namespace pvgpu::platform
