// `pvgpu bench`: the same work natively, through a private server of ours and through the peer,
// compared.
#pragma once

#include <string>
#include <vector>

#include "host/host.h"
#include "platform/error.h"

namespace pvgpu::cli {

struct BenchOptions {
  host::HostOptions host;        // the first GPU that its selectors mean is measured
  std::string server_log_level;  // of our server
  std::string guest_icd;  // manifest of the Venus driver in the guest's system; empty: look for it
  std::string guest_command;  // words of a shell that go before programs that run as the guest; may
                              // be empty
  std::string peer;  // the peer's vtest server, a path or a name to look up; empty: without it
  std::vector<std::string> only;  // names of works; empty: all
  int rounds = 5;
  bool quick = false;
  bool json = false;  // instead of text
  std::string html;   // file to write the page to; empty: none
};

// What to print. An error without text has been told to the user already. Main thread, before any
// other exists.
Result<std::string> bench(const BenchOptions& options);
// What --list prints: the works and their figures.
std::string bench_list();

}  // namespace pvgpu::cli
