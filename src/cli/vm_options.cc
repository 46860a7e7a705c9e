#include "cli/vm_options.h"

#include <algorithm>
#include <cctype>

#include "platform/hypervisor.h"

namespace pvgpu::cli {
namespace {

void add_machine(CLI::App& command, QemuMachine& machine) {
  command.add_option("--arch", machine.arch, "The guest's architecture: x86_64 (default) or aarch64")
      ->check(CLI::IsMember({"x86_64", "aarch64"}))
      ->option_text("ARCH");
  command.add_option("--memory", machine.memory, "Of the guest, such as 512M; default: 2G")
      ->check([](const std::string& bytes) {
        const bool digits = bytes.size() > 1 && std::all_of(bytes.begin(), bytes.end() - 1, [](unsigned char c) { return std::isdigit(c); });
        return digits && std::string_view("KMGT").contains(bytes.back()) ? "" : "no number with K, M, G or T behind it";
      })
      ->option_text("BYTES");
  command.add_option("--cpus", machine.cpus, "Of the guest; default: 1")->check(CLI::Range(1u, 256u))->option_text("N");
  const std::string hypervisor = platform::kHypervisor;
  command.add_option("--accel", machine.accelerator, hypervisor + " or tcg (emulation); default: " + hypervisor + " where it works")
      ->check(CLI::IsMember({hypervisor, std::string("tcg")}))
      ->option_text("HOW");
}

}  // namespace

CLI::App* add_vm(CLI::App& app, VmOptions& options) {
  CLI::App* command = app.add_subcommand("vm", "Start a virtual machine that has this host's GPU: pvgpu vm --kernel vmlinuz");
  command->usage("Usage: pvgpu vm [OPTIONS] [-- QEMU OPTIONS...]");
  command->prefix_command();
  command->footer(
      "The guest's serial console is this terminal; Ctrl-A X ends QEMU. The exit code is QEMU's own, or 128 + N after\n"
      "signal N. The machine has nothing else: further devices come behind --.");
  command->add_option("--kernel", options.kernel, "The guest's kernel")->required()->option_text("FILE");
  command->add_option("--initrd", options.initrd, "Its first file system")->option_text("FILE");
  command->add_option("--disk", options.disk, "A disk, /dev/vda in the guest: qcow2, or else raw")->option_text("FILE");
  command->add_option("--append", options.append, "More of the kernel's command line, such as root=/dev/vda1")->option_text("WORDS");
  command->add_option("--qemu", options.qemu, "The QEMU program to use; default: qemu-system-ARCH")->option_text("PROGRAM");
  add_machine(*command, options.machine);
  return command;
}

CLI::App* add_qemu_args(CLI::App& app, VmOptions& options) {
  CLI::App* command = app.add_subcommand("qemu-args", "Print the options that give a machine of QEMU the GPU of `pvgpu device`");
  command->footer(
      "For a shell; what the machine boots, its disks and its network are yours to add:\n"
      "  eval qemu-system-x86_64 \"$(pvgpu qemu-args --socket /run/gpu.sock)\" -drive file=debian.qcow2,if=virtio");
  command->add_option("--socket", options.machine.socket, "Where `pvgpu device` listens")->required()->option_text("PATH");
  add_machine(*command, options.machine);
  return command;
}

}  // namespace pvgpu::cli
