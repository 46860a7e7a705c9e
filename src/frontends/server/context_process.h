// Renderers whose contexts live in worker processes, one each: a guest process that crashes the driver loses its own
// device and nothing else. Belongs to the loop's thread.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "platform/event_loop.h"
#include "platform/fd.h"
#include "platform/process.h"
#include "virtio_gpu/renderer.h"

namespace pvgpu::frontends::server {

class ContextProcesses {
 public:
  // Starts the worker of a context, which serves it on `socket`.
  using Spawn = std::function<Result<platform::ChildProcess>(const std::string& name, platform::UniqueFd socket)>;
  struct Options {
    size_t max_processes = 1024;  // those that are still ending included
    // How long a worker may take to end after its context has gone: the driver may have to finish its work.
    std::chrono::milliseconds grace = std::chrono::seconds(10);
  };

  // `loop` outlives it.
  ContextProcesses(platform::EventLoop& loop, Spawn spawn, const Options& options);
  // Kills what is left.
  ~ContextProcesses();

  // It outlives its renderers.
  virtio_gpu::RendererFactory renderers();
  // Runs the loop until every worker whose context has gone has ended, or `grace` has passed.
  void wait_for_ending(std::chrono::milliseconds grace);

 private:
  friend class ProcessRenderer;
  struct Ending {
    platform::ChildProcess process;
    std::string name;
  };
  void end_later(platform::ChildProcess process, std::string name);
  void reap(std::list<Ending>::iterator ending);

  platform::EventLoop& loop_;
  Spawn spawn_;
  const Options options_;
  size_t running_ = 0;  // renderers
  std::list<Ending> ending_;
  bool waiting_ = false;
  std::shared_ptr<char> alive_ = std::make_shared<char>();  // for timers
};

}  // namespace pvgpu::frontends::server
