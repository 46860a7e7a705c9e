// Keeps what a guest can cause at will from filling the log: so many lines are let through in a second, and the next
// one after that tells how many were left out. One object for each kind of line; thread-safe, no lock.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "observe/log.h"

namespace pvgpu::observe {

class LogLimit {
 public:
  using Clock = std::chrono::steady_clock;

  explicit constexpr LogLimit(uint32_t lines_per_second) : lines_per_second_(lines_per_second) {}

  // Whether a line may be written at `now`: how many were left out before it, or nullopt to leave this one out too.
  std::optional<uint64_t> admit(Clock::time_point now) {
    // Relaxed throughout: threads that meet at the turn of a second let a line more or less through, which is no harm.
    const int64_t second = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
    if (second_.exchange(second, std::memory_order_relaxed) != second) lines_.store(0, std::memory_order_relaxed);
    if (lines_.fetch_add(1, std::memory_order_relaxed) < lines_per_second_)
      return left_out_.exchange(0, std::memory_order_relaxed);
    left_out_.fetch_add(1, std::memory_order_relaxed);
    return std::nullopt;
  }

 private:
  const uint64_t lines_per_second_;
  std::atomic<int64_t> second_{-1};
  std::atomic<uint64_t> lines_{0}, left_out_{0};
};

// LOG_WARN, within `limit`.
template <class... Args>
void warn_within(LogLimit& limit, fmt::format_string<Args...> format, Args&&... args) {
  if (!enabled(Level::kWarn)) return;
  const auto left_out = limit.admit(LogLimit::Clock::now());
  if (!left_out) return;
  std::string line = fmt::format(format, std::forward<Args>(args)...);
  if (*left_out > 0) line += fmt::format(" ({} more like it left out)", *left_out);
  write(Level::kWarn, line);
}

}  // namespace pvgpu::observe
