// The supervisor's side of `pvgpu worker`: starts the probe and the workers, each with nothing but
// the descriptors that it needs. One thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "frontends/server/client_task.h"
#include "frontends/server/probe_result.h"
#include "frontends/server/worker_command.h"
#include "platform/error.h"
#include "platform/fd.h"
#include "platform/process.h"

namespace pvgpu::frontends::server {

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

// Workers of clients, which inherit what the probe found.
struct ClientWorkers {
  ClientStarter start;
  // Starts workers ahead of their clients, up to `count` and the command's ready_workers.
  std::function<void(size_t count)> prepare;
};
Result<ClientWorkers> worker_processes(WorkerCommand command, const ProbeResult& probe);

}  // namespace pvgpu::frontends::server
