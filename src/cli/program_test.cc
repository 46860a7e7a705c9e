// The pvgpu program itself, as far as it needs no GPU: what it says and how it exits.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "platform/own_path.h"
#include "platform/process.h"
#include "platform/shared_memory.h"
#include "platform/temporary_folder.h"
#include "platform/unix_socket.h"

namespace pvgpu::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Outcome {
  int code;
  std::string output;  // and errors
};

Outcome pvgpu(const std::string& arguments) {
  // Beside the test, wherever both were taken.
  const std::string program = std::filesystem::path(platform::own_path()).replace_filename("pvgpu");
  auto output = platform::anonymous_file("output").value();
  platform::Command command;
  command.program = "/bin/sh";
  command.arguments = {"-c", "exec '" + program + "' " + arguments + " >&3 2>&3"};
  command.descriptors = {output.get()};
  auto child = platform::ChildProcess::spawn(command).value();
  int code = child.wait().shell_code();
  return {code, platform::read_file(output.get()).value()};
}

TEST(Program, TellsItsVersionAndItsCommands) {
  auto version = pvgpu("--version");
  EXPECT_EQ(version.code, 0);
  EXPECT_THAT(version.output, testing::StartsWith("pvgpu "));
  auto help = pvgpu("--help");
  EXPECT_EQ(help.code, 0);
  for (const char* command : {"run", "serve", "device", "vm", "qemu-args", "info", "bench", "--list-gpus"}) {
    EXPECT_THAT(help.output, HasSubstr(command));
  }
  EXPECT_THAT(help.output, Not(HasSubstr("worker")));
  auto serve_help = pvgpu("serve --help");
  EXPECT_EQ(serve_help.code, 0);
  for (const char* option : {"--socket", "--gpu", "--max-clients", "--isolation", "--ready-fd",
                             "--log-level", "VTEST_SOCKET_NAME"}) {
    EXPECT_THAT(serve_help.output, HasSubstr(option));
  }
  EXPECT_THAT(serve_help.output, Not(HasSubstr("--parent")));
  auto info_help = pvgpu("info --help");
  EXPECT_EQ(info_help.code, 0);
  for (const char* option : {"--parity", "--guest-command", "--guest-icd", "--strict", "--json"}) {
    EXPECT_THAT(info_help.output, HasSubstr(option));
  }
}

TEST(Program, ListsTheWorksOfBench) {
  auto outcome = pvgpu("bench --list");
  EXPECT_EQ(outcome.code, 0);
  for (const char* word : {"round-trip", "p99.9", "10000.in-flight-3", "frames/s"}) {
    EXPECT_THAT(outcome.output, HasSubstr(word));
  }
}

TEST(Program, UsersMistakesAreOneLineAndAHintAndExitCode2) {
  for (const char* arguments :
       {"frobnicate", "info --strict", "info --guest-icd=/virtio.json", "serve --frobnicate", "serve --isolation=vm", "info --log-level=loud",
        "serve --max-clients=0", "run", "run --", "run --frobnicate -- true",
        "serve --socket=/nonexistent/socket",
        "serve --socket=", "run --icd=/nonexistent.json -- true", "worker --supervisor=1",
        "bench --only=frobnicate", "bench --rounds=0", "bench --html=/nonexistent/page.html",
        "device --socket=/nonexistent/socket --display=gtk", "device --socket=/nonexistent/socket --display-size=1x1",
        "device --socket=/nonexistent/socket --display=png:/dev/null/pictures",
        "device --socket=/nonexistent/socket --display=vnc:no.such.host:5900",
        "vm", "vm --kernel=/nonexistent", "vm --kernel=/dev/null --qemu=/nonexistent/qemu", "vm --kernel=/dev/null --memory=2",
        "vm --kernel=/dev/null --frobnicate", "vm --kernel=/dev/null --qemu=/bin/true", "qemu-args", "qemu-args --socket=s --arch=z80",
        "serve --ready-fd=999 --socket=/nonexistent/socket"}) {
    auto outcome = pvgpu(arguments);
    EXPECT_EQ(outcome.code, 2) << arguments;
    EXPECT_THAT(outcome.output, testing::StartsWith("pvgpu: ")) << arguments;
    EXPECT_THAT(outcome.output, HasSubstr("\n  hint: ")) << arguments;
    EXPECT_EQ(std::ranges::count(outcome.output, '\n'), 2) << outcome.output;
  }
}

TEST(Program, ALevelOfTheEnvironmentIsCheckedToo) {
  ::setenv("PVGPU_LOG", "loud", 1);
  auto outcome = pvgpu("info");
  ::unsetenv("PVGPU_LOG");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.output, HasSubstr("PVGPU_LOG is \"loud\""));
}

TEST(Program, ASocketInUseIsReportedBeforeTheGpuIsTouched) {
  auto folder = platform::TemporaryFolder::create().value();
  auto listener = platform::ListeningSocket::create(folder.path() + "/socket").value();
  auto outcome = pvgpu("serve --vulkan-loader=/nonexistent --socket=" + folder.path() + "/socket");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.output, HasSubstr("another server is listening"));
}

TEST(Program, AHostWithoutVulkanIsAUsersErrorToldOnce) {
  auto folder = platform::TemporaryFolder::create().value();
  std::ofstream(folder.path() + "/virtio.json") << "{}";
  for (const std::string& arguments :
       {"serve --socket=" + folder.path() + "/socket",
        "run --icd=" + folder.path() + "/virtio.json", std::string("info"), std::string("info --parity"),
        std::string("bench --no-peer"),
        std::string("serve --isolation=thread --socket=") + folder.path() + "/socket"}) {
    std::string tail = arguments.starts_with("run") ? " -- true" : "";
    auto outcome = pvgpu(arguments + " --vulkan-loader=/nonexistent/libvulkan.so" + tail);
    EXPECT_EQ(outcome.code, 2) << outcome.output;
    EXPECT_THAT(outcome.output, testing::StartsWith("pvgpu: ")) << arguments;
    EXPECT_EQ(std::ranges::count(outcome.output, '\n'), 2) << outcome.output;
  }
}

}  // namespace
}  // namespace pvgpu::cli
