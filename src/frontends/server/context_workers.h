// The worker processes of contexts (context_worker.h) for one virtual machine or one VMM, some of them started ahead. One thread.
#pragma once

#include <string>
#include <vector>

#include "frontends/server/ready_workers.h"
#include "frontends/server/worker_command.h"
#include "platform/error.h"
#include "platform/fd.h"
#include "platform/process.h"

namespace pvgpu::frontends::server {

class ContextWorkers {
 public:
  // Workers read what the probe found from `profile`. As many as the command says are ready, or being made so.
  ContextWorkers(WorkerCommand command, platform::UniqueFd profile);

  // The worker of a context, which serves it on `socket`.
  Result<platform::ChildProcess> start(const std::string& name, const platform::UniqueFd& socket);

 private:
  Result<platform::ChildProcess> take_or_spawn(const std::string& name, const platform::UniqueFd& socket);
  Result<platform::ChildProcess> spawn(std::vector<std::string> options, const platform::UniqueFd& socket);

  const WorkerCommand command_;
  const platform::UniqueFd profile_;
  ReadyWorkers ready_;
};

}  // namespace pvgpu::frontends::server
