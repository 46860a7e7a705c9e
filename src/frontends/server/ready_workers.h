// Workers that have been started ahead of their guests, or of the contexts of a machine's guests, and have loaded the driver, so that
// nobody need wait for that. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>

#include "platform/error.h"
#include "platform/fd.h"
#include "platform/process.h"

namespace pvgpu::frontends::server {

class ReadyWorkers {
 public:
  // Starts a worker that waits for an assignment on `assignments`, a packet socket, and ends if none can come any more.
  using Spawn = std::function<Result<platform::ChildProcess>(const platform::UniqueFd& assignments)>;

  ReadyWorkers(size_t most, Spawn spawn) : most_(most), spawn_(std::move(spawn)) {}

  // Sends a worker `assignment`, which says whom it is to serve, with a duplicate of `socket`, which leads there. nullopt: none is there.
  std::optional<platform::ChildProcess> take(std::span<const std::byte> assignment, const platform::UniqueFd& socket);
  // Starts those that are missing, up to `count` in all and the most that there may be. One that cannot be started is
  // logged, and missing until the next time.
  void fill(size_t count = SIZE_MAX);

 private:
  struct Worker {
    platform::ChildProcess process;  // killed with this
    platform::UniqueFd assignments;
  };

  size_t most_;
  Spawn spawn_;
  std::deque<Worker> workers_;  // the oldest, which is most likely to have loaded the driver, first
};

}  // namespace pvgpu::frontends::server
