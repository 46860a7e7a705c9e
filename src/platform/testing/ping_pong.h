// Two threads that take turns, each asleep on a spot of its own until the other has counted: a wake-up that is lost is a missed
// deadline. For the tests of whatever has the interface of a ParkingSpot.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

namespace pvgpu::platform::testing {

// Whether all turns came before `deadline` was over for any.
template <class Spot>
bool take_turns(Spot& ping_spot, Spot& pong_spot, uint32_t turns, std::chrono::nanoseconds deadline) {
  std::atomic<uint32_t> ping{0}, pong{0};
  const auto wait_for = [deadline](Spot& spot, const std::atomic<uint32_t>& counter, uint32_t value) {
    const auto end = std::chrono::steady_clock::now() + deadline;
    while (std::chrono::steady_clock::now() < end) {
      const uint32_t ticket = spot.prepare();
      if (counter.load(std::memory_order_acquire) >= value) return true;
      spot.park(ticket, deadline);
    }
    return false;
  };
  std::atomic<bool> other_side_fine{true};
  std::thread other([&] {
    for (uint32_t i = 1; i <= turns; i++) {
      if (!wait_for(ping_spot, ping, i)) {
        other_side_fine = false;
        return;
      }
      pong.store(i, std::memory_order_release);
      pong_spot.unpark();
    }
  });
  bool fine = true;
  for (uint32_t i = 1; i <= turns && fine; i++) {
    ping.store(i, std::memory_order_release);
    ping_spot.unpark();
    fine = wait_for(pong_spot, pong, i);
  }
  other.join();
  return fine && other_side_fine;
}

}  // namespace pvgpu::platform::testing
