// Child processes: spawned (never forked after threads exist) with exactly the descriptors that
// they are given, watched through a descriptor that becomes readable at their end, and never left
// behind as zombies. A ChildProcess belongs to one thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "platform/error.h"
#include "platform/fd.h"

namespace pvgpu::platform {

struct ExitStatus {
  int code = 0;    // meaningful without a signal
  int signal = 0;  // 0: it returned by itself

  bool success() const { return code == 0 && signal == 0; }
  // What a shell's $? shows: the code, or 128 + the signal's number.
  int shell_code() const { return signal ? 128 + signal : code; }
  // "exit code 3", "signal SIGSEGV".
  std::string describe() const;
};

struct Command {
  std::string program;                 // a path, or a name to look up in PATH; empty: this program
  std::vector<std::string> arguments;  // without the program's own name
  std::vector<int> descriptors;        // are 3, 4, … in the child, in this order
  // Keep what this process itself inherited (everything opened here is close-on-exec). Otherwise
  // the child has standard input, output, error and `descriptors`, nothing else.
  bool keep_inherited_descriptors = false;
  // Standard input is empty and standard output goes where standard error goes.
  bool standard_streams_to_log = false;
  bool own_process_group = false;                       // not reached by the terminal's Ctrl-C
  std::optional<std::vector<std::string>> environment;  // "NAME=value"; absent: this process's own
};

class ChildProcess {
 public:
  // No signal is blocked in the child, and SIGPIPE has its default meaning.
  static Result<ChildProcess> spawn(const Command& command);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  // Kills and reaps the child if it has not been reaped.
  ~ChildProcess();

  pid_t pid() const { return pid_; }
  // Readable once the child has ended.
  const UniqueFd& exit_fd() const { return exit_fd_; }
  // Nothing happens if the child has ended.
  void kill(int signal) const;
  // Reaps the child: nullopt while it runs. After it returned a status, returns the same again.
  std::optional<ExitStatus> poll();
  ExitStatus wait();
  // nullopt if the child is still running after `timeout`.
  std::optional<ExitStatus> wait_for(std::chrono::milliseconds timeout);

 private:
  ChildProcess(pid_t pid, UniqueFd exit_fd, std::thread watcher)
      : pid_(pid), exit_fd_(std::move(exit_fd)), watcher_(std::move(watcher)) {}
  void reaped(int raw);

  pid_t pid_ = -1;
  UniqueFd exit_fd_;
  std::thread watcher_;  // where a thread is what makes exit_fd_ readable
  std::optional<ExitStatus> status_;
};

// This process's variables, "NAME=value", up to a null pointer.
char** own_environment();
// What `program --version` says, and how it ended: shell_code() 126 or 127 if there is no such program.
struct SaidVersion {
  ExitStatus status;
  std::string text;
};
Result<SaidVersion> ask_for_version(const std::string& program);

// Makes this process receive `signal` when its parent ends. `parent` is who the parent should be:
// false if it has ended already.
bool end_with_parent(int signal, pid_t parent);
// The name that ps shows for another process; empty if it is gone or hidden.
std::string process_name(pid_t pid);
// This process's children that have not ended.
std::vector<pid_t> running_children();
// Lets this process open as many files as its hard limit allows.
void raise_descriptor_limit();
// Open descriptors, threads and resident bytes of this process, to see leaks. 0: unknown.
struct Usage {
  size_t descriptors = 0, threads = 0, resident_bytes = 0;
};
Usage current_usage();

}  // namespace pvgpu::platform
