// Where the time between a guest's store and our answer goes, hop by hop, as histograms: what `--latency` collects.
//
// HopTimes belongs to one ring's thread, but for notified(). LatencyReport sums up those of a context and tells them when it is
// destroyed; any thread.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

#include "observe/hop.h"

namespace pvgpu::observe {

// How often durations were met, in buckets whose width is a sixteenth of their size or less, from 1 ns to an hour.
class LatencyHistogram {
 public:
  static constexpr uint32_t kBits = 4, kPerDoubling = 1 << kBits;
  static constexpr uint32_t kBuckets = kPerDoubling * (42 - kBits + 1);

  static constexpr uint32_t bucket_of(uint64_t ns) {
    ns = std::min<uint64_t>(ns, (uint64_t{1} << 42) - 1);
    if (ns < kPerDoubling) return static_cast<uint32_t>(ns);
    const auto shift = static_cast<uint32_t>(std::bit_width(ns)) - kBits - 1;
    return kPerDoubling * shift + static_cast<uint32_t>(ns >> shift);
  }
  // The least duration in a bucket.
  static constexpr uint64_t lower_bound(uint32_t bucket) {
    if (bucket < 2 * kPerDoubling) return bucket;
    const uint32_t shift = bucket / kPerDoubling - 1;
    return uint64_t{kPerDoubling + bucket % kPerDoubling} << shift;
  }

  void add(std::chrono::nanoseconds taken) {
    const auto ns = static_cast<uint64_t>(std::max<int64_t>(taken.count(), 0));
    ++counts_[bucket_of(ns)];
    ++total_;
    most_ = std::max(most_, ns);
  }
  void add(const LatencyHistogram& other);

  uint64_t total() const { return total_; }
  uint64_t most() const { return most_; }  // ns
  // The lower bound of the bucket that the share `q` (0 … 1) of all does not exceed; 0 if there are none.
  uint64_t percentile(double q) const;
  const std::array<uint64_t, kBuckets>& counts() const { return counts_; }

 private:
  std::array<uint64_t, kBuckets> counts_{};
  uint64_t total_ = 0, most_ = 0;
};

class HopTimes {
 public:
  using Clock = std::chrono::steady_clock;

  // The ring was looked at, and nothing was there.
  void looked() { looked_ = Clock::now(); }
  // The ring's thread slept, and woke up by itself before it was notified.
  void woke() { looked_ = Clock::now(); }
  // The guest asked for a look. The control thread.
  void notified() { notified_.store(Clock::now().time_since_epoch().count(), std::memory_order_relaxed); }
  void picked_up() {
    const Clock::time_point now = Clock::now();
    const Clock::time_point notified{Clock::duration(notified_.load(std::memory_order_relaxed))};
    at(Hop::kPickUp).add(now - std::clamp(notified, looked_, now));
    last_ = span_ = looked_ = now;
    between_ = true;
  }
  // `hop` has just come to its end.
  void mark(Hop hop) {
    const Clock::time_point now = Clock::now();
    at(hop).add(now - last_);
    last_ = now;
    between_ = hop != Hop::kDecode && hop != Hop::kDriver && hop != Hop::kStreams;
  }
  // The guest has been told of all commands up to here.
  void told() { mark(between_ ? Hop::kRecorded : Hop::kReply); }
  void span_done() { at(Hop::kSpan).add(Clock::now() - span_); }

  const LatencyHistogram& of(Hop hop) const { return hops_[static_cast<size_t>(hop)]; }

 private:
  LatencyHistogram& at(Hop hop) { return hops_[static_cast<size_t>(hop)]; }

  std::array<LatencyHistogram, kHops> hops_;
  Clock::time_point looked_ = Clock::now(), last_, span_;
  std::atomic<Clock::rep> notified_{0};
  bool between_ = true;  // no command that is told of by itself is being executed
};

class LatencyReport {
 public:
  // `path`: a file that gets a line of JSON; "-": a table goes to standard error. `guest` names whose it is.
  LatencyReport(std::string path, std::string guest) : path_(std::move(path)), guest_(std::move(guest)) {}
  ~LatencyReport();
  LatencyReport(const LatencyReport&) = delete;
  LatencyReport& operator=(const LatencyReport&) = delete;

  void add(const HopTimes& times);
  std::string as_text() const;
  std::string as_json() const;

 private:
  const std::string path_, guest_;
  mutable std::mutex mutex_;
  std::array<LatencyHistogram, kHops> hops_;
};

}  // namespace pvgpu::observe
