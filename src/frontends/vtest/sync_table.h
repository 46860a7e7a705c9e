// The sync objects of one connection: 64-bit counters that the guest writes, that fences set when
// they retire, and that the guest waits for through a descriptor. Source: Venus protocol
// reference, 1.7.
//
// Any thread may call anything: fences retire on threads of the context.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "frontends/vtest/messages.h"
#include "platform/event.h"
#include "platform/fd.h"
#include "platform/guarded.h"
#include "venus/poison.h"

namespace pvgpu::frontends::vtest {

class SyncTable {
 public:
  static constexpr size_t kMaxSyncs = 65536;
  static constexpr size_t kMaxPendingWaits = 1024;

  // A counter and the value that it shall get. Stays valid when the guest drops the counter's id.
  struct Target;
  using Targets = std::vector<Target>;

  SyncTable();
  ~SyncTable();

  std::expected<uint32_t, venus::Poison> create(uint64_t value);
  std::expected<void, venus::Poison> unref(uint32_t id);
  std::expected<uint64_t, venus::Poison> read(uint32_t id);
  // Sets the counter, to a lower value too: so do guests reset it.
  std::expected<void, venus::Poison> write(const SyncPoint& point);

  // What signal() takes later for `points`; every id must exist now.
  std::expected<Targets, venus::Poison> resolve(std::span<const SyncPoint> points);
  // Raises the counters; one that is past its value already keeps it.
  void signal(const Targets& targets);

  // A descriptor that becomes readable once all (or any) points are reached. Nothing is signalled
  // at the timeout, which the guest watches itself: it says when the wait can be forgotten.
  std::expected<platform::UniqueFd, venus::Poison> wait(const SyncWait& wait);

 private:
  struct Sync {
    uint64_t value = 0;
  };
  struct PendingWait;
  struct State {
    uint32_t last_id = 0;
    std::unordered_map<uint32_t, std::shared_ptr<Sync>> syncs;
    std::vector<PendingWait> waits;
    std::expected<std::shared_ptr<Sync>, venus::Poison> find(uint32_t id) const;
    std::expected<Targets, venus::Poison> find_all(std::span<const SyncPoint> points) const;
    void wake_waits();
  };

  platform::Guarded<State> state_;
};

// The counter's value is protected by the table's lock.
struct SyncTable::Target {
  std::shared_ptr<Sync> sync;
  uint64_t value;
};

}  // namespace pvgpu::frontends::vtest
