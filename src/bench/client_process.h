// Runs pvgpu-bench-client for one work and takes what it tells. Main thread.
#pragma once

#include <string>
#include <vector>

#include "bench/outcome.h"
#include "bench/works.h"
#include "platform/error.h"
#include "platform/signals.h"

namespace pvgpu::bench {

struct ClientCommand {
  std::string prefix;                  // words of a shell that go before the program; may be empty
  std::vector<std::string> variables;  // "NAME=value", for the program
  std::string program;
  std::vector<std::string> arguments;  // besides --work and --deadline
  int deadline_seconds = 0;            // after which the work counts as failed
};

// An error is one of `signals`, which came first: the run is to end.
Result<Outcome> run_client(const ClientCommand& command, const Work& work,
                           const platform::SignalQueue& signals);

}  // namespace pvgpu::bench
