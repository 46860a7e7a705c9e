// The object table with few and with many objects: a look-up's time must not grow with their number.
#include <benchmark/benchmark.h>

#include "instructions.h"
#include "venus/object_table.h"

namespace pvgpu::bench {
namespace {

using venus::ObjectTable;

void insert(ObjectTable& table, uint64_t id) {
  if (!table.insert(id, VK_OBJECT_TYPE_BUFFER, id, nullptr)) std::abort();
}

// Ids as Mesa gives them: counted up. Looked up in an order that no prefetcher guesses.
void Find(benchmark::State& state) {
  ObjectTable table;
  const auto count = static_cast<uint64_t>(state.range(0));
  for (uint64_t id = 1; id <= count; ++id) insert(table, id);
  uint64_t at = 0;
  {
    const CountInstructions counted;
    for (auto _ : state) {
      at = (at * 6364136223846793005u + 1442695040888963407u);
      benchmark::DoNotOptimize(table.find(1 + (at >> 33) % count));
    }
  }
  state.SetItemsProcessed(state.iterations());
}

// A guest that creates and destroys for ever, with `range` others alive.
void InsertErase(benchmark::State& state) {
  ObjectTable table;
  const auto count = static_cast<uint64_t>(state.range(0));
  uint64_t id = 0;
  while (id < count) insert(table, ++id);
  {
    const CountInstructions counted;
    for (auto _ : state) {
      insert(table, ++id);
      table.erase(table.find(id));
    }
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["pages"] = static_cast<double>(table.page_count());
}

BENCHMARK(Find)->RangeMultiplier(10)->Range(1, 1000000);
BENCHMARK(InsertErase)->Arg(1)->Arg(1000)->Arg(1000000);

}  // namespace
}  // namespace pvgpu::bench
