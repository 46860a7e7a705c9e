#include "cli/run.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <utility>

#include "cli/guest_environment.h"
#include "cli/private_server.h"
#include "describe/icd.h"
#include "observe/log.h"
#include "observe/user_error.h"
#include "platform/poller.h"
#include "platform/process.h"
#include "platform/signals.h"

namespace pvgpu::cli {
namespace {

using platform::ChildProcess;
using platform::Poller;
using platform::SignalQueue;

enum Token : uint64_t { kProgramEnded, kServerEnded, kSignal };

Result<std::vector<std::string>> icds_for(const RunOptions& options) {
  if (options.icd.empty()) {
    return describe::find_virtio_icds(describe::icd_folders([](const char* name) { return ::getenv(name); }));
  }
  std::error_code error;
  auto path = std::filesystem::absolute(options.icd, error);
  if (error || !std::filesystem::is_regular_file(path, error)) {
    return fail("there is no driver manifest " + options.icd,
                "--icd takes a file such as /usr/share/vulkan/icd.d/virtio_icd.x86_64.json");
  }
  return std::vector{path.string()};
}

std::vector<std::string> own_environment() {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry; entry++) entries.emplace_back(*entry);
  return entries;
}

platform::ExitStatus wait_for_program(ChildProcess& program, PrivateServer& server,
                                      const SignalQueue& signals) {
  auto poller = Poller::create();
  if (!poller) return program.wait();
  poller->add(program.exit_fd().get(), kProgramEnded, Poller::Interest::kReadable);
  poller->add(server.process().exit_fd().get(), kServerEnded, Poller::Interest::kReadable);
  poller->add(signals.fd().get(), kSignal, Poller::Interest::kReadable);
  for (;;) {
    for (uint64_t token : poller->wait(std::nullopt)) {
      if (token == kProgramEnded) return program.wait();
      if (token == kServerEnded) {
        LOG_ERROR("the server has ended: {}", server.process().wait().describe());
        poller->remove(server.process().exit_fd().get());
      }
      if (token != kSignal) continue;
      while (auto signal = signals.next()) {
        // The terminal's signals have reached the program already.
        if (!signal->from_terminal) program.kill(signal->number);
      }
    }
  }
}

}  // namespace

Result<int> run(const RunOptions& options) {
  auto icds = icds_for(options);
  if (!icds) return std::unexpected(icds.error());
  auto signals = SignalQueue::create({SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2});
  if (!signals) return std::unexpected(signals.error());
  auto server = PrivateServer::start(options.server_arguments, *signals);
  if (!server) return std::unexpected(server.error());
  GuestSettings settings;
  settings.socket_path = server->socket_path();
  settings.icds = *icds;
  settings.software_wsi = !server->memory_is_dma_buf();

  platform::Command command;
  command.program = options.program.front();
  command.arguments.assign(options.program.begin() + 1, options.program.end());
  command.environment = guest_environment(own_environment(), settings);
  command.keep_inherited_descriptors = true;
  auto program = ChildProcess::spawn(command);
  int code = 0;
  if (program) {
    code = wait_for_program(*program, *server, *signals).shell_code();
  } else {
    bool missing = errno == ENOENT;
    observe::print_error(program.error());
    code = missing ? 127 : 126;
  }
  return code;
}

}  // namespace pvgpu::cli
