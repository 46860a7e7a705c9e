// What a work gets to measure with, and where its figures go. Belongs to the program's main thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "bench/client/gpu.h"
#include "bench/outcome.h"

namespace pvgpu::bench::client {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class Bench {
 public:
  Bench(GpuChoice choice, bool quick, Outcome& outcome)
      : choice_(std::move(choice)), quick_(quick), outcome_(outcome) {}

  const GpuChoice& choice() const { return choice_; }
  // Only whether it works at all.
  bool quick() const { return quick_; }
  // `full`, or `quick` if only that is asked for.
  template <class T>
  T either(T full, T quick) const {
    return quick_ ? quick : full;
  }
  // Opened at the first call. Works that need extensions open one of their own.
  const Gpu& gpu();
  void tell_gpu(const Gpu& gpu) { outcome_.gpu = gpu.name(); }

  void figure(std::string_view name, double value) { outcome_.figures.emplace(name, value); }
  // Tells the percentiles and the distribution of `microseconds`.
  void latencies(std::vector<double> microseconds);

  // Calls `batch`, which returns how many units it did, for `seconds` (a moment if quick); units
  // per second. The first call is not measured: it grows what the driver keeps.
  template <class Batch>
  double rate(Batch batch, double seconds = 0.5) const {
    batch();
    const double budget = either(seconds, 0.02);
    double units = 0;
    const auto start = Clock::now();
    do units += static_cast<double>(batch());
    while (seconds_since(start) < budget);
    return units / seconds_since(start);
  }
  // The latencies of `call`, one second of them, each after `before`, which is not measured.
  template <class Before, class Call>
  void sample_warm(Before before, Call call) {
    constexpr size_t kMost = 200'000;
    for (int i = 0; i < either(200, 5); ++i) before(), call();
    std::vector<double> microseconds;
    microseconds.reserve(kMost);
    const double budget = either(1.0, 0.03);
    for (const auto start = Clock::now();
         microseconds.size() < kMost && seconds_since(start) < budget;) {
      microseconds.push_back(time(before, call));
    }
    latencies(std::move(microseconds));
  }
  // The same, each call after 20 ms in which the program sleeps.
  template <class Before, class Call>
  void sample_idle(Before before, Call call) {
    std::vector<double> microseconds;
    for (int i = 0; i < either(100, 5); ++i) {
      before();
      sleep_20_ms();
      microseconds.push_back(time([] {}, call));
    }
    latencies(std::move(microseconds));
  }

 private:
  template <class Before, class Call>
  static double time(Before before, Call call) {
    before();
    const auto start = Clock::now();
    call();
    return seconds_since(start) * 1e6;
  }
  static void sleep_20_ms();

  GpuChoice choice_;
  bool quick_;
  Outcome& outcome_;
  std::optional<Gpu> gpu_;
};

}  // namespace pvgpu::bench::client
