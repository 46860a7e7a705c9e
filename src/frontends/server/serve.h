// `pvgpu serve` and `pvgpu device`, whole: opens the socket, takes the driver's profile, says that it is ready,
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
  int socket_fd = -1;       // one that listens already, instead of either
  // For the log: what to tell those who want to connect; "{}" stands for the path.
  std::string invitation = "guests need VN_DEBUG=vtest VTEST_SOCKET_NAME={}";
  bool vtest_farewell = true;  // what refused clients are sent
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
