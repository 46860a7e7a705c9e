#include "platform/event_loop.h"

#include <algorithm>
#include <utility>

namespace pvgpu::platform {

Result<std::unique_ptr<EventLoop>> EventLoop::create() {
  auto poller = Poller::create();
  if (!poller) return std::unexpected(poller.error());
  auto doorbell = Doorbell::create();
  if (!doorbell) return std::unexpected(doorbell.error());
  std::unique_ptr<EventLoop> loop(new EventLoop(std::move(*poller), std::move(*doorbell)));
  if (!loop->watch(loop->doorbell_.fd().get(), [l = loop.get()] { l->call_posted(); }))
    return fail("cannot watch a doorbell");
  return loop;
}

bool EventLoop::watch(int fd, Action ready) {
  const uint64_t token = ++last_token_;
  if (!poller_.add(fd, token, Poller::Interest::kReadable)) return false;
  tokens_[fd] = token;
  actions_[token] = std::make_shared<Action>(std::move(ready));
  return true;
}

void EventLoop::unwatch(int fd) {
  const auto found = tokens_.find(fd);
  if (found == tokens_.end()) return;
  poller_.remove(fd);
  actions_.erase(found->second);
  tokens_.erase(found);
}

void EventLoop::post(Action action) {
  {
    std::lock_guard lock(posted_mutex_);
    posted_.push_back(std::move(action));
  }
  ring_doorbell(doorbell_.button().get());
}

void EventLoop::call_posted() {
  answer_doorbell(doorbell_.fd().get());
  std::vector<Action> posted;
  {
    std::lock_guard lock(posted_mutex_);
    posted.swap(posted_);
  }
  for (const Action& action : posted) action();
}

void EventLoop::call_after(std::chrono::milliseconds delay, Action action) {
  timers_.emplace(Clock::now() + delay, std::move(action));
}

std::optional<std::chrono::milliseconds> EventLoop::time_to_next() const {
  if (timers_.empty()) return std::nullopt;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first - Clock::now());
  return std::max(left, std::chrono::milliseconds(0));
}

void EventLoop::call_due() {
  while (!timers_.empty() && timers_.begin()->first <= Clock::now() && !stop_) {
    const Action action = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    action();
  }
}

void EventLoop::run() {
  stop_ = false;
  while (!stop_) {
    const auto ready = poller_.wait(time_to_next());
    call_due();
    for (const uint64_t token : ready) {
      if (stop_) return;
      // An action before may have unwatched this one, and may unwatch itself.
      const auto found = actions_.find(token);
      if (found == actions_.end()) continue;
      const std::shared_ptr<Action> action = found->second;
      (*action)();
    }
  }
}

}  // namespace pvgpu::platform
