// Where the contexts of a device or of a renderer live: in threads of this process, or each in a process of its own. Made on any
// thread; belongs to the thread that it is started for, and ends there.
#pragma once

#include <expected>
#include <memory>
#include <optional>

#include "frontends/server/context_process.h"
#include "frontends/server/context_workers.h"
#include "frontends/server/worker_command.h"
#include "library/host.h"
#include "library/loop_thread.h"
#include "virtio_gpu/renderer.h"

namespace pvgpu::library {

class Contexts {
 public:
  // `worker`: the program of the processes; nullptr: threads. `host` outlives it. The error is a negative errno value, after a line
  // in the log.
  static std::expected<std::unique_ptr<Contexts>, int> create(const pvgpu_host& host, const char* worker);
  // Ends workers that have not ended by themselves, some seconds after their contexts.
  ~Contexts();

  // Once, for contexts whose callbacks come on `thread`, which outlives it.
  virtio_gpu::RendererFactory start(LoopThread& thread);

 private:
  explicit Contexts(const pvgpu_host& host) : host_(host) {}

  const pvgpu_host& host_;
  frontends::server::WorkerCommand command_;
  platform::UniqueFd profile_;  // of the host, for workers; none: threads
  std::optional<frontends::server::ContextWorkers> workers_;
  std::optional<frontends::server::ContextProcesses> processes_;
};

}  // namespace pvgpu::library
