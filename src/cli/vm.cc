#include "cli/vm.h"

#include <fmt/format.h>
#include <signal.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>

#include "cli/private_server.h"
#include "platform/process.h"
#include "platform/signals.h"

namespace pvgpu::cli {
namespace {

// Told, so that QEMU guesses nothing from what a guest wrote to its disk.
std::string format_of_disk(const std::string& path) {
  std::array<char, 4> magic{};
  std::ifstream(path, std::ios::binary).read(magic.data(), magic.size());
  return std::string_view(magic.data(), magic.size()) == "QFI\xfb" ? "qcow2" : "raw";
}

Result<void> check_files(const VmOptions& options) {
  for (const auto& [name, path] : {std::pair("--kernel", options.kernel), std::pair("--initrd", options.initrd), std::pair("--disk", options.disk)}) {
    std::error_code error;
    if (!path.empty() && !std::filesystem::exists(path, error)) return fail(fmt::format("there is no file {}", path), fmt::format("{} takes one", name));
  }
  return {};
}

}  // namespace

std::vector<std::string> vm_arguments(const VmOptions& options) {
  std::vector<std::string> arguments = {"-nodefaults", "-no-user-config", "-display", "none", "-serial", "mon:stdio"};
  const auto add = [&](const std::vector<std::string>& words) { arguments.insert(arguments.end(), words.begin(), words.end()); };
  add(qemu_arguments(options.machine));
  add({"-kernel", options.kernel});
  if (!options.initrd.empty()) add({"-initrd", options.initrd});
  if (!options.disk.empty()) add({"-drive", fmt::format("if=virtio,format={},file={}", format_of_disk(options.disk), qemu_value(options.disk))});
  add({"-append", fmt::format("console={}{}{}", console_of(options.machine.arch), options.append.empty() ? "" : " ", options.append)});
  add(options.more);
  return arguments;
}

Result<int> vm(VmOptions options) {
  if (auto files = check_files(options); !files) return std::unexpected(files.error());
  if (options.qemu.empty()) options.qemu = "qemu-system-" + options.machine.arch;
  const auto version = check_qemu(options.qemu);
  if (!version) return std::unexpected(version.error());
  if (options.machine.accelerator.empty()) options.machine.accelerator = best_accelerator(options.machine.arch);
  auto signals = platform::SignalQueue::create({SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2});
  if (!signals) return std::unexpected(signals.error());
  auto device = PrivateServer::start(options.device_arguments, *signals, "device");
  if (!device) return std::unexpected(device.error());
  options.machine.socket = device->socket_path();
  const std::string how = options.machine.accelerator == "tcg" ? "emulated (TCG)" : "with " + options.machine.accelerator;
  std::fprintf(stderr, "pvgpu: %s machine on QEMU %s, %s\n", options.machine.arch.c_str(), version->c_str(), how.c_str());
  platform::Command command;
  command.program = options.qemu;
  command.arguments = vm_arguments(options);
  command.keep_inherited_descriptors = true;
  auto qemu = platform::ChildProcess::spawn(command);
  if (!qemu) return std::unexpected(qemu.error());
  return device->wait_beside(*qemu, *signals).shell_code();
}

}  // namespace pvgpu::cli
