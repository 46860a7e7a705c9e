#include "cli/private_server.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <utility>

#include "observe/log.h"
#include "platform/pipe.h"
#include "platform/poller.h"
#include "platform/shared_memory.h"
#include "platform/system_call.h"

namespace pvgpu::cli {
namespace {

using platform::ChildProcess;
using platform::Poller;
using platform::SignalQueue;

constexpr auto kGrace = std::chrono::seconds(5);
constexpr int kReadyFd = 3;  // in the server

enum Token : uint64_t { kReady, kSignal, kProgramEnded, kServerEnded };

// What the server says once it is ready. The error: it did not start, and has said why, or a signal came first.
Result<std::string> wait_until_ready(ChildProcess& process, const platform::UniqueFd& ready,
                                     const SignalQueue& signals) {
  auto poller = Poller::create();
  if (!poller) return std::unexpected(poller.error());
  poller->add(ready.get(), kReady, Poller::Interest::kReadable);
  poller->add(signals.fd().get(), kSignal, Poller::Interest::kReadable);
  for (;;) {
    for (uint64_t token : poller->wait(std::nullopt)) {
      if (token == kSignal) return fail("");
      auto text = platform::read_to_end(ready.get());
      if (!text) return std::unexpected(text.error());
      if (text->starts_with("READY=1\n")) return text;
      auto status = process.wait();
      if (status.signal == 0) return fail("");
      return fail("the server ended while it started: " + status.describe());
    }
  }
}

}  // namespace

Result<PrivateServer> PrivateServer::start(const std::vector<std::string>& arguments,
                                           const SignalQueue& signals, const std::string& subcommand) {
  auto folder = platform::TemporaryFolder::create();
  if (!folder) return std::unexpected(folder.error());
  const std::string socket_path = folder->path() + "/socket";
  auto pipe = platform::create_pipe();
  if (!pipe) return std::unexpected(pipe.error());
  platform::Command command;
  command.arguments = {subcommand, "--socket=" + socket_path, "--ready-fd=" + std::to_string(kReadyFd),
                       "--parent=" + std::to_string(::getpid())};
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  command.descriptors = {pipe->writer.get()};
  command.own_process_group = true;  // it outlives the program's Ctrl-C
  command.standard_streams_to_log = true;
  auto process = ChildProcess::spawn(command);
  if (!process) return std::unexpected(process.error());
  pipe->writer.reset();
  PrivateServer server(std::move(*folder), socket_path, std::move(*process));
  auto said = wait_until_ready(server.process_, pipe->reader, signals);
  if (!said) return std::unexpected(said.error());
  server.memory_is_dma_buf_ = said->contains("\nMEMORY=dma_buf\n");
  return server;
}

platform::ExitStatus PrivateServer::wait_beside(ChildProcess& program, const SignalQueue& signals) {
  auto poller = Poller::create();
  if (!poller) return program.wait();
  poller->add(program.exit_fd().get(), kProgramEnded, Poller::Interest::kReadable);
  poller->add(process_.exit_fd().get(), kServerEnded, Poller::Interest::kReadable);
  poller->add(signals.fd().get(), kSignal, Poller::Interest::kReadable);
  for (;;) {
    for (uint64_t token : poller->wait(std::nullopt)) {
      if (token == kProgramEnded) return program.wait();
      if (token == kServerEnded) {
        LOG_ERROR("the server has ended: {}", process_.wait().describe());
        poller->remove(process_.exit_fd().get());
      }
      if (token != kSignal) continue;
      while (auto signal = signals.next()) {
        if (!signal->from_terminal) program.kill(signal->number);
      }
    }
  }
}

PrivateServer::~PrivateServer() {
  if (process_.pid() <= 0) return;  // moved from
  process_.kill(SIGTERM);
  if (!process_.wait_for(kGrace)) {
    LOG_WARN("the server did not stop in time; it is killed");
    process_.kill(SIGKILL);
    process_.wait();
  }
}

}  // namespace pvgpu::cli
