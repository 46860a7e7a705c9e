#include "observe/latency.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

#include "observe/log.h"
#include "platform/fd.h"
#include "platform/system_call.h"

namespace pvgpu::observe {
namespace {

struct HopText {
  std::string_view name, meaning;
};
constexpr HopText kTexts[kHops] = {
    {"pick-up", "from the guest's store of the tail until we see it, at most"},
    {"decode", "from there, or the command before, to the handler or driver function"},
    {"driver", "in that function, waiting for the GPU included"},
    {"reply", "from there until reply and head are visible"},
    {"recorded", "up to 1 KiB of vkCmd* commands, whole"},
    {"streams", "vkExecuteCommandStreamsMESA, with all that it executes"},
    {"span", "all that was found at one look, until the head says that it is done"},
};

}  // namespace

std::string_view hop_name(Hop hop) { return kTexts[static_cast<size_t>(hop)].name; }
std::string_view hop_meaning(Hop hop) { return kTexts[static_cast<size_t>(hop)].meaning; }

void LatencyHistogram::add(const LatencyHistogram& other) {
  for (uint32_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  total_ += other.total_;
  most_ = std::max(most_, other.most_);
}

uint64_t LatencyHistogram::percentile(double q) const {
  const auto rank = std::max<uint64_t>(1, static_cast<uint64_t>(std::ceil(q * static_cast<double>(total_))));
  uint64_t seen = 0;
  for (uint32_t i = 0; i < kBuckets; ++i)
    if ((seen += counts_[i]) >= rank) return lower_bound(i);
  return 0;
}

void LatencyReport::add(const HopTimes& times) {
  std::lock_guard lock(mutex_);
  for (size_t i = 0; i < kHops; ++i) hops_[i].add(times.of(static_cast<Hop>(i)));
}

std::string LatencyReport::as_text() const {
  std::lock_guard lock(mutex_);
  std::string text = fmt::format("latency of {}, in µs\n{:<10} {:>10} {:>10} {:>10} {:>10} {:>10}\n", guest_, "hop", "count", "p50",
                                 "p99", "p99.9", "most");
  for (size_t i = 0; i < kHops; ++i) {
    const LatencyHistogram& hop = hops_[i];
    if (hop.total() == 0) continue;
    const auto us = [&](double q) { return static_cast<double>(hop.percentile(q)) / 1000; };
    text += fmt::format("{:<10} {:>10} {:>10.2f} {:>10.2f} {:>10.2f} {:>10.2f}  {}\n", kTexts[i].name, hop.total(), us(0.5), us(0.99),
                        us(0.999), static_cast<double>(hop.most()) / 1000, kTexts[i].meaning);
  }
  return text;
}

// {"guest": "…", "hops": {"pick-up": {"count": 2, "p50_ns": 1, "p99_ns": 1, "p999_ns": 1, "most_ns": 1, "buckets": [[1, 2]]}}}
std::string LatencyReport::as_json() const {
  std::lock_guard lock(mutex_);
  std::string json = fmt::format(R"({{"guest": "{}", "hops": {{)", guest_);
  const char* comma = "";
  for (size_t i = 0; i < kHops; ++i) {
    const LatencyHistogram& hop = hops_[i];
    if (hop.total() == 0) continue;
    json += fmt::format(R"({}"{}": {{"count": {}, "p50_ns": {}, "p99_ns": {}, "p999_ns": {}, "most_ns": {}, "buckets": [)", comma,
                        kTexts[i].name, hop.total(), hop.percentile(0.5), hop.percentile(0.99), hop.percentile(0.999), hop.most());
    const char* between = "";
    for (uint32_t bucket = 0; bucket < LatencyHistogram::kBuckets; ++bucket) {
      if (hop.counts()[bucket] == 0) continue;
      json += fmt::format("{}[{}, {}]", between, LatencyHistogram::lower_bound(bucket), hop.counts()[bucket]);
      between = ", ";
    }
    json += "]}";
    comma = ", ";
  }
  return json + "}}\n";
}

LatencyReport::~LatencyReport() {
  platform::UniqueFd file;
  if (path_ != "-") {
    file.reset(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    if (!file.valid()) LOG_ERROR("cannot write latencies to {}: {}", path_, platform::error_text(errno));
  }
  // In one piece: several guests may end at once.
  const std::string text = file.valid() ? as_json() : as_text();
  const int fd = file.valid() ? file.get() : STDERR_FILENO;
  if (platform::retry([&] { return ::write(fd, text.data(), text.size()); }) < 0)
    LOG_ERROR("cannot write latencies: {}", platform::error_text(errno));
}

}  // namespace pvgpu::observe
