// Counts what a thread does that a command in the steady state must not do: heap allocations, locks, system calls. Linked into a test
// program, it takes the place of malloc and of the locks of libpthread, and has the kernel report system calls (seccomp).
// Counts are of the calling thread. Not for sanitized builds, which replace malloc themselves.
#pragma once

#include <cstdint>

namespace pvgpu::bench {

struct Costs {
  uint64_t allocations = 0, locks = 0, system_calls = 0;

  Costs operator-(const Costs& before) const {
    return {allocations - before.allocations, locks - before.locks, system_calls - before.system_calls};
  }
  bool operator==(const Costs&) const = default;
};

// Of this thread so far. System calls are counted from count_system_calls() on.
Costs costs();

// Every system call of this thread, and of those that it starts, is counted from now on; each takes microseconds longer.
// False: the kernel refuses.
bool count_system_calls();

// Bytes that the whole process holds of the heap.
uint64_t heap_bytes();

}  // namespace pvgpu::bench
