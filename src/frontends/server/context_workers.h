// The worker processes of contexts (context_worker.h) for one virtual machine or one VMM, some of them started ahead. Belongs to
// the loop's thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "frontends/server/ready_workers.h"
#include "frontends/server/worker_command.h"
#include "platform/error.h"
#include "platform/event_loop.h"
#include "platform/fd.h"
#include "platform/process.h"

namespace pvgpu::frontends::server {

class ContextWorkers {
 public:
  // Workers read what the probe found from `profile`. As many as the command says are ready at first, and again once no context has come
  // for `quiet`, as the supervisor has it for its guests: a new worker must not take the processors from a program that is starting.
  // `loop` outlives it.
  ContextWorkers(platform::EventLoop& loop, WorkerCommand command, platform::UniqueFd profile,
                 std::chrono::milliseconds quiet = std::chrono::seconds(3));

  // The worker of a context, which serves it on `socket`.
  Result<platform::ChildProcess> start(const std::string& name, const platform::UniqueFd& socket);

 private:
  Result<platform::ChildProcess> spawn(std::vector<std::string> options, const platform::UniqueFd& socket);
  void fill_when_quiet();

  platform::EventLoop& loop_;
  const WorkerCommand command_;
  const platform::UniqueFd profile_;
  const std::chrono::milliseconds quiet_;
  ReadyWorkers ready_;
  uint64_t started_ = 0;
  std::shared_ptr<char> alive_ = std::make_shared<char>();  // for timers
};

}  // namespace pvgpu::frontends::server
