#include "cli/run.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "cli/guest_environment.h"
#include "cli/private_server.h"
#include "describe/icd.h"
#include "observe/user_error.h"
#include "platform/process.h"
#include "platform/signals.h"

namespace pvgpu::cli {
namespace {

using platform::ChildProcess;
using platform::SignalQueue;

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
  for (char** entry = platform::own_environment(); *entry; entry++) entries.emplace_back(*entry);
  return entries;
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
    code = server->wait_beside(*program, *signals).shell_code();
  } else {
    bool missing = errno == ENOENT;
    observe::print_error(program.error());
    code = missing ? 127 : 126;
  }
  return code;
}

}  // namespace pvgpu::cli
