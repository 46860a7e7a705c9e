#include "platform/poller.h"

#include <sys/event.h>
#include <sys/time.h>
#include <sys/types.h>

#include <algorithm>
#include <climits>

#include "platform/fd.h"
#include "platform/system_call.h"

namespace pvgpu::platform {

struct Poller::Set {
  UniqueFd fd;
};

Poller::Poller(std::unique_ptr<Set> set) : set_(std::move(set)) {}
Poller::Poller(Poller&&) noexcept = default;
Poller& Poller::operator=(Poller&&) noexcept = default;
Poller::~Poller() = default;

Result<Poller> Poller::create() {
  UniqueFd fd(::kqueue());  // no child inherits a kqueue
  if (!fd.valid()) return system_error("cannot create a kqueue", errno);
  return Poller(std::make_unique<Set>(std::move(fd)));
}

bool Poller::add(int fd, uint64_t token, Interest interest) {
  struct kevent change;
  const auto data = reinterpret_cast<void*>(static_cast<uintptr_t>(token));
  if (interest == Interest::kReadable) {
    EV_SET(&change, fd, EVFILT_READ, EV_ADD, 0, 0, data);
  } else {
    // More unread bytes than a socket can have: so that only its end, which always counts, is reported.
    EV_SET(&change, fd, EVFILT_READ, EV_ADD | EV_ONESHOT, NOTE_LOWAT, INT_MAX, data);
  }
  return ::kevent(set_->fd.get(), &change, 1, nullptr, 0, nullptr) == 0;
}

void Poller::remove(int fd) {
  struct kevent change;
  EV_SET(&change, fd, EVFILT_READ, EV_DELETE, 0, 0, nullptr);
  ::kevent(set_->fd.get(), &change, 1, nullptr, 0, nullptr);
}

std::span<const uint64_t> Poller::wait(std::optional<std::chrono::milliseconds> timeout) {
  timespec limit{};
  if (timeout) {
    const int64_t milliseconds = std::clamp<int64_t>(timeout->count(), 0, INT_MAX);
    limit = {.tv_sec = static_cast<time_t>(milliseconds / 1000), .tv_nsec = static_cast<long>(milliseconds % 1000 * 1'000'000)};
  }
  std::array<struct kevent, std::tuple_size_v<decltype(ready_)>> events;
  const int count = ::kevent(set_->fd.get(), nullptr, 0, events.data(), static_cast<int>(events.size()), timeout ? &limit : nullptr);
  for (int i = 0; i < count; i++)
    ready_[static_cast<size_t>(i)] = reinterpret_cast<uintptr_t>(events[static_cast<size_t>(i)].udata);
  return std::span(ready_).first(static_cast<size_t>(std::max(count, 0)));
}

}  // namespace pvgpu::platform
