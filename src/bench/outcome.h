// What one run of one work on one side came to, and how the client tells the runner: as a line of
// JSON. Value type.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "bench/statistics.h"
#include "platform/error.h"

namespace pvgpu::bench {

struct Outcome {
  std::map<std::string, double, std::less<>> figures;  // by Figure::name, in its unit
  Histogram distribution;                              // of a work that has one
  // "vkCreateDevice: VK_ERROR_INITIALIZATION_FAILED". What was measured before stands.
  std::string failure;
  std::string gpu;  // as the driver names it: which driver, and so which side, it really was
};

std::string to_json_line(const Outcome& outcome);
// The last line of `text` that is an outcome: drivers may print as well.
Result<Outcome> parse_outcome(std::string_view text);

}  // namespace pvgpu::bench
