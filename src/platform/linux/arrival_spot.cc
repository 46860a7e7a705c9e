#include "platform/arrival_spot.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <ctime>

#include "platform/system_call.h"

namespace pvgpu::platform {

ArrivalSpot::ArrivalSpot(int descriptor) {
  if (descriptor < 0) return;
  UniqueFd arrivals(::epoll_create1(EPOLL_CLOEXEC));
  UniqueFd unparked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  // Edge-triggered: what has come stays there until its reader takes it, and must not keep us awake meanwhile.
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {}};
  if (!arrivals.valid() || !unparked.valid() || ::epoll_ctl(arrivals.get(), EPOLL_CTL_ADD, descriptor, &event) != 0) return;
  arrivals_ = std::move(arrivals);
  unparked_ = std::move(unparked);
}

bool ArrivalSpot::park(uint32_t ticket, std::chrono::nanoseconds timeout) {
  if (!arrivals_.valid()) return spot_.park(ticket, timeout);
  // seq_cst with the pair in unpark(): either it sees us asleep and writes, or we see its increment.
  sleeping_.store(true, std::memory_order_seq_cst);
  if (spot_.prepare() == ticket) {
    pollfd entries[] = {{arrivals_.get(), POLLIN, 0}, {unparked_.get(), POLLIN, 0}};
    constexpr int64_t kSecond = 1'000'000'000;
    const timespec limit{static_cast<time_t>(timeout.count() / kSecond), static_cast<long>(timeout.count() % kSecond)};
    ::ppoll(entries, 2, timeout == ParkingSpot::kForever ? nullptr : &limit, nullptr);
    if (entries[0].revents != 0) {
      epoll_event arrived;
      ::epoll_wait(arrivals_.get(), &arrived, 1, 0);
    }
    if (entries[1].revents != 0) {
      uint64_t count;
      [[maybe_unused]] const auto size = ::read(unparked_.get(), &count, sizeof count);
    }
  }
  sleeping_.store(false, std::memory_order_relaxed);
  return spot_.prepare() != ticket;
}

void ArrivalSpot::unpark() {
  spot_.unpark();
  if (!arrivals_.valid() || !sleeping_.load(std::memory_order_seq_cst)) return;
  const uint64_t one = 1;
  // Fails only where the counter is full, and the sleeper thus woken already.
  [[maybe_unused]] const auto size = ::write(unparked_.get(), &one, sizeof one);
}

}  // namespace pvgpu::platform
