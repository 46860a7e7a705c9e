// Marks what bench/instructions.py counts of a benchmark, under callgrind started with --instr-atstart=no; otherwise costs nothing.
// Place it around the loop over the state, of which each iteration is then an equal share of the count.
#pragma once

#include <valgrind/callgrind.h>

namespace pvgpu::bench {

class CountInstructions {
 public:
  CountInstructions() {
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
  }
  // One file of callgrind's for each; they are told apart by their order.
  ~CountInstructions() {
    CALLGRIND_DUMP_STATS;
    CALLGRIND_STOP_INSTRUMENTATION;
  }
  CountInstructions(const CountInstructions&) = delete;
  CountInstructions& operator=(const CountInstructions&) = delete;
};

}  // namespace pvgpu::bench
