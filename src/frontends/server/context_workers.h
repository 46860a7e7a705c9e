// The worker processes of contexts (context_worker.h) for one virtual machine or one VMM, some of them started ahead. Belongs to
// the loop's thread.
#pragma once

#include <memory>
#include <string>

#include "frontends/server/ready_workers.h"
#include "frontends/server/worker_command.h"
#include "platform/error.h"
#include "platform/event_loop.h"
#include "platform/fd.h"
#include "platform/process.h"

namespace pvgpu::frontends::server {

class ContextWorkers {
 public:
  // Workers read what the probe found from `profile`. As many as the command says are ready at first, and again some time after a
  // context has come. `loop` outlives it.
  ContextWorkers(platform::EventLoop& loop, WorkerCommand command, platform::UniqueFd profile);

  // The worker of a context, which serves it on `socket`.
  Result<platform::ChildProcess> start(const std::string& name, const platform::UniqueFd& socket);

 private:
  Result<platform::ChildProcess> spawn(std::vector<std::string> options, const platform::UniqueFd& socket);
  void fill_when_quiet();

  platform::EventLoop& loop_;
  const WorkerCommand command_;
  const platform::UniqueFd profile_;
  ReadyWorkers ready_;
  uint64_t started_ = 0;
  std::shared_ptr<char> alive_ = std::make_shared<char>();  // for timers
};

}  // namespace pvgpu::frontends::server
