#include "platform/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "platform/process_parts.h"
#include "platform/shared_memory.h"
#include "platform/system_call.h"

namespace pvgpu::platform {
namespace {

constexpr int kFirstPassed = 3;

std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

void set_attributes(SpawnPlan& plan, const Command& command) {
  sigset_t none, defaults;
  sigemptyset(&none);
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  ::posix_spawnattr_setsigmask(&plan.attributes, &none);
  ::posix_spawnattr_setsigdefault(&plan.attributes, &defaults);
  plan.flags |= POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  if (command.own_process_group) {
    ::posix_spawnattr_setpgroup(&plan.attributes, 0);
    plan.flags |= POSIX_SPAWN_SETPGROUP;
  }
}

// Copies of `descriptors` above all their future numbers, so that no dup2 in the child overwrites
// the source of a later one.
std::optional<std::vector<UniqueFd>> lift(const std::vector<int>& descriptors) {
  std::vector<UniqueFd> copies;
  int lowest = kFirstPassed + static_cast<int>(descriptors.size());
  for (int fd : descriptors) {
    copies.emplace_back(retry([&] { return ::fcntl(fd, F_DUPFD_CLOEXEC, lowest); }));
    if (!copies.back().valid()) return std::nullopt;
  }
  return copies;
}

}  // namespace

std::string ExitStatus::describe() const {
  if (signal == 0) return "exit code " + std::to_string(code);
  const std::string name = signal_name(signal);
  return "signal " + (name.empty() ? std::to_string(signal) : name);
}

Result<ChildProcess> ChildProcess::spawn(const Command& command) {
  auto copies = lift(command.descriptors);
  if (!copies) {
    return system_error("cannot start a process", errno,
                        "raise the limit on open files (ulimit -n)");
  }
  SpawnPlan plan;
  set_attributes(plan, command);
  int target = kFirstPassed;
  for (const UniqueFd& copy : *copies) {
    ::posix_spawn_file_actions_adddup2(&plan.actions, copy.get(), target++);
  }
  if (command.standard_streams_to_log) {
    ::posix_spawn_file_actions_addopen(&plan.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&plan.actions, STDERR_FILENO, STDOUT_FILENO);
  }
  if (!command.keep_inherited_descriptors) close_from(plan, target);
  ::posix_spawnattr_setflags(&plan.attributes, plan.flags);

  const std::string program = command.program.empty() ? own_program() : command.program;
  std::vector<std::string> arguments = command.arguments;
  arguments.insert(arguments.begin(), command.program.empty() ? "pvgpu" : program);
  std::vector<char*> argv = pointers_to(arguments);
  std::vector<char*> envp;
  if (command.environment) envp = pointers_to(*command.environment);
  pid_t pid = -1;
  int error = ::posix_spawnp(&pid, program.c_str(), &plan.actions, &plan.attributes, argv.data(),
                             command.environment ? envp.data() : own_environment());
  if (error != 0) {
    return system_error("cannot run " + program, error,
                        command.program.empty() ? kOwnProgramHint : "");
  }
  EndWatch watch = watch_end(pid);
  ChildProcess child(pid, std::move(watch.fd), std::move(watch.thread));
  if (!child.exit_fd_.valid()) {
    return system_error("cannot watch a process", errno);  // `child` kills and reaps it
  }
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      exit_fd_(std::move(other.exit_fd_)),
      watcher_(std::move(other.watcher_)),
      status_(other.status_) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  ChildProcess taken(std::move(other));
  std::swap(pid_, taken.pid_);
  std::swap(exit_fd_, taken.exit_fd_);
  std::swap(watcher_, taken.watcher_);
  std::swap(status_, taken.status_);
  return *this;
}

ChildProcess::~ChildProcess() {
  if (pid_ < 0 || status_) return;
  ::kill(pid_, SIGKILL);
  wait();
}

void ChildProcess::kill(int signal) const {
  // The pid stays ours, at worst as a zombie, until it is reaped.
  if (pid_ >= 0 && !status_) ::kill(pid_, signal);
}

static ExitStatus decode(int raw) {
  if (WIFSIGNALED(raw)) return ExitStatus{0, WTERMSIG(raw)};
  return ExitStatus{WEXITSTATUS(raw), 0};
}

// A watching thread sees the end before we do, so that it does not wait for another process of the same number.
void ChildProcess::reaped(int raw) {
  if (watcher_.joinable()) watcher_.join();
  status_ = decode(raw);
}

std::optional<ExitStatus> ChildProcess::poll() {
  if (status_) return status_;
  if (watcher_.joinable()) {
    // It may not have noticed yet, and must have before the child is reaped and its number another one's.
    siginfo_t ended{};
    if (retry([&] { return ::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOWAIT | WNOHANG); }) != 0 || ended.si_pid != pid_) {
      return std::nullopt;
    }
    watcher_.join();
  }
  int raw = 0;
  if (retry([&] { return ::waitpid(pid_, &raw, WNOHANG); }) == pid_) reaped(raw);
  return status_;
}

ExitStatus ChildProcess::wait() {
  if (!status_ && watcher_.joinable()) watcher_.join();
  int raw = 0;
  if (!status_ && retry([&] { return ::waitpid(pid_, &raw, 0); }) == pid_) reaped(raw);
  return status_.value_or(ExitStatus{});
}

Result<SaidVersion> ask_for_version(const std::string& program) {
  auto output = anonymous_file("pvgpu-version");
  if (!output) return std::unexpected(output.error());
  Command command;
  command.program = "/bin/sh";
  command.arguments = {"-c", "exec \"$0\" --version >&3 2>/dev/null", program};
  command.descriptors = {output->get()};
  auto child = ChildProcess::spawn(command);
  if (!child) return std::unexpected(child.error());
  const ExitStatus status = child->wait();
  return SaidVersion{status, read_file(output->get()).value_or("")};
}

std::optional<ExitStatus> ChildProcess::wait_for(std::chrono::milliseconds timeout) {
  auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!poll()) {
    auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return std::nullopt;
    pollfd entry{exit_fd_.get(), POLLIN, 0};
    ::poll(&entry, 1, static_cast<int>(left.count()));
  }
  return status_;
}

}  // namespace pvgpu::platform
