#include "platform/parking.h"

#include "platform/address_wait.h"

namespace pvgpu::platform {

bool ParkingSpot::park(uint32_t ticket, std::chrono::nanoseconds timeout) {
  // Acquire pairs with the release in unpark(): what the waker did before is visible afterwards.
  if (sequence_.load(std::memory_order_acquire) != ticket) return true;
  if (timeout <= std::chrono::nanoseconds::zero()) return false;
  Deadline deadline;
  if (timeout != kForever) deadline = std::chrono::steady_clock::now() + timeout;
  // seq_cst with the pair in unpark(): either the waker sees this sleeper and wakes it, or the
  // comparison before sleeping sees the waker's increment.
  sleepers_.fetch_add(1, std::memory_order_seq_cst);
  bool unparked = false;
  while (!(unparked = sequence_.load(std::memory_order_seq_cst) != ticket)) {
    if (!wait_on_address(sequence_, ticket, deadline)) {
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
  wake_all_on_address(sequence_);
}

}  // namespace pvgpu::platform
