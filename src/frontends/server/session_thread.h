// --isolation=thread: guests served by threads of the server itself, for embedding and debugging. A
// crash of the driver then ends all of them.
#pragma once

#include "frontends/server/client_task.h"
#include "frontends/server/guest.h"
#include "host/host.h"

namespace pvgpu::frontends::server {

// `host` outlives every task.
ClientStarter session_threads(host::Host& host, Observation observation);

}  // namespace pvgpu::frontends::server
