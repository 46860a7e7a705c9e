#include "cli/qemu.h"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string_view>

#include "platform/hypervisor.h"
#include "platform/process.h"
#include "platform/shared_memory.h"

namespace pvgpu::cli {
namespace {

constexpr unsigned kMajor = 11, kMinor = 1;  // the first with vhost-user-test-device-pci and SHMEM_MAP

}  // namespace

std::string qemu_value(const std::string& text) {
  std::string result;
  for (const char letter : text) result.append(letter == ',' ? 2 : 1, letter);
  return result;
}

std::string host_arch() {
  utsname name{};
  const std::string machine = ::uname(&name) == 0 ? name.machine : "";
  return machine == "arm64" ? "aarch64" : machine;  // macOS's word
}

std::string best_accelerator(const std::string& arch) {
  return arch == host_arch() && platform::has_hypervisor() ? platform::kHypervisor : "tcg";
}

std::string qemu_device(const std::string& chardev) {
  // The fifth word of the config space tells the alignment of blobs, where pages are larger than guests'.
  return fmt::format("vhost-user-test-device-pci,virtio-id=16,num_vqs=2,vq_size=256,config_size={},chardev={}",
                     platform::page_size() > 4096 ? 20 : 16, chardev);
}

std::string console_of(const std::string& arch) { return arch == "aarch64" ? "ttyAMA0" : "ttyS0"; }

std::vector<std::string> qemu_arguments(const QemuMachine& machine) {
  const bool arm = machine.arch == "aarch64";
  const std::string how = machine.accelerator.empty() ? best_accelerator(machine.arch) : machine.accelerator;
  const bool emulated = how == "tcg";
  return {"-machine", std::string(arm ? "virt" : "q35") + ",memory-backend=pvgpu-memory",
          "-accel", emulated ? "tcg,thread=multi" : how,
          "-cpu", !emulated ? "host" : arm ? "cortex-a72" : "max",
          "-smp", std::to_string(machine.cpus),
          "-m", machine.memory,
          "-object", fmt::format("{},id=pvgpu-memory,size={},share=on", platform::kSharedMemoryBackend, machine.memory),
          "-chardev", fmt::format("socket,id=pvgpu-gpu,path={}", qemu_value(machine.socket)),
          "-device", qemu_device("pvgpu-gpu")};
}

std::string shell_line(const std::vector<std::string>& words) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=,./:@%";
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char letter : word) line += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
    line += '\'';
  }
  return line;
}

std::string qemu_version_in(const std::string& text) {
  constexpr std::string_view kBefore = "QEMU emulator version ";
  if (!text.starts_with(kBefore)) return "";
  const size_t end = text.find_first_not_of("0123456789.", kBefore.size());
  return text.substr(kBefore.size(), end == std::string::npos ? end : end - kBefore.size());
}

bool takes_our_device(const std::string& version) {
  unsigned major = 0, minor = 0;
  const char* end = version.data() + version.size();
  const auto first = std::from_chars(version.data(), end, major);
  if (first.ptr != end && *first.ptr == '.') std::from_chars(first.ptr + 1, end, minor);
  return major > kMajor || (major == kMajor && minor >= kMinor);
}

Result<std::string> check_qemu(const std::string& program) {
  const auto said = platform::ask_for_version(program);
  if (!said) return std::unexpected(said.error());
  const int code = said->status.shell_code();
  if (code == 127 || code == 126)
    return fail("there is no " + program, "install QEMU 11.1 or newer (Debian 13: from trixie-backports), or name its program with --qemu");
  const std::string version = qemu_version_in(said->text);
  if (version.empty()) return fail(program + " does not tell a version of QEMU", "--qemu takes a program such as qemu-system-x86_64");
  if (!takes_our_device(version))
    return fail(fmt::format("{} is of QEMU {}, which cannot take our device", program, version),
                "QEMU 11.1 or newer is needed (Debian 13: from trixie-backports); --qemu names another program");
  return version;
}

}  // namespace pvgpu::cli
