#include "bench/hops.h"

#include <nlohmann/json.hpp>

namespace pvgpu::bench {
namespace {

using nlohmann::ordered_json;

double microseconds(const ordered_json& hop, const char* name) {
  const ordered_json value = hop.value(name, ordered_json());
  return value.is_number() ? value.get<double>() / 1000 : 0;
}

uint64_t pairs(const ordered_json& hop, Histogram& distribution) {
  uint64_t total = 0;
  const ordered_json buckets = hop.value("buckets", ordered_json::array());
  for (const ordered_json& pair : buckets) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number_unsigned() || !pair[1].is_number_unsigned()) continue;
    distribution.add(Histogram::bucket_of(pair[0].get<double>() / 1000), pair[1].get<uint64_t>());
    total += pair[1].get<uint64_t>();
  }
  return total;
}

std::vector<Hop> parse_line(std::string_view line, uint64_t& total) {
  std::vector<Hop> hops;
  const ordered_json value = ordered_json::parse(line, nullptr, false);
  if (!value.is_object()) return hops;
  const ordered_json all = value.value("hops", ordered_json::object());
  for (const auto& [name, json] : all.items()) {
    if (!json.is_object()) continue;
    Hop hop{.name = name, .p50 = microseconds(json, "p50_ns"), .p99 = microseconds(json, "p99_ns"),
            .p999 = microseconds(json, "p999_ns"), .most = microseconds(json, "most_ns")};
    hop.count = pairs(json, hop.distribution);
    total += hop.count;
    hops.push_back(std::move(hop));
  }
  return hops;
}

}  // namespace

std::vector<Hop> parse_hops(std::string_view text) {
  std::vector<Hop> best;
  uint64_t most = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    uint64_t total = 0;
    std::vector<Hop> hops = parse_line(text.substr(0, end), total);
    if (total > most) {
      most = total;
      best = std::move(hops);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return best;
}

}  // namespace pvgpu::bench
