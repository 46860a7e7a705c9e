// A guest being served somewhere else: in a worker process, or in a thread. What the supervisor
// needs to know of it and to do with it. Belongs to the supervisor's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "platform/error.h"
#include "platform/fd.h"
#include "platform/unix_socket.h"

namespace pvgpu::frontends::server {

struct ClientInfo {
  uint64_t number = 0;  // counts the server's clients from 1
  platform::PeerCredentials peer{};
};

enum class ClientEnd {
  kClosed,      // the guest closed its connection or died
  kPoisoned,    // the guest made a mistake; the log says which
  kNotStarted,  // this host could not serve it; the log says why
  kCrashed,     // by a signal, or with an exit code that means nothing
};

struct ClientOutcome {
  ClientEnd end = ClientEnd::kClosed;
  std::string detail;  // "signal SIGSEGV"
};

class ClientTask {
 public:
  virtual ~ClientTask() = default;
  // "worker 1234", for the log.
  virtual std::string name() const = 0;
  // Readable once the guest is no longer served.
  virtual const platform::UniqueFd& end_fd() const = 0;
  // nullopt until then.
  virtual std::optional<ClientOutcome> outcome() = 0;
  // Asks it to end soon, and ends it now. Neither waits.
  virtual void terminate() = 0;
  virtual void kill() = 0;
};

// Starts to serve the guest behind `socket`, of which the supervisor keeps a duplicate.
using ClientStarter = std::function<Result<std::unique_ptr<ClientTask>>(const ClientInfo& info,
                                                                        platform::UniqueFd socket)>;

}  // namespace pvgpu::frontends::server
