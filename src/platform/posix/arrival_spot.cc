// poll(2) tells what is there, not what has come anew: so nothing is watched.
#include "platform/arrival_spot.h"

namespace pvgpu::platform {

ArrivalSpot::ArrivalSpot(int) {}

bool ArrivalSpot::park(uint32_t ticket, std::chrono::nanoseconds timeout) { return spot_.park(ticket, timeout); }

void ArrivalSpot::unpark() { spot_.unpark(); }

}  // namespace pvgpu::platform
