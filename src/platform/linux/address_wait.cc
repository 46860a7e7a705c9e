#include "platform/address_wait.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <ctime>

namespace pvgpu::platform {

bool wait_on_address(std::atomic<uint32_t>& word, uint32_t expected, const Deadline& deadline) {
  // FUTEX_WAIT_BITSET takes an absolute time of CLOCK_MONOTONIC, which is the steady clock.
  timespec end{};
  if (deadline) {
    constexpr int64_t kSecond = 1'000'000'000;
    const auto since_start = std::chrono::duration_cast<std::chrono::nanoseconds>(deadline->time_since_epoch()).count();
    end = {.tv_sec = static_cast<time_t>(since_start / kSecond), .tv_nsec = static_cast<long>(since_start % kSecond)};
  }
  return ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, expected, deadline ? &end : nullptr, nullptr,
                   FUTEX_BITSET_MATCH_ANY) == 0 ||
         errno != ETIMEDOUT;
}

void wake_all_on_address(std::atomic<uint32_t>& word) {
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace pvgpu::platform
