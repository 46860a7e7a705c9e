// Where one thread sleeps until another has work for it, without a lost wake-up:
//
//   sleeper                                waker
//   ticket = spot.prepare();               make work visible
//   if (work) ...; else                    spot.unpark();
//     spot.park(ticket, timeout);
//
// An unpark() between prepare() and park() makes park() return at once. Any thread may call
// unpark(); it costs a system call only if somebody sleeps. Several threads may park on the same
// spot and all wake up. The spot outlives every call.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace pvgpu::platform {

class ParkingSpot {
 public:
  static constexpr auto kForever = std::chrono::nanoseconds::max();

  uint32_t prepare() const { return sequence_.load(std::memory_order_seq_cst); }
  // Sleeps until an unpark() since the ticket's prepare(), or for `timeout`. True if unparked.
  bool park(uint32_t ticket, std::chrono::nanoseconds timeout = kForever);
  void unpark();

 private:
  std::atomic<uint32_t> sequence_{0};  // counts unparks
  std::atomic<uint32_t> sleepers_{0};
  static_assert(std::atomic<uint32_t>::is_always_lock_free);
};

}  // namespace pvgpu::platform
