#include "platform/poller.h"

#include <sys/epoll.h>

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
  UniqueFd fd(::epoll_create1(EPOLL_CLOEXEC));
  if (!fd.valid()) return system_error("cannot create an epoll set", errno);
  return Poller(std::make_unique<Set>(std::move(fd)));
}

bool Poller::add(int fd, uint64_t token, Interest interest) {
  epoll_event event{};
  event.events = interest == Interest::kReadable ? static_cast<uint32_t>(EPOLLIN)
                                                 : static_cast<uint32_t>(EPOLLRDHUP | EPOLLONESHOT);
  event.data.u64 = token;
  return ::epoll_ctl(set_->fd.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void Poller::remove(int fd) {
  ::epoll_ctl(set_->fd.get(), EPOLL_CTL_DEL, fd, nullptr);
}

std::span<const uint64_t> Poller::wait(std::optional<std::chrono::milliseconds> timeout) {
  int milliseconds = -1;
  if (timeout) milliseconds = static_cast<int>(std::clamp<int64_t>(timeout->count(), 0, INT_MAX));
  std::array<epoll_event, std::tuple_size_v<decltype(ready_)>> events;
  int count = ::epoll_wait(set_->fd.get(), events.data(), static_cast<int>(events.size()), milliseconds);
  for (int i = 0; i < count; i++)
    ready_[static_cast<size_t>(i)] = events[static_cast<size_t>(i)].data.u64;
  return std::span(ready_).first(static_cast<size_t>(std::max(count, 0)));
}

}  // namespace pvgpu::platform
