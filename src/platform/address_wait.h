// Sleeping until another thread has changed a word: what parking.h is made of. Any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

namespace pvgpu::platform {

using Deadline = std::optional<std::chrono::steady_clock::time_point>;

// Sleeps while `word` is `expected`, until somebody wakes it or for no reason. False: the deadline has passed.
bool wait_on_address(std::atomic<uint32_t>& word, uint32_t expected, const Deadline& deadline);
// After a change of `word`.
void wake_all_on_address(std::atomic<uint32_t>& word);

// The same with condition variables only, for systems that have nothing better.
bool wait_with_condition(std::atomic<uint32_t>& word, uint32_t expected, const Deadline& deadline);
void wake_all_with_condition(std::atomic<uint32_t>& word);

}  // namespace pvgpu::platform
