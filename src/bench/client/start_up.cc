#include "bench/client/works.h"

namespace pvgpu::bench::client {
namespace {

double milliseconds_to_open(Bench& bench) {
  const auto start = Clock::now();
  const Gpu gpu(bench.choice());
  const double seconds = seconds_since(start);
  bench.tell_gpu(gpu);
  return seconds * 1e3;
}

}  // namespace

void start_up(Bench& bench) {
  bench.figure("first", milliseconds_to_open(bench));
  std::vector<double> again;
  for (int i = 0; i < bench.either(5, 1); ++i) again.push_back(milliseconds_to_open(bench));
  bench.figure("again", spread(again).median);
}

}  // namespace pvgpu::bench::client
