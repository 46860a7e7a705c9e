// Workers that have been started ahead of their guests and have loaded the driver, so that a guest need not wait for that.
// Belongs to the supervisor's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>

#include "frontends/server/client_task.h"
#include "platform/error.h"
#include "platform/fd.h"
#include "platform/process.h"

namespace pvgpu::frontends::server {

// What a ready worker is sent, with the guest's connection.
struct Assignment {
  int64_t pid = 0;      // GuestInfo's
  uint64_t number = 0;
};

class ReadyWorkers {
 public:
  // Starts a worker that waits for an Assignment on `assignments`, a packet socket, and ends if none can come any more.
  using Spawn = std::function<Result<platform::ChildProcess>(const platform::UniqueFd& assignments)>;

  ReadyWorkers(size_t most, Spawn spawn) : most_(most), spawn_(std::move(spawn)) {}

  // Hands the guest behind `socket` to a worker, which gets a duplicate. nullopt: none is there.
  std::optional<platform::ChildProcess> take(const ClientInfo& guest, const platform::UniqueFd& socket);
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
