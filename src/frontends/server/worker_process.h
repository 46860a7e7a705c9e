// The supervisor's side of `pvgpu worker`: starts the probe and the workers, each with nothing but
// the descriptors that it needs. One thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "frontends/server/client_task.h"
#include "frontends/server/guest.h"
#include "frontends/server/worker.h"
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
  size_t ready_workers = 0;  // to keep ready for guests that come; none without append_options
};

class Probe {
 public:
  static constexpr auto kTimeout = std::chrono::seconds(120);

  static Result<Probe> start(const WorkerCommand& command);

  // Readable once result() can be asked for.
  const platform::UniqueFd& end_fd() const { return process_.exit_fd(); }
  // What the probe found. The error is empty if the probe has told the user itself.
  Result<ProbeResult> result();

 private:
  Probe(platform::ChildProcess process, platform::UniqueFd output)
      : process_(std::move(process)), output_(std::move(output)) {}

  platform::ChildProcess process_;
  platform::UniqueFd output_;
};

// Starts the worker of one guest context of a virtual machine (context_worker.h), which reads what the probe found
// from `profile`.
Result<platform::ChildProcess> spawn_context_worker(const WorkerCommand& command, const std::string& name,
                                                    const platform::UniqueFd& socket, const platform::UniqueFd& profile);

// Workers of clients, which inherit what the probe found.
struct ClientWorkers {
  ClientStarter start;
  // Starts workers ahead of their clients, up to `count` and the command's ready_workers.
  std::function<void(size_t count)> prepare;
};
Result<ClientWorkers> worker_processes(WorkerCommand command, const ProbeResult& probe);

}  // namespace pvgpu::frontends::server
