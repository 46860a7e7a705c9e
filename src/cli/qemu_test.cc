#include "cli/qemu.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "cli/vm.h"
#include "platform/hypervisor.h"
#include "platform/temporary_folder.h"

namespace pvgpu::cli {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

// The word behind `option`.
std::string after(const std::vector<std::string>& words, const std::string& option) {
  const auto found = std::ranges::find(words, option);
  return found == words.end() || found + 1 == words.end() ? "" : *(found + 1);
}

TEST(Qemu, MachinesHaveSharedMemoryAndTheDevice) {
  const auto x86 = qemu_arguments({.arch = "x86_64", .accelerator = "tcg", .socket = "/run/gpu,1", .memory = "512M", .cpus = 2});
  EXPECT_EQ(after(x86, "-machine"), "q35,memory-backend=pvgpu-memory");
  EXPECT_EQ(after(x86, "-m"), "512M");
  EXPECT_EQ(after(x86, "-smp"), "2");
  EXPECT_EQ(after(x86, "-object"), platform::kSharedMemoryBackend + std::string(",id=pvgpu-memory,size=512M,share=on"));
  EXPECT_EQ(after(x86, "-chardev"), "socket,id=pvgpu-gpu,path=/run/gpu,,1");
  EXPECT_THAT(after(x86, "-device"), HasSubstr("vhost-user-test-device-pci,virtio-id=16,"));
  EXPECT_EQ(after(x86, "-cpu"), "max");
  const auto arm = qemu_arguments({.arch = "aarch64", .accelerator = "kvm", .socket = "/run/gpu"});
  EXPECT_EQ(after(arm, "-machine"), "virt,memory-backend=pvgpu-memory");
  EXPECT_EQ(after(arm, "-accel"), "kvm");
  EXPECT_EQ(after(arm, "-cpu"), "host");
}

TEST(Qemu, GuestsOfOtherProcessorsAreEmulated) { EXPECT_EQ(best_accelerator("another"), "tcg"); }

TEST(Qemu, WordsForAShell) {
  EXPECT_EQ(shell_line({"-m", "2G", "a b", "it's", ""}), "-m 2G 'a b' 'it'\\''s' ''");
}

TEST(Qemu, Versions) {
  EXPECT_EQ(qemu_version_in("QEMU emulator version 11.1.3 (Debian 1:11.1.3)\n"), "11.1.3");
  EXPECT_EQ(qemu_version_in("GNU bash\n"), "");
  for (const char* version : {"11.1", "11.1.3", "11.2.0", "12.0.0"}) EXPECT_TRUE(takes_our_device(version)) << version;
  for (const char* version : {"11.0.9", "10.2", "7.2.1", "11", ""}) EXPECT_FALSE(takes_our_device(version)) << version;
}

TEST(Qemu, OneThatIsMissingOrOldOrNoneIsAUsersError) {
  auto folder = platform::TemporaryFolder::create().value();
  const auto program = [&](const char* name, const std::string& script) {
    const std::string path = folder.path() + "/" + name;
    std::ofstream(path) << "#!/bin/sh\n" << script;
    ::chmod(path.c_str(), 0700);
    return path;
  };
  EXPECT_THAT(check_qemu(folder.path() + "/missing").error().what, HasSubstr("there is no "));
  EXPECT_THAT(check_qemu(program("old", "echo QEMU emulator version 10.0.2")).error().what, HasSubstr("10.0.2, which cannot take"));
  EXPECT_THAT(check_qemu(program("other", "echo hello")).error().what, HasSubstr("does not tell a version"));
  EXPECT_EQ(check_qemu(program("new", "echo QEMU emulator version 11.1.3")).value(), "11.1.3");
}

TEST(Vm, TellsQemuWhatToBoot) {
  auto folder = platform::TemporaryFolder::create().value();
  std::ofstream(folder.path() + "/image") << "QFI\xfb and more";
  VmOptions options{.kernel = "vmlinuz", .disk = folder.path() + "/image", .append = "root=/dev/vda1", .more = {"-snapshot"}};
  auto words = vm_arguments(options);
  EXPECT_EQ(after(words, "-kernel"), "vmlinuz");
  EXPECT_EQ(after(words, "-append"), "console=ttyS0 root=/dev/vda1");
  EXPECT_EQ(after(words, "-drive"), "if=virtio,format=qcow2,file=" + folder.path() + "/image");
  EXPECT_THAT(words, testing::Not(Contains("-initrd")));
  EXPECT_EQ(words.back(), "-snapshot");
  options.machine.arch = "aarch64";
  options.disk = folder.path() + "/raw";
  words = vm_arguments(options);
  EXPECT_EQ(after(words, "-append"), "console=ttyAMA0 root=/dev/vda1");
  EXPECT_THAT(after(words, "-drive"), HasSubstr("format=raw"));
}

}  // namespace
}  // namespace pvgpu::cli
