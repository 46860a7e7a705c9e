#include "platform/arrival_spot.h"

#include <sys/event.h>
#include <sys/time.h>
#include <sys/types.h>

#include <ctime>
#include <utility>

namespace pvgpu::platform {

ArrivalSpot::ArrivalSpot(int descriptor) {
  if (descriptor < 0) return;
  UniqueFd arrivals(::kqueue());
  // Once for each change: what has come stays there until its reader takes it, and must not keep us awake meanwhile.
  struct kevent changes[2];
  EV_SET(&changes[0], descriptor, EVFILT_READ, EV_ADD | EV_CLEAR, 0, 0, nullptr);
  EV_SET(&changes[1], 0, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0, nullptr);
  if (!arrivals.valid() || ::kevent(arrivals.get(), changes, 2, nullptr, 0, nullptr) != 0) return;
  arrivals_ = std::move(arrivals);
}

bool ArrivalSpot::park(uint32_t ticket, std::chrono::nanoseconds timeout) {
  if (!arrivals_.valid()) return spot_.park(ticket, timeout);
  // seq_cst with the pair in unpark(): either it sees us asleep and wakes us, or we see its increment.
  sleeping_.store(true, std::memory_order_seq_cst);
  if (spot_.prepare() == ticket) {
    constexpr int64_t kSecond = 1'000'000'000;
    const timespec limit{static_cast<time_t>(timeout.count() / kSecond), static_cast<long>(timeout.count() % kSecond)};
    struct kevent events[2];
    ::kevent(arrivals_.get(), nullptr, 0, events, 2, timeout == ParkingSpot::kForever ? nullptr : &limit);
  }
  sleeping_.store(false, std::memory_order_relaxed);
  return spot_.prepare() != ticket;
}

void ArrivalSpot::unpark() {
  spot_.unpark();
  if (!arrivals_.valid() || !sleeping_.load(std::memory_order_seq_cst)) return;
  struct kevent change;
  EV_SET(&change, 0, EVFILT_USER, 0, NOTE_TRIGGER, 0, nullptr);
  ::kevent(arrivals_.get(), &change, 1, nullptr, 0, nullptr);
}

}  // namespace pvgpu::platform
