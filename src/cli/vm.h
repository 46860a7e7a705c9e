// `pvgpu vm`: a private device and a virtual machine in QEMU that uses it.
#pragma once

#include <string>
#include <vector>

#include "cli/qemu.h"
#include "platform/error.h"

namespace pvgpu::cli {

struct VmOptions {
  QemuMachine machine;  // its socket is the private device's
  std::string qemu;     // the program; empty: qemu-system-ARCH
  std::string kernel, initrd, disk, append;
  std::vector<std::string> more;              // for QEMU
  std::vector<std::string> device_arguments;  // --gpu, --log-level, --window … for `pvgpu device`
};

// What QEMU is called with.
std::vector<std::string> vm_arguments(const VmOptions& options);

// The exit code: QEMU's own, or 128 + N after signal N. An error with an empty text has been told to the user already. Main
// thread, before any other exists.
Result<int> vm(VmOptions options);

}  // namespace pvgpu::cli
