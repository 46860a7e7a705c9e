#include "frontends/server/worker.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <span>

#include "frontends/server/context_messages.h"
#include "frontends/server/context_process.h"
#include "frontends/server/context_worker.h"
#include "frontends/server/context_workers.h"
#include "frontends/server/guest.h"
#include "frontends/server/virtual_machine.h"
#include "frontends/server/worker_process.h"
#include "observe/user_error.h"
#include "platform/fd.h"
#include "platform/packet_socket.h"
#include "platform/process.h"
#include "platform/shared_memory.h"
#include "platform/signals.h"
#include "platform/system_call.h"
#include "platform/thread.h"
#include "venus/context.h"
#include "virtio_gpu/thread_renderer.h"

namespace pvgpu::frontends::server {
namespace {

bool is_open(int fd) {
  struct stat status{};
  return ::fstat(fd, &status) == 0;
}

int run_probe(const host::HostOptions& options) {
  platform::UniqueFd output(kProbeOutputFd);
  auto host = host::Host::open(options);
  if (!host) {
    observe::print_error(host.error());
    return kExitUserError;
  }
  std::string text = probe_to_text(probe_of(**host));
  std::string_view left = text;
  while (!left.empty()) {
    auto written = platform::retry([&] { return ::write(output.get(), left.data(), left.size()); });
    if (written <= 0) return EXIT_FAILURE;
    left.remove_prefix(static_cast<size_t>(written));
  }
  return EXIT_SUCCESS;
}

// The host with the profile that the supervisor's probe took; nullptr after a line in the log.
std::unique_ptr<host::Host> open_profiled_host(host::HostOptions options, const std::string& whom) {
  platform::UniqueFd profile(kWorkerProfileFd);
  auto text = platform::read_file(profile.get());
  auto probe = text ? probe_from_text(*text) : std::nullopt;
  if (!probe) {
    LOG_ERROR("the driver profile of the supervisor cannot be read");
    return nullptr;
  }
  options.profile_json = std::move(probe->profile_json);
  auto host = host::Host::open(options);
  if (host) return std::move(*host);
  LOG_ERROR("cannot serve {}: {}{}{}", whom, host.error().what,
            host.error().hint.empty() ? "" : "; ", host.error().hint);
  return nullptr;
}

// The driver loaded, and nothing left that serving does not need. False after a line in the log.
bool load_and_restrict(host::Host& host, WorkerSandbox& sandbox, const Observation& observation) {
  sandbox.meet(host.devices());
  if (!sandbox.restrict_files(observation.files())) return false;  // while this thread is the only one
  host.load_driver();
  return sandbox.restrict_calls();
}

int exit_code(ClientEnd end) { return end == ClientEnd::kPoisoned ? kExitPoisoned : EXIT_SUCCESS; }

// Loads the driver and waits for a guest.
int run_ready_guest(const host::HostOptions& host_options, const WorkerOptions& options, WorkerSandbox& sandbox) {
  platform::UniqueFd assignments(kWorkerSocketFd);
  auto host = open_profiled_host(host_options, "a guest to come");
  if (!host) return kExitUserError;
  if (!load_and_restrict(*host, sandbox, options.observation)) return kExitUserError;
  Assignment assignment;
  auto packet = platform::receive_packet(assignments.get(), std::as_writable_bytes(std::span(&assignment, 1)));
  if (!packet || packet->size != sizeof assignment || !packet->descriptor.valid()) return EXIT_SUCCESS;
  assignments.reset();
  platform::set_thread_name("pvgpu-worker");
  GuestInfo guest = options.guest;
  guest.pid = static_cast<pid_t>(assignment.pid);
  guest.number = assignment.number;
  return exit_code(serve_guest(*host, std::move(packet->descriptor), guest, options.observation));
}

int run_guest(const host::HostOptions& host_options, const WorkerOptions& options, WorkerSandbox& sandbox) {
  platform::UniqueFd socket(kWorkerSocketFd);
  auto host = open_profiled_host(host_options, fmt::format("pid {}", options.guest.pid));
  if (!host || !load_and_restrict(*host, sandbox, options.observation)) return kExitUserError;
  return exit_code(serve_guest(*host, std::move(socket), options.guest, options.observation));
}

int run_context(const host::HostOptions& host_options, const WorkerOptions& options, WorkerSandbox& sandbox) {
  platform::UniqueFd socket(kWorkerSocketFd);
  const std::string& name = options.context_name;
  observe::set_tag(name);
  auto host = open_profiled_host(host_options, name);
  if (!host || !load_and_restrict(*host, sandbox, options.observation)) return kExitUserError;
  return exit_code(serve_context(*host, std::move(socket), name, options.observation));
}

// Loads the driver and waits for a context.
int run_ready_context(const host::HostOptions& host_options, const WorkerOptions& options, WorkerSandbox& sandbox) {
  platform::UniqueFd assignments(kWorkerSocketFd);
  auto host = open_profiled_host(host_options, "a context to come");
  if (!host || !load_and_restrict(*host, sandbox, options.observation)) return kExitUserError;
  std::array<char, kMaxContextName> name;
  auto packet = platform::receive_packet(assignments.get(), std::as_writable_bytes(std::span(name)));
  if (!packet || !packet->descriptor.valid()) return EXIT_SUCCESS;
  assignments.reset();
  platform::set_thread_name("pvgpu-worker");
  const std::string context_name(name.data(), packet->size);
  observe::set_tag(context_name);
  return exit_code(serve_context(*host, std::move(packet->descriptor), context_name, options.observation));
}

// Contexts in this process.
int run_machine_by_threads(const host::HostOptions& host_options, const WorkerOptions& options, platform::EventLoop& loop,
                           platform::UniqueFd socket) {
  auto host = open_profiled_host(host_options, "the virtual machine");
  if (!host) return kExitUserError;
  auto renderers =
      virtio_gpu::thread_renderers(*host, [&loop](std::function<void()> action) { loop.post(std::move(action)); });
  return exit_code(serve_virtual_machine(loop, std::move(socket), options.machine, std::move(renderers)));
}

// Contexts in workers: no Vulkan here.
int run_machine_by_processes(const WorkerOptions& options, platform::EventLoop& loop, platform::UniqueFd socket) {
  platform::UniqueFd profile(kWorkerProfileFd);
  ::fcntl(profile.get(), F_SETFD, FD_CLOEXEC);
  ::fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
  WorkerCommand command;
  command.observation = options.observation;
  command.ready_workers = options.ready_contexts;
  command.loader_path = options.loader_path;
  command.gpu_selectors = options.gpu_selectors;
  command.log_level = options.log_level;
  command.sandbox = options.sandbox;
  // A hung-up guest's workers may finish what they do, though not for long.
  constexpr auto kLastGrace = std::chrono::seconds(2);
  ContextWorkers workers(std::move(command), std::move(profile));
  ContextProcesses processes(
      loop,
      [&](const std::string& name, platform::UniqueFd context_socket) { return workers.start(name, context_socket); }, {});
  const ClientEnd end = serve_virtual_machine(loop, std::move(socket), options.machine, processes.renderers());
  processes.wait_for_ending(kLastGrace);
  return exit_code(end);
}

// Not sandboxed: it starts the workers of contexts, or has them in threads for debugging.
int run_machine(const host::HostOptions& host_options, const WorkerOptions& options) {
  platform::UniqueFd socket(kWorkerSocketFd);
  observe::set_tag(fmt::format("VM of pid {}", options.guest.pid));
  auto loop = platform::EventLoop::create();
  if (!loop) {
    LOG_ERROR("{}", loop.error().what);
    return kExitUserError;
  }
  if (options.contexts_in_threads) return run_machine_by_threads(host_options, options, **loop, std::move(socket));
  return run_machine_by_processes(options, **loop, std::move(socket));
}

}  // namespace

int run_worker(const WorkerOptions& options) {
  using Kind = WorkerOptions::Kind;
  const bool probe = options.kind == Kind::kProbe;
  platform::set_thread_name(probe ? "pvgpu-probe" : options.ready ? "pvgpu-ready" : "pvgpu-worker");
  if (!platform::end_with_parent(SIGKILL, options.supervisor) || !is_open(kWorkerSocketFd) ||
      (!probe && !is_open(kWorkerProfileFd))) {
    observe::print_error(
        {"pvgpu worker is started by pvgpu serve only", "use pvgpu run or pvgpu serve"});
    return kExitUserError;
  }
  platform::ignore_broken_pipes();
  platform::raise_descriptor_limit();
  host::HostOptions host_options;
  host_options.carried = venus::carried_extensions();
  host_options.loader_path = options.loader_path;
  host_options.gpu_selectors = options.gpu_selectors;
  WorkerSandbox sandbox(options.sandbox);
  switch (options.kind) {
    case Kind::kProbe:
      return run_probe(host_options);
    case Kind::kGuest:
      return options.ready ? run_ready_guest(host_options, options, sandbox) : run_guest(host_options, options, sandbox);
    case Kind::kMachine:
      return run_machine(host_options, options);
    case Kind::kContext:
      return options.ready ? run_ready_context(host_options, options, sandbox) : run_context(host_options, options, sandbox);
  }
  return EXIT_FAILURE;
}

}  // namespace pvgpu::frontends::server
