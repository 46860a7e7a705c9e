#include "bench/statistics.h"

#include <algorithm>
#include <cmath>

namespace pvgpu::bench {

double percentile(std::span<const double> sorted, double q) {
  const auto rank = static_cast<size_t>(std::ceil(q * static_cast<double>(sorted.size())));
  return sorted[std::clamp<size_t>(rank, 1, sorted.size()) - 1];
}

Spread spread(std::vector<double> values) {
  std::ranges::sort(values);
  const size_t middle = values.size() / 2;
  const double median =
      values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {values.front(), median, values.back()};
}

Spread ratio_spread(std::span<const double> numerators, std::span<const double> denominators) {
  std::vector<double> ratios;
  for (size_t i = 0; i < std::min(numerators.size(), denominators.size()); ++i) {
    if (denominators[i] > 0) ratios.push_back(numerators[i] / denominators[i]);
  }
  return ratios.empty() ? Spread{} : spread(std::move(ratios));
}

int Histogram::bucket_of(double value) {
  return static_cast<int>(std::floor(std::log2(std::max(value, 1e-6)) * kBucketsPerDoubling));
}

double Histogram::lower_bound(int bucket) {
  return std::exp2(static_cast<double>(bucket) / kBucketsPerDoubling);
}

void Histogram::add(const Histogram& other) {
  for (const auto& [bucket, count] : other.counts_) counts_[bucket] += count;
}

uint64_t Histogram::total() const {
  uint64_t total = 0;
  for (const auto& [bucket, count] : counts_) total += count;
  return total;
}

}  // namespace pvgpu::bench
