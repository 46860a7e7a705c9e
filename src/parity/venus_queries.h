// What this host offers to guests' drivers, before any of them has a say: asked through the protocol, of a Venus context in
// this process. One thread.
#pragma once

#include <vector>

#include "describe/fact.h"
#include "host/host.h"
#include "platform/error.h"

namespace pvgpu::parity {

// A description of each of the host's devices, in their order. Opens the driver in this process.
Result<std::vector<describe::Device>> describe_offer(host::Host& host);

}  // namespace pvgpu::parity
