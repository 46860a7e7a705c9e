// The arena that holds one command's structures.
#include <benchmark/benchmark.h>

#include "instructions.h"
#include "wire/arena.h"

namespace pvgpu::bench {
namespace {

// Eight structures and a reset: a command of some size.
void ArenaCommand(benchmark::State& state) {
  wire::Arena arena;
  const auto bytes = static_cast<size_t>(state.range(0));
  {
    const CountInstructions counted;
    for (auto _ : state) {
      for (int i = 0; i < 8; ++i) benchmark::DoNotOptimize(arena.allocate(bytes));
      arena.reset();
    }
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(ArenaCommand)->Arg(16)->Arg(256)->Arg(65536);

}  // namespace
}  // namespace pvgpu::bench
