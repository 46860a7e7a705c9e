// What a child of the supervisor does: to try out the host's Vulkan once for all workers, to serve one guest of
// the vtest socket, one virtual machine, or one context of a virtual machine's guest. Each is a whole process, `pvgpu worker`, whose
// descriptors and exit codes are agreed upon here and in worker_command.h.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "frontends/server/guest.h"
#include "frontends/server/probe_result.h"
#include "frontends/server/virtual_machine.h"
#include "frontends/server/worker_sandbox.h"
#include "observe/log.h"
#include "platform/error.h"

namespace pvgpu::frontends::server {

inline constexpr int kWorkerSocketFd = 3;   // the guest's connection, or a ready worker's way to it
inline constexpr int kWorkerProfileFd = 4;  // a sealed file: what the probe wrote
inline constexpr int kProbeOutputFd = 3;    // a file to write the profiles to

// What a guest's ready worker (ready_workers.h) is sent, with the guest's connection. A context's gets the context's name.
struct Assignment {
  int64_t pid = 0;  // GuestInfo's
  uint64_t number = 0;
};

inline constexpr int kExitUserError = 2;
inline constexpr int kExitPoisoned = 3;

struct WorkerOptions {
  enum class Kind { kProbe, kGuest, kMachine, kContext };
  Kind kind = Kind::kGuest;
  VirtualMachineOptions machine;
  bool contexts_in_threads = false;  // of the virtual machine; else each has a worker of its own
  std::string context_name;
  size_t ready_contexts = 0;  // workers that a virtual machine keeps ready for its contexts
  observe::Level log_level = observe::Level::kInfo;  // for the workers of contexts
  pid_t supervisor = 0;
  GuestInfo guest{.own_process = true};
  bool ready = false;  // of a guest or a context: load the driver, and wait to be told whose worker it is
  Observation observation;
  SandboxMode sandbox = SandboxMode::kAuto;
  std::string loader_path;
  std::vector<std::string> gpu_selectors;
};

// The worker's main function: an exit code.
int run_worker(const WorkerOptions& options);

}  // namespace pvgpu::frontends::server
