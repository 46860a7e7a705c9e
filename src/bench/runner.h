// Runs works on sides, interleaved: in each round every side does the work once, one right after
// the other, so that whatever else happens on the machine happens to all. Belongs to one thread.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "bench/report.h"
#include "platform/error.h"

namespace pvgpu::bench {

struct Side {
  SideInfo info;
  // Does `work` once. An Outcome with a failure: this side cannot do this work, and is not asked
  // again. An error ends the run.
  std::function<Result<Outcome>(const Work& work)> run;
};

// Told before each work on each side. Rounds count from 1.
using Progress = std::function<void(const Work& work, const SideInfo& side, int round)>;

Result<Report> run_works(std::span<const Work* const> works, std::span<const Side> sides,
                         int rounds, const Progress& progress);

}  // namespace pvgpu::bench
