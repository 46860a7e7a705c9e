#include "platform/parking.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <ctime>

namespace pvgpu::platform {
namespace {

// FUTEX_WAIT_BITSET takes an absolute time of CLOCK_MONOTONIC, so that a retry does not start anew.
int futex_wait(std::atomic<uint32_t>& word, uint32_t expected, const timespec* deadline) {
  return static_cast<int>(::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, expected, deadline,
                                    nullptr, FUTEX_BITSET_MATCH_ANY));
}

timespec deadline_after(std::chrono::nanoseconds timeout) {
  constexpr int64_t kSecond = 1'000'000'000;
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  int64_t nanoseconds = now.tv_nsec + timeout.count() % kSecond;
  now.tv_sec += static_cast<time_t>(timeout.count() / kSecond + nanoseconds / kSecond);
  now.tv_nsec = nanoseconds % kSecond;
  return now;
}

}  // namespace

bool ParkingSpot::park(uint32_t ticket, std::chrono::nanoseconds timeout) {
  // Acquire pairs with the release in unpark(): what the waker did before is visible afterwards.
  if (sequence_.load(std::memory_order_acquire) != ticket) return true;
  if (timeout <= std::chrono::nanoseconds::zero()) return false;
  timespec deadline{};
  if (timeout != kForever) deadline = deadline_after(timeout);
  // seq_cst with the pair in unpark(): either the waker sees this sleeper and wakes it, or the
  // kernel's comparison of the sequence sees the waker's increment and does not sleep.
  sleepers_.fetch_add(1, std::memory_order_seq_cst);
  bool unparked = false;
  while (!(unparked = sequence_.load(std::memory_order_seq_cst) != ticket)) {
    if (futex_wait(sequence_, ticket, timeout == kForever ? nullptr : &deadline) < 0 &&
        errno == ETIMEDOUT) {
      unparked = sequence_.load(std::memory_order_acquire) != ticket;
      break;
    }
  }
  sleepers_.fetch_sub(1, std::memory_order_relaxed);
  return unparked;
}

void ParkingSpot::unpark() {
  sequence_.fetch_add(1, std::memory_order_seq_cst);
  if (sleepers_.load(std::memory_order_seq_cst) == 0) return;
  ::syscall(SYS_futex, &sequence_, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace pvgpu::platform
