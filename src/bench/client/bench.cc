#include "bench/client/bench.h"

#include <thread>

namespace pvgpu::bench::client {

const Gpu& Bench::gpu() {
  if (!gpu_) tell_gpu(gpu_.emplace(choice_));
  return *gpu_;
}

void Bench::latencies(std::vector<double> microseconds) {
  std::ranges::sort(microseconds);
  for (double value : microseconds) outcome_.distribution.add(value);
  figure("p50", percentile(microseconds, 0.5));
  figure("p99", percentile(microseconds, 0.99));
  figure("p99.9", percentile(microseconds, 0.999));
}

void Bench::sleep_20_ms() {
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

}  // namespace pvgpu::bench::client
