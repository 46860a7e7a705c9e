#include "frontends/vtest/sync_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace pvgpu::frontends::vtest {

using venus::Poison;
using venus::PoisonReason;
using Clock = std::chrono::steady_clock;

struct SyncTable::PendingWait {
  Targets targets;
  bool any;
  Clock::time_point deadline;
  platform::Event event;

  static bool reached(const Targets& targets, bool any) {
    auto one = [](const Target& target) { return target.sync->value >= target.value; };
    if (targets.empty()) return true;
    return any ? std::ranges::any_of(targets, one) : std::ranges::all_of(targets, one);
  }
};

SyncTable::SyncTable() = default;
SyncTable::~SyncTable() = default;

std::expected<std::shared_ptr<SyncTable::Sync>, Poison> SyncTable::State::find(uint32_t id) const {
  auto found = syncs.find(id);
  if (found == syncs.end()) {
    return std::unexpected(
        Poison{PoisonReason::kBadMessage, fmt::format("sync {} does not exist", id)});
  }
  return found->second;
}

std::expected<SyncTable::Targets, Poison> SyncTable::State::find_all(
    std::span<const SyncPoint> points) const {
  Targets targets;
  targets.reserve(points.size());
  for (const SyncPoint& point : points) {
    auto sync = find(point.id);
    if (!sync) return std::unexpected(sync.error());
    targets.push_back({*sync, point.value});
  }
  return targets;
}

void SyncTable::State::wake_waits() {
  std::erase_if(waits, [](const PendingWait& wait) {
    if (!PendingWait::reached(wait.targets, wait.any)) return false;
    wait.event.set();
    return true;
  });
}

std::expected<uint32_t, Poison> SyncTable::create(uint64_t value) {
  return state_.with([&](State& state) -> std::expected<uint32_t, Poison> {
    // Ids are not used twice, so that one that a fence still carries cannot name another counter.
    if (state.syncs.size() >= kMaxSyncs || state.last_id == UINT32_MAX) {
      return std::unexpected(
          Poison{PoisonReason::kLimitExceeded, fmt::format("more than {} syncs", kMaxSyncs)});
    }
    uint32_t id = ++state.last_id;
    state.syncs.emplace(id, std::make_shared<Sync>(Sync{value}));
    return id;
  });
}

std::expected<void, Poison> SyncTable::unref(uint32_t id) {
  return state_.with([&](State& state) -> std::expected<void, Poison> {
    auto sync = state.find(id);
    if (!sync) return std::unexpected(sync.error());
    state.syncs.erase(id);
    return {};
  });
}

std::expected<uint64_t, Poison> SyncTable::read(uint32_t id) {
  return state_.with([&](State& state) -> std::expected<uint64_t, Poison> {
    auto sync = state.find(id);
    if (!sync) return std::unexpected(sync.error());
    return (*sync)->value;
  });
}

std::expected<void, Poison> SyncTable::write(const SyncPoint& point) {
  return state_.with([&](State& state) -> std::expected<void, Poison> {
    auto sync = state.find(point.id);
    if (!sync) return std::unexpected(sync.error());
    (*sync)->value = point.value;
    state.wake_waits();
    return {};
  });
}

std::expected<SyncTable::Targets, Poison> SyncTable::resolve(std::span<const SyncPoint> points) {
  return state_.with([&](State& state) { return state.find_all(points); });
}

void SyncTable::signal(const Targets& targets) {
  state_.with([&](State& state) {
    for (const Target& target : targets) {
      target.sync->value = std::max(target.sync->value, target.value);
    }
    state.wake_waits();
  });
}

std::expected<platform::UniqueFd, Poison> SyncTable::wait(const SyncWait& wait) {
  auto now = Clock::now();
  auto deadline = wait.timeout_ms == kWaitForever
                      ? Clock::time_point::max()
                      : now + std::chrono::milliseconds(wait.timeout_ms);
  return state_.with([&](State& state) -> std::expected<platform::UniqueFd, Poison> {
    auto targets = state.find_all(wait.points);
    if (!targets) return std::unexpected(targets.error());
    auto event = platform::Event::create();
    platform::UniqueFd descriptor;
    if (event) descriptor = event->fd().duplicate();
    if (!descriptor.valid()) {
      return std::unexpected(
          Poison{PoisonReason::kHostFailure, "no descriptor is left for a SYNC_WAIT"});
    }
    if (PendingWait::reached(*targets, wait.any)) {
      event->set();
      return descriptor;
    }
    std::erase_if(state.waits, [&](const PendingWait& other) { return other.deadline < now; });
    if (state.waits.size() >= kMaxPendingWaits) {
      return std::unexpected(Poison{PoisonReason::kLimitExceeded,
                                    fmt::format("more than {} waits", kMaxPendingWaits)});
    }
    state.waits.push_back({std::move(*targets), wait.any, deadline, std::move(*event)});
    return descriptor;
  });
}

}  // namespace pvgpu::frontends::vtest
