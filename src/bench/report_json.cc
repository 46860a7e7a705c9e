#include <nlohmann/json.hpp>

#include "bench/report.h"

namespace pvgpu::bench {
namespace {

using nlohmann::ordered_json;

ordered_json spread_json(const Spread& spread) {
  return {{"min", spread.min}, {"median", spread.median}, {"max", spread.max}};
}

ordered_json figure_json(const Report& report, const WorkResult& result, const Figure& figure) {
  ordered_json json = {{"name", figure.name},
                       {"unit", result.work->unit.name},
                       {"better", result.work->unit.better == Better::kLower ? "lower" : "higher"},
                       {"description", figure.what}};
  ordered_json& rounds = json["rounds"] = ordered_json::object();
  for (size_t i = 0; i < result.sides.size(); ++i) {
    if (const auto* values = result.sides[i].values(figure.name))
      rounds[report.sides[i].name] = *values;
  }
  ordered_json& ratios = json["ratios"] = ordered_json::object();
  for (const Comparison& comparison : compare(report, result, figure)) {
    ratios["to_" + report.sides[comparison.other].name] = spread_json(comparison.ratio);
  }
  return json;
}

ordered_json work_json(const Report& report, const WorkResult& result) {
  ordered_json json = {{"name", result.work->name},
                       {"title", result.work->title},
                       {"description", result.work->what}};
  ordered_json& failures = json["failures"] = ordered_json::object();
  for (size_t i = 0; i < result.sides.size(); ++i) {
    if (!result.sides[i].failure.empty()) failures[report.sides[i].name] = result.sides[i].failure;
  }
  ordered_json& figures = json["figures"] = ordered_json::array();
  for (const Figure& figure : result.work->figures)
    figures.push_back(figure_json(report, result, figure));
  if (!result.work->distribution) return json;
  // Within our host, in µs; buckets as below.
  for (const Hop& hop : result.hops) {
    ordered_json buckets = ordered_json::array();
    for (const auto& [bucket, count] : hop.distribution.counts()) buckets.push_back({Histogram::lower_bound(bucket), count});
    json["hops"][hop.name] = {{"count", hop.count}, {"p50", hop.p50},   {"p99", hop.p99},
                              {"p99.9", hop.p999},  {"most", hop.most}, {"buckets", std::move(buckets)}};
  }
  // Buckets as [lower bound, count], in the unit of the figures.
  ordered_json& distributions = json["distributions"] = ordered_json::object();
  for (size_t i = 0; i < result.sides.size(); ++i) {
    ordered_json buckets = ordered_json::array();
    for (const auto& [bucket, count] : result.sides[i].distribution.counts()) {
      buckets.push_back({Histogram::lower_bound(bucket), count});
    }
    if (!buckets.empty()) distributions[report.sides[i].name] = std::move(buckets);
  }
  return json;
}

}  // namespace

std::string to_json(const Report& report) {
  ordered_json json;
  ordered_json& about = json["about"] = ordered_json::object();
  for (const auto& [name, value] : report.about) about[name] = value;
  ordered_json& sides = json["sides"] = ordered_json::array();
  for (const SideInfo& side : report.sides)
    sides.push_back({{"name", side.name}, {"gpu", side.gpu}, {"note", side.note}});
  ordered_json& works = json["works"] = ordered_json::array();
  for (const WorkResult& result : report.works) works.push_back(work_json(report, result));
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + '\n';
}

}  // namespace pvgpu::bench
