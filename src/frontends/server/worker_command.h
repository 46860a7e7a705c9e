// How the processes below a supervisor, a virtual machine or a VMM are started: `pvgpu worker`, each with nothing but the
// descriptors that it needs. One thread.
#pragma once

#include <string>
#include <vector>

#include "frontends/server/guest.h"
#include "frontends/server/worker_sandbox.h"
#include "observe/log.h"
#include "platform/error.h"
#include "platform/fd.h"
#include "platform/process.h"

namespace pvgpu::frontends::server {

// How a worker is called: this program's own `worker` subcommand, or what a test puts in its place.
struct WorkerCommand {
  std::string program;                              // empty: this program
  std::vector<std::string> arguments = {"worker"};  // the options below follow
  std::vector<std::string> client_options;          // of workers, not of the probe
  bool append_options = true;                       // a test's stand-in may not know them
  std::string loader_path;
  std::vector<std::string> gpu_selectors;
  observe::Level log_level = observe::Level::kInfo;
  Observation observation;
  SandboxMode sandbox = SandboxMode::kAuto;
  size_t ready_workers = 0;  // to keep ready for guests that come, or for each machine's contexts; none without append_options
};

// `options` follow the command's own.
platform::Command command_of(const WorkerCommand& worker, std::vector<std::string> options, std::vector<int> descriptors);

// The options that tell a worker what to observe.
std::vector<std::string> observation_options(const Observation& observation);

// An error unless `program` is a pvgpu of this very version: what is said between it and us is nobody else's.
Result<void> check_worker(const std::string& program);

}  // namespace pvgpu::frontends::server
