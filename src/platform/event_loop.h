// One thread that waits for many descriptors and calls what each is for. Actions can be posted to it from any
// thread; everything else belongs to the loop's own.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "platform/doorbell.h"
#include "platform/error.h"
#include "platform/poller.h"

namespace pvgpu::platform {

class EventLoop {
 public:
  using Action = std::function<void()>;
  static Result<std::unique_ptr<EventLoop>> create();

  // Calls `ready` whenever there is something to read from `fd` or its other side is gone. `fd` stays the caller's, who
  // says unwatch before closing it. False, with errno set, if the system does not watch it.
  bool watch(int fd, Action ready);
  // Nothing is called for `fd` any more, also if it is ready now.
  void unwatch(int fd);
  // Has the loop call `action`, in the order of posting. What is posted after run() returned is never called.
  void post(Action action);

  // Has the loop call `action` once, `delay` from now. On the loop's own thread.
  void call_after(std::chrono::milliseconds delay, Action action);

  // Until stop().
  void run();
  void stop() { stop_ = true; }

 private:
  EventLoop(Poller poller, Doorbell doorbell) : poller_(std::move(poller)), doorbell_(std::move(doorbell)) {}
  using Clock = std::chrono::steady_clock;
  void call_posted();
  void call_due();
  std::optional<std::chrono::milliseconds> time_to_next() const;

  Poller poller_;
  Doorbell doorbell_;
  bool stop_ = false;
  uint64_t last_token_ = 0;
  std::unordered_map<int, uint64_t> tokens_;  // by descriptor
  std::unordered_map<uint64_t, std::shared_ptr<Action>> actions_;
  std::multimap<Clock::time_point, Action> timers_;

  std::mutex posted_mutex_;
  std::vector<Action> posted_;
};

}  // namespace pvgpu::platform
