// What QEMU must be told for a virtual machine that gets its GPU from us, and what there is of QEMU here. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "platform/error.h"

namespace pvgpu::cli {

struct QemuMachine {
  std::string arch = "x86_64";  // or aarch64
  std::string accelerator;      // tcg, kvm or hvf; empty: what works here
  std::string socket;           // of `pvgpu device`
  std::string memory = "2G";    // as QEMU takes it: a number with K, M, G or T behind it
  uint32_t cpus = 1;
};

// This processor's architecture, in QEMU's words.
std::string host_arch();
// The system's hypervisor where a guest of `arch` would run on it, else tcg.
std::string best_accelerator(const std::string& arch);
// The options of the machine and of its GPU. What it boots, its disks and its console are the caller's.
std::vector<std::string> qemu_arguments(const QemuMachine& machine);
// QEMU's -device for a GPU of ours that is reached through `chardev`.
std::string qemu_device(const std::string& chardev);
// The device that a guest of `arch` has its console on.
std::string console_of(const std::string& arch);

// A value in one of QEMU's options: a comma would end it.
std::string qemu_value(const std::string& text);
// Words as a shell reads them.
std::string shell_line(const std::vector<std::string>& words);

// The version that `program` (a path, or a name in PATH) tells, such as "11.1.3". An error: it is missing, says nothing that can be
// read, or is too old to take our device.
Result<std::string> check_qemu(const std::string& program);
// Of what `qemu --version` prints; empty if it is none.
std::string qemu_version_in(const std::string& text);
bool takes_our_device(const std::string& version);

}  // namespace pvgpu::cli
