// `pvgpu info --parity`: asks the host's driver, this host's decoder and a guest's driver the same, and compares.
#pragma once

#include <string>
#include <vector>

#include "host/host.h"
#include "platform/error.h"

namespace pvgpu::cli {

struct ParityOptions {
  host::HostOptions host;
  std::vector<std::string> server_arguments;  // --gpu, --log-level … for `pvgpu serve`
  std::string guest_icd;                      // manifest of the Venus driver in the guest's system; empty: look for it
  std::string guest_command;                  // words of a shell that go before the program that asks; may be empty
  bool json = false;
  bool colour = false;
};

struct ParityReport {
  std::string text;
  bool explained = false;  // no difference is without a reason
};

// An error without text has been told to the user already. Main thread, before any other exists.
Result<ParityReport> parity(const ParityOptions& options);

}  // namespace pvgpu::cli
