#include "bench/outcome.h"

#include <nlohmann/json.hpp>
#include <optional>

namespace pvgpu::bench {
namespace {

using nlohmann::json;

constexpr const char* kMark = "pvgpu-bench";
constexpr int kVersion = 1;

std::optional<Outcome> parse_line(std::string_view line) {
  const json value = json::parse(line, nullptr, false);
  if (!value.is_object() || value.value(kMark, json()) != kVersion) return std::nullopt;
  Outcome outcome;
  if (value.contains("failure") && value["failure"].is_string()) outcome.failure = value["failure"];
  if (value.contains("gpu") && value["gpu"].is_string()) outcome.gpu = value["gpu"];
  const json figures = value.value("figures", json::object());
  for (const auto& [name, figure] : figures.items()) {
    if (figure.is_number()) outcome.figures[name] = figure.get<double>();
  }
  const json distribution = value.value("distribution", json::array());
  for (const json& bucket : distribution) {
    if (!bucket.is_array() || bucket.size() != 2 || !bucket[0].is_number_integer() ||
        !bucket[1].is_number_unsigned()) {
      return std::nullopt;
    }
    outcome.distribution.add(bucket[0].get<int>(), bucket[1].get<uint64_t>());
  }
  return outcome;
}

}  // namespace

std::string to_json_line(const Outcome& outcome) {
  json value = {{kMark, kVersion}, {"figures", outcome.figures}, {"gpu", outcome.gpu}};
  if (!outcome.failure.empty()) value["failure"] = outcome.failure;
  json& distribution = value["distribution"] = json::array();
  for (const auto& [bucket, count] : outcome.distribution.counts())
    distribution.push_back({bucket, count});
  return value.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

Result<Outcome> parse_outcome(std::string_view text) {
  while (!text.empty()) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    const size_t start = text.rfind('\n') + 1;  // npos + 1 is 0
    if (auto outcome = parse_line(text.substr(start))) return *outcome;
    text = text.substr(0, start);
  }
  return fail("it told nothing");
}

}  // namespace pvgpu::bench
