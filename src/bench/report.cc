#include "bench/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace pvgpu::bench {
namespace {

Spread inverse(const Spread& spread) {
  return {1 / spread.max, 1 / spread.median, 1 / spread.min};
}

}  // namespace

void SideResult::add(const Outcome& outcome) {
  for (const auto& [figure, value] : outcome.figures) figures[figure].push_back(value);
  distribution.add(outcome.distribution);
  failure = outcome.failure;
}

const std::vector<double>* SideResult::values(std::string_view figure) const {
  const auto found = figures.find(figure);
  return found == figures.end() ? nullptr : &found->second;
}

size_t Report::ours() const {
  return static_cast<size_t>(std::ranges::find(sides, kOurs, &SideInfo::name) - sides.begin());
}

std::vector<Comparison> compare(const Report& report, const WorkResult& result,
                                const Figure& figure) {
  std::vector<Comparison> comparisons;
  const size_t ours = report.ours();
  const auto* our_values =
      ours < result.sides.size() ? result.sides[ours].values(figure.name) : nullptr;
  if (!our_values) return comparisons;
  for (size_t other = 0; other < result.sides.size(); ++other) {
    const auto* values = other == ours ? nullptr : result.sides[other].values(figure.name);
    if (!values) continue;
    const Spread ratio = ratio_spread(*our_values, *values);
    if (ratio.min <= 0) continue;
    comparisons.push_back(
        {other, ratio, result.work->unit.better == Better::kHigher ? ratio : inverse(ratio)});
  }
  return comparisons;
}

std::string quantity(double value) {
  static constexpr const char* kSuffixes[] = {"", " k", " M", " G", " T"};
  size_t thousands = 0;
  // From 9,995 on three digits no longer tell it without an exponent; 999.5 would be rounded up to
  // four digits.
  if (std::abs(value) >= 9'995) {
    while (std::abs(value) >= 999.5 && thousands + 1 < std::size(kSuffixes)) {
      value /= 1'000;
      ++thousands;
    }
  }
  const double size = std::abs(value);
  const int decimals = size >= 99.95 || size == 0 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3;
  return fmt::format("{:.{}f}{}", value, decimals, kSuffixes[thousands]);
}

}  // namespace pvgpu::bench
