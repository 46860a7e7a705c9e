#include "frontends/server/serve.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <utility>

#include "frontends/server/session_thread.h"
#include "frontends/server/supervisor.h"
#include "host/host.h"
#include "observe/log.h"
#include "platform/poller.h"
#include "platform/process.h"
#include "platform/service_manager.h"
#include "platform/signals.h"
#include "platform/system_call.h"
#include "platform/unix_socket.h"
#include "venus/context.h"

namespace pvgpu::frontends::server {
namespace {

using platform::ListeningSocket;
using platform::SignalQueue;

bool hang_up_is_ignored() {
  struct sigaction action{};
  return ::sigaction(SIGHUP, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

Result<SignalQueue> stop_signals() {
  // nohup(1) and its like ask for the hang-up to be ignored.
  if (hang_up_is_ignored()) return SignalQueue::create({SIGINT, SIGTERM});
  return SignalQueue::create({SIGINT, SIGTERM, SIGHUP});
}

Result<ListeningSocket> open_socket(const std::string& path, int fd) {
  if (fd >= 0) {
    int listens = 0;
    socklen_t size = sizeof listens;
    if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || !listens) {
      return fail("descriptor " + std::to_string(fd) + " is no socket that listens",
                  "pass --fd a listening UNIX socket, or --socket a path");
    }
    platform::UniqueFd socket(fd);
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    return ListeningSocket::adopt(std::move(socket));
  }
  if (auto inherited = platform::socket_of_service_manager()) {
    return ListeningSocket::adopt(std::move(*inherited));
  }
  return ListeningSocket::create(path);
}

// nullopt: a signal came first.
Result<std::optional<ProbeResult>> probe(const WorkerCommand& command, const SignalQueue& signals) {
  enum : uint64_t { kEnded, kSignal };
  auto poller = platform::Poller::create();
  if (!poller) return std::unexpected(poller.error());
  auto running = Probe::start(command);
  if (!running) return std::unexpected(running.error());
  poller->add(running->end_fd().get(), kEnded, platform::Poller::Interest::kReadable);
  poller->add(signals.fd().get(), kSignal, platform::Poller::Interest::kReadable);
  auto ready = poller->wait(Probe::kTimeout);
  if (!ready.empty() && ready[0] == kSignal) return std::nullopt;
  auto result = running->result();
  if (!result) return std::unexpected(result.error());
  return *std::move(result);
}

void announce(const ServeOptions& options, const std::string& memory) {
  platform::notify_service_manager("READY=1");
  if (options.ready_fd < 0) return;
  platform::UniqueFd fd(options.ready_fd);
  std::string text = "READY=1\nMEMORY=" + memory + '\n';
  if (platform::retry([&] { return ::write(fd.get(), text.data(), text.size()); }) < 0) {
    LOG_WARN("cannot write to --ready-fd {}: {}", fd.get(), platform::error_text(errno));
  }
}

Result<void> supervise(const ServeOptions& options, const ListeningSocket& socket,
                       const SignalQueue& signals, ClientWorkers workers,
                       const std::string& memory) {
  Supervisor::Options supervisor_options;
  supervisor_options.max_clients = options.max_clients;
  supervisor_options.vtest_farewell = options.vtest_farewell;
  supervisor_options.on_quiet = [prepare = workers.prepare] { prepare(SIZE_MAX); };
  auto supervisor = Supervisor::create(socket, signals, std::move(workers.start), supervisor_options);
  if (!supervisor) return std::unexpected(supervisor.error());
  // One at once; more would take the processors from the first guest, if it comes right away.
  workers.prepare(1);
  LOG_INFO("listening; {}", fmt::format(fmt::runtime(options.invitation), options.socket_path));
  announce(options, memory);
  if (!supervisor->run()) {
    // A thread that does not end would keep the destructors waiting. Only the socket's file
    // matters.
    if (!options.socket_path.empty()) ::unlink(options.socket_path.c_str());
    LOG_ERROR("a session did not end in time; leaving it behind");
    ::_exit(EXIT_FAILURE);
  }
  platform::notify_service_manager("STOPPING=1");
  return {};
}

Result<void> serve_by_threads(const ServeOptions& options, const ListeningSocket& socket,
                              const SignalQueue& signals) {
  host::HostOptions host_options;
  host_options.carried = venus::carried_extensions();
  host_options.loader_path = options.worker.loader_path;
  host_options.gpu_selectors = options.worker.gpu_selectors;
  auto host = host::Host::open(host_options);
  if (!host) return std::unexpected(host.error());
  return supervise(options, socket, signals, {session_threads(**host, options.worker.observation), [](size_t) {}},
                   probe_of(**host).memory);
}

}  // namespace

Result<void> serve(const ServeOptions& options) {
  if (options.ready_fd >= 0 && ::fcntl(options.ready_fd, F_SETFD, FD_CLOEXEC) < 0) {
    return platform::system_error("cannot use --ready-fd " + std::to_string(options.ready_fd),
                                  errno,
                                  "pass the number of a descriptor that is open for writing");
  }
  if (options.end_with_parent > 0 && !platform::end_with_parent(SIGTERM, options.end_with_parent)) {
    return {};
  }
  platform::ignore_broken_pipes();
  platform::raise_descriptor_limit();
  if (options.isolation == Isolation::kProcess) {
    if (auto possible = check_sandbox(options.worker.sandbox); !possible) return possible;
  }
  auto signals = stop_signals();
  if (!signals) return std::unexpected(signals.error());
  auto socket = open_socket(options.socket_path, options.socket_fd);
  if (!socket) return std::unexpected(socket.error());
  if (options.isolation == Isolation::kThread) return serve_by_threads(options, *socket, *signals);
  auto found = probe(options.worker, *signals);
  if (!found) return std::unexpected(found.error());
  if (!*found) return {};
  auto workers = worker_processes(options.worker, **found);
  if (!workers) return std::unexpected(workers.error());
  return supervise(options, *socket, *signals, std::move(*workers), (*found)->memory);
}

}  // namespace pvgpu::frontends::server
