#include "cli/run.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <utility>

#include "cli/guest_environment.h"
#include "cli/icd.h"
#include "observe/log.h"
#include "observe/user_error.h"
#include "platform/poller.h"
#include "platform/process.h"
#include "platform/shared_memory.h"
#include "platform/signals.h"
#include "platform/system_call.h"
#include "platform/temporary_folder.h"

namespace pvgpu::cli {
namespace {

using platform::ChildProcess;
using platform::Poller;
using platform::SignalQueue;

constexpr auto kServerGrace = std::chrono::seconds(5);
constexpr int kReadyFd = 3;  // in the server

enum Token : uint64_t { kReady, kProgramEnded, kServerEnded, kSignal };

Result<std::vector<std::string>> icds_for(const RunOptions& options) {
  if (options.icd.empty()) {
    return find_virtio_icds(icd_folders([](const char* name) { return ::getenv(name); }));
  }
  std::error_code error;
  auto path = std::filesystem::absolute(options.icd, error);
  if (error || !std::filesystem::is_regular_file(path, error)) {
    return fail("there is no driver manifest " + options.icd,
                "--icd takes a file such as /usr/share/vulkan/icd.d/virtio_icd.x86_64.json");
  }
  return std::vector{path.string()};
}

struct Server {
  ChildProcess process;
  platform::UniqueFd ready;  // what it says once it is ready; then the end of the file
};

Result<Server> start_server(const RunOptions& options, const std::string& socket_path) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return platform::system_error("cannot create a pipe", errno);
  platform::UniqueFd reader(ends[0]), writer(ends[1]);
  platform::Command command;
  command.arguments = {"serve", "--socket=" + socket_path, "--ready-fd=" + std::to_string(kReadyFd),
                       "--parent=" + std::to_string(::getpid())};
  command.arguments.insert(command.arguments.end(), options.server_arguments.begin(),
                           options.server_arguments.end());
  command.descriptors = {writer.get()};
  command.own_process_group = true;  // it outlives the program's Ctrl-C
  command.standard_streams_to_log = true;
  auto process = ChildProcess::spawn(command);
  if (!process) return std::unexpected(process.error());
  return Server{std::move(*process), std::move(reader)};
}

// Whether the server's memory is dma-bufs. The error: it did not start, and has said why, or a
// signal came first.
Result<bool> wait_until_ready(Server& server, const SignalQueue& signals) {
  auto poller = Poller::create();
  if (!poller) return std::unexpected(poller.error());
  poller->add(server.ready.get(), kReady, Poller::Interest::kReadable);
  poller->add(signals.fd().get(), kSignal, Poller::Interest::kReadable);
  for (;;) {
    for (uint64_t token : poller->wait(std::nullopt)) {
      if (token == kSignal) return fail("");
      auto text = platform::read_to_end(server.ready.get());
      if (!text) return std::unexpected(text.error());
      if (text->starts_with("READY=1\n")) return text->contains("\nMEMORY=dma_buf\n");
      auto status = server.process.wait();
      if (status.signal == 0) return fail("");
      return fail("the server ended while it started: " + status.describe());
    }
  }
}

std::vector<std::string> own_environment() {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry; entry++) entries.emplace_back(*entry);
  return entries;
}

platform::ExitStatus wait_for_program(ChildProcess& program, Server& server,
                                      const SignalQueue& signals) {
  auto poller = Poller::create();
  if (!poller) return program.wait();
  poller->add(program.exit_fd().get(), kProgramEnded, Poller::Interest::kReadable);
  poller->add(server.process.exit_fd().get(), kServerEnded, Poller::Interest::kReadable);
  poller->add(signals.fd().get(), kSignal, Poller::Interest::kReadable);
  for (;;) {
    for (uint64_t token : poller->wait(std::nullopt)) {
      if (token == kProgramEnded) return program.wait();
      if (token == kServerEnded) {
        LOG_ERROR("the server has ended: {}", server.process.wait().describe());
        poller->remove(server.process.exit_fd().get());
      }
      if (token != kSignal) continue;
      while (auto signal = signals.next()) {
        // The terminal's signals have reached the program already.
        if (!signal->from_terminal) program.kill(signal->number);
      }
    }
  }
}

void stop_server(Server& server) {
  server.process.kill(SIGTERM);
  if (!server.process.wait_for(kServerGrace)) {
    LOG_WARN("the server did not stop in time; it is killed");
    server.process.kill(SIGKILL);
    server.process.wait();
  }
}

}  // namespace

Result<int> run(const RunOptions& options) {
  auto icds = icds_for(options);
  if (!icds) return std::unexpected(icds.error());
  auto signals = SignalQueue::create({SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2});
  if (!signals) return std::unexpected(signals.error());
  auto folder = platform::TemporaryFolder::create();
  if (!folder) return std::unexpected(folder.error());

  GuestSettings settings;
  settings.socket_path = folder->path() + "/vtest";
  settings.icds = *icds;
  auto server = start_server(options, settings.socket_path);
  if (!server) return std::unexpected(server.error());
  auto dma_buf = wait_until_ready(*server, *signals);
  if (!dma_buf) {
    stop_server(*server);
    return std::unexpected(dma_buf.error());
  }
  settings.software_wsi = !*dma_buf;

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
  stop_server(*server);
  return code;
}

}  // namespace pvgpu::cli
