#include "bench/runner.h"

namespace pvgpu::bench {

Result<Report> run_works(std::span<const Work* const> works, std::span<const Side> sides,
                         int rounds, const Progress& progress) {
  Report report;
  for (const Side& side : sides) report.sides.push_back(side.info);
  for (const Work* work : works) {
    WorkResult& result = report.works.emplace_back(work, std::vector<SideResult>(sides.size()));
    for (int round = 1; round <= rounds; ++round) {
      for (size_t i = 0; i < sides.size(); ++i) {
        if (!result.sides[i].failure.empty()) continue;
        progress(*work, sides[i].info, round);
        auto outcome = sides[i].run(*work);
        if (!outcome) return std::unexpected(outcome.error());
        result.sides[i].add(*outcome);
        if (!outcome->gpu.empty()) report.sides[i].gpu = outcome->gpu;
      }
    }
  }
  return report;
}

}  // namespace pvgpu::bench
