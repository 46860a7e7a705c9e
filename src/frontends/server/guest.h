// Serves one guest from its first byte to its last, wherever that happens. Used by workers and by
// the threads of --isolation=thread.
#pragma once

#include <sys/types.h>

#include "frontends/server/client_task.h"
#include "host/host.h"
#include "platform/fd.h"

namespace pvgpu::frontends::server {

// Blocks until the guest is gone or was stopped, which is logged. `own_process`: nothing else runs
// in this process, and the guest's name becomes part of all its log lines.
ClientEnd serve_guest(host::Host& host, platform::UniqueFd socket, pid_t guest_pid,
                      bool own_process);

}  // namespace pvgpu::frontends::server
