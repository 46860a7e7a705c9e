// A ParkingSpot (parking.h) whose sleeper also wakes up when something arrives at a descriptor that another thread
// reads, so that what that thread is about to be told need not be handed on: both wake up at once. Woken that way a sleeper
// looks for its work as ever; that there is none yet is no mistake, an unpark() will follow.
//
// One thread parks; any may call unpark(). The spot outlives every call, the descriptor the spot.
#pragma once

#include <chrono>
#include <cstdint>

#include "platform/fd.h"
#include "platform/parking.h"

namespace pvgpu::platform {

class ArrivalSpot {
 public:
  // `descriptor`: a socket or the like, borrowed; -1 for none. Where the system cannot watch it, or there are no descriptors
  // left to do it with, the spot is a ParkingSpot.
  explicit ArrivalSpot(int descriptor);

  // False: this one is a ParkingSpot.
  bool watches() const { return arrivals_.valid(); }
  uint32_t prepare() const { return spot_.prepare(); }
  // Returns at an unpark() since prepare() (true), at an arrival since the last time, or after `timeout`.
  bool park(uint32_t ticket, std::chrono::nanoseconds timeout);
  void unpark();

 private:
  ParkingSpot spot_;
  UniqueFd arrivals_;  // readable once for each arrival; invalid: nothing is watched
  UniqueFd unparked_;   // where arrivals_ cannot be told of it
  std::atomic<bool> sleeping_{false};
};

}  // namespace pvgpu::platform
