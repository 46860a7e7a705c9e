// `pvgpu serve`, whole: opens the socket, takes the driver's profile, says that it is ready,
// supervises, and cleans up. Main thread, before any other thread exists.
#pragma once

#include <cstddef>
#include <string>

#include "frontends/server/worker_process.h"
#include "platform/error.h"

namespace pvgpu::frontends::server {

enum class Isolation { kProcess, kThread };

struct ServeOptions {
  std::string socket_path;  // unused if the service manager passes a socket
  WorkerCommand worker;     // with the devices to serve
  size_t max_clients = 1024;
  Isolation isolation = Isolation::kProcess;
  // Gets "READY=1" and "MEMORY=dma_buf" or "MEMORY=host_import", a line each, and is closed. -1:
  // none.
  int ready_fd = -1;
  pid_t end_with_parent = 0;  // this process's parent, if the server shall end with it
};

// Returns after SIGINT, SIGTERM or SIGHUP. An error with an empty text has been told to the user by
// a child.
Result<void> serve(const ServeOptions& options);

}  // namespace pvgpu::frontends::server
