// The order in which fenced requests may be answered. Drivers take the answer to a fence as one to all fences
// before it on the same timeline, so an answer waits here for those of its predecessors. Timelines are independent:
// one for the whole device, and one for each ring_idx of each context. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "virtio_gpu/protocol.h"

namespace pvgpu::virtio_gpu {

class FenceOrder {
 public:
  // (context, ring_idx); {0, -1} is the device's own.
  using Timeline = std::pair<uint32_t, int>;
  struct Ticket {
    Timeline timeline;
    uint64_t number;
  };

  static Timeline timeline_of(const Header& header) {
    if (header.flags & kFlagRingIdx) return {header.ctx_id, header.ring_idx};
    return {0, -1};
  }

  // In the order in which the requests came.
  Ticket enter(const Header& header) {
    const Timeline timeline = timeline_of(header);
    waiting_[timeline].push_back({++last_, std::nullopt});
    return {timeline, last_};
  }

  // Calls `answer` once every predecessor has been answered: now, or in a later call.
  void finish(const Ticket& ticket, std::function<void()> answer) {
    const auto found = waiting_.find(ticket.timeline);
    if (found == waiting_.end()) return;
    for (Entry& entry : found->second)
      if (entry.number == ticket.number) entry.answer = std::move(answer);
    std::deque<Entry>& entries = found->second;
    std::deque<Entry> due;
    while (!entries.empty() && entries.front().answer) {
      due.push_back(std::move(entries.front()));
      entries.pop_front();
    }
    if (entries.empty()) waiting_.erase(found);
    for (Entry& entry : due) (*entry.answer)();
  }

  void clear() { waiting_.clear(); }

 private:
  struct Entry {
    uint64_t number;
    std::optional<std::function<void()>> answer;
  };
  std::map<Timeline, std::deque<Entry>> waiting_;
  uint64_t last_ = 0;
};

}  // namespace pvgpu::virtio_gpu
