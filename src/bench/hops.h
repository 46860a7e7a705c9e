// What `pvgpu serve --latency FILE` tells of a guest, for the report: how long each hop inside the host took. Value types and pure
// functions; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bench/statistics.h"

namespace pvgpu::bench {

struct Hop {
  std::string name;  // "pick-up"
  uint64_t count = 0;
  double p50 = 0, p99 = 0, p999 = 0, most = 0;  // µs
  Histogram distribution;                       // µs
};

// Of the guest with the longest list of all that `text` has a line for: programs that look around connect more than once. Empty if
// there is none.
std::vector<Hop> parse_hops(std::string_view text);

}  // namespace pvgpu::bench
