// Serves one guest from its first byte to its last, wherever that happens. Used by workers and by
// the threads of --isolation=thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "frontends/server/client_task.h"
#include "host/host.h"
#include "platform/fd.h"

namespace pvgpu::frontends::server {

// What is observed of guests, besides the log. Each is off if empty.
struct Observation {
  std::string record;  // a file for all that the first guest's context takes in; see observe/recording.h for the later ones'
  std::string latency;  // a file that gets each guest's latencies (observe/latency.h) as it ends; "-": standard error
  bool any() const { return !record.empty() || !latency.empty(); }
  // What is written.
  std::vector<std::string> files() const {
    std::vector<std::string> files;
    if (!record.empty()) files.push_back(record);
    if (!latency.empty() && latency != "-") files.push_back(latency);
    return files;
  }
};

struct GuestInfo {
  pid_t pid = 0;
  uint64_t number = 0;       // counts the server's clients from 1
  bool own_process = false;  // nothing else runs in this process: the guest's name becomes part of all its log lines
};

// Blocks until the guest is gone or was stopped, which is logged.
ClientEnd serve_guest(host::Host& host, platform::UniqueFd socket, const GuestInfo& guest, const Observation& observation);

}  // namespace pvgpu::frontends::server
