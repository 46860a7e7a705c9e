// By the system's own functions where it has them (macOS 14.4), found at run time so that older systems run the same program;
// by condition variables there.
#include "platform/address_wait.h"

#include <dlfcn.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

namespace pvgpu::platform {
namespace {

// As <os/os_sync_wait_on_address.h> and <os/clock.h> declare them. 0 is OS_SYNC_*_NONE: words of this process alone.
constexpr uint32_t kPrivate = 0;
constexpr uint32_t kMachAbsoluteTime = 32;  // OS_CLOCK_MACH_ABSOLUTE_TIME
using Wait = int (*)(void* word, uint64_t expected, size_t size, uint32_t flags);
using WaitForTime = int (*)(void* word, uint64_t expected, size_t size, uint32_t flags, uint32_t clock, uint64_t nanoseconds);
using WakeAll = int (*)(void* word, size_t size, uint32_t flags);

struct Functions {
  Wait wait;
  WaitForTime wait_for_time;
  WakeAll wake_all;
  bool complete() const { return wait && wait_for_time && wake_all; }
};

const Functions& functions() {
  static const Functions found{reinterpret_cast<Wait>(::dlsym(RTLD_DEFAULT, "os_sync_wait_on_address")),
                               reinterpret_cast<WaitForTime>(::dlsym(RTLD_DEFAULT, "os_sync_wait_on_address_with_timeout")),
                               reinterpret_cast<WakeAll>(::dlsym(RTLD_DEFAULT, "os_sync_wake_by_address_all"))};
  return found;
}

}  // namespace

bool wait_on_address(std::atomic<uint32_t>& word, uint32_t expected, const Deadline& deadline) {
  const Functions& system = functions();
  if (!system.complete()) return wait_with_condition(word, expected, deadline);
  if (!deadline) {
    system.wait(&word, expected, sizeof word, kPrivate);
    return true;
  }
  const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(*deadline - std::chrono::steady_clock::now());
  if (left.count() <= 0) return false;  // and a timeout of 0 is an error
  return system.wait_for_time(&word, expected, sizeof word, kPrivate, kMachAbsoluteTime, static_cast<uint64_t>(left.count())) >= 0 ||
         errno != ETIMEDOUT;
}

void wake_all_on_address(std::atomic<uint32_t>& word) {
  const Functions& system = functions();
  if (!system.complete()) return wake_all_with_condition(word);
  system.wake_all(&word, sizeof word, kPrivate);  // fails with ENOENT if nobody waits
}

}  // namespace pvgpu::platform
