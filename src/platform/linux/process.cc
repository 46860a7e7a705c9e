#include "platform/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "platform/shared_memory.h"
#include "platform/system_call.h"

namespace pvgpu::platform {
namespace {

constexpr int kFirstPassed = 3;

// The spawn attributes and file actions, freed together.
class SpawnPlan {
 public:
  SpawnPlan() {
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_init(&actions);
  }
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
};

std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

void set_attributes(SpawnPlan& plan, const Command& command) {
  sigset_t none, defaults;
  ::sigemptyset(&none);
  ::sigemptyset(&defaults);
  ::sigaddset(&defaults, SIGPIPE);
  ::posix_spawnattr_setsigmask(&plan.attributes, &none);
  ::posix_spawnattr_setsigdefault(&plan.attributes, &defaults);
  short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  if (command.own_process_group) {
    ::posix_spawnattr_setpgroup(&plan.attributes, 0);
    flags |= POSIX_SPAWN_SETPGROUP;
  }
  ::posix_spawnattr_setflags(&plan.attributes, flags);
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
  const char* name = ::sigabbrev_np(signal);
  return name ? std::string("signal SIG") + name : "signal " + std::to_string(signal);
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
  if (!command.keep_inherited_descriptors) {
    ::posix_spawn_file_actions_addclosefrom_np(&plan.actions, target);
  }

  std::string program = command.program.empty() ? "/proc/self/exe" : command.program;
  std::vector<std::string> arguments = command.arguments;
  arguments.insert(arguments.begin(), command.program.empty() ? "pvgpu" : program);
  std::vector<char*> argv = pointers_to(arguments);
  std::vector<char*> envp;
  if (command.environment) envp = pointers_to(*command.environment);
  pid_t pid = -1;
  int error = ::posix_spawnp(&pid, program.c_str(), &plan.actions, &plan.attributes, argv.data(),
                             command.environment ? envp.data() : environ);
  if (error != 0) {
    return system_error("cannot run " + program, error,
                        command.program.empty() ? "is /proc mounted?" : "");
  }
  // Not by glibc's wrapper: its header lacks extern "C" in several versions.
  UniqueFd exit_fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  ChildProcess child(pid, std::move(exit_fd));
  if (!child.exit_fd_.valid()) {
    return system_error("cannot watch a process", errno);  // `child` kills and reaps it
  }
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      exit_fd_(std::move(other.exit_fd_)),
      status_(other.status_) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  ChildProcess taken(std::move(other));
  std::swap(pid_, taken.pid_);
  std::swap(exit_fd_, taken.exit_fd_);
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

std::optional<ExitStatus> ChildProcess::poll() {
  int raw = 0;
  if (!status_ && retry([&] { return ::waitpid(pid_, &raw, WNOHANG); }) == pid_) {
    status_ = decode(raw);
  }
  return status_;
}

ExitStatus ChildProcess::wait() {
  int raw = 0;
  if (!status_ && retry([&] { return ::waitpid(pid_, &raw, 0); }) == pid_) status_ = decode(raw);
  return status_.value_or(ExitStatus{});
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

bool end_with_parent(int signal, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, signal);
  // The parent may have ended before the call, and then no signal comes.
  return ::getppid() == parent;
}

std::string process_name(pid_t pid) {
  std::string name;
  std::ifstream file("/proc/" + std::to_string(pid) + "/comm");
  std::getline(file, name);
  return name;
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Usage current_usage() {
  Usage usage;
  std::error_code error;
  for (auto it = std::filesystem::directory_iterator("/proc/self/fd", error);
       !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    usage.descriptors++;
  }
  if (usage.descriptors > 0) usage.descriptors--;  // the one that lists the folder
  for (auto it = std::filesystem::directory_iterator("/proc/self/task", error);
       !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    usage.threads++;
  }
  size_t total_pages = 0, resident_pages = 0;
  if (std::ifstream("/proc/self/statm") >> total_pages >> resident_pages) {
    usage.resident_bytes = resident_pages * page_size();
  }
  return usage;
}

}  // namespace pvgpu::platform
