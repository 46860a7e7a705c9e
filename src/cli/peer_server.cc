#include "cli/peer_server.h"

#include <signal.h>

#include <chrono>
#include <filesystem>
#include <system_error>

namespace pvgpu::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience(5000);
// It tells nobody when it is ready, so its socket is looked for.
constexpr milliseconds kInterval(20);

}  // namespace

Result<PeerServer> PeerServer::start(const std::string& program) {
  auto folder = platform::TemporaryFolder::create();
  if (!folder) return std::unexpected(folder.error());
  const std::string socket_path = folder->path() + "/vtest";
  platform::Command command;
  command.program = "/bin/sh";
  // It writes a line for each client, which is no news to our user.
  command.arguments = {"-c", "exec \"$0\" --no-virgl --venus --socket-path \"$1\" > /dev/null 2>&1",
                       program, socket_path};
  command.own_process_group = true;
  command.standard_streams_to_log = true;
  auto process = platform::ChildProcess::spawn(command);
  if (!process) return std::unexpected(process.error());
  PeerServer server(std::move(*folder), socket_path, std::move(*process));
  std::error_code ignored;
  for (auto waited = milliseconds(0); waited < kPatience; waited += kInterval) {
    if (std::filesystem::is_socket(socket_path, ignored)) return server;
    const auto ended = server.process_.wait_for(kInterval);
    if (ended && ended->code == 127) return fail(program + " is not installed");
    if (ended) return fail(program + " ended while it started: " + ended->describe());
  }
  return fail(program + " opened no socket");
}

PeerServer::~PeerServer() {
  if (process_.pid() <= 0) return;  // moved from
  ::kill(-process_.pid(), SIGKILL);
  process_.wait();
}

}  // namespace pvgpu::cli
