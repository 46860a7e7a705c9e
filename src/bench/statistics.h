// What many measurements of one thing are summed up to. Value types and pure functions; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace pvgpu::bench {

// The value that the share `q` (0 … 1) of `sorted` does not exceed: the nearest rank, so that it is
// one of them. Not for empty spans.
double percentile(std::span<const double> sorted, double q);

struct Spread {
  double min = 0, median = 0, max = 0;
};
// Of at least one value, in any order.
Spread spread(std::vector<double> values);
// Of value i of `numerators` to value i of `denominators`, as far as both go: what was measured one
// right after the other is compared, so that a machine that slows down changes no ratio. Without
// pairs all is 0.
Spread ratio_spread(std::span<const double> numerators, std::span<const double> denominators);

// Counts of values in buckets that grow by the same factor, so that nanoseconds and seconds fit
// into one chart.
class Histogram {
 public:
  static constexpr int kBucketsPerDoubling = 8;

  // The bucket of `value`; all values of zero and below are in the one of 1e-6.
  static int bucket_of(double value);
  static double lower_bound(int bucket);

  void add(double value) { ++counts_[bucket_of(value)]; }
  void add(int bucket, uint64_t count) { counts_[bucket] += count; }
  void add(const Histogram& other);

  const std::map<int, uint64_t>& counts() const { return counts_; }
  uint64_t total() const;
  bool empty() const { return counts_.empty(); }

 private:
  std::map<int, uint64_t> counts_;
};

}  // namespace pvgpu::bench
