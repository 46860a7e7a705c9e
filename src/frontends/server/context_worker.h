// The worker of one guest context of a virtual machine: `pvgpu worker --context`, a process that holds a venus::Context
// and does what the machine's process asks over a socket (context_messages.h).
#pragma once

#include <string>

#include "frontends/server/client_task.h"
#include "frontends/server/guest.h"
#include "host/host.h"
#include "platform/fd.h"

namespace pvgpu::frontends::server {

// Blocks until the machine's process has closed its end.
ClientEnd serve_context(host::Host& host, platform::UniqueFd socket, const std::string& name, const Observation& observation);

}  // namespace pvgpu::frontends::server
