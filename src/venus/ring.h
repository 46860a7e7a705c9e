// A ring: a queue of commands in shared memory that the guest fills and a thread of ours empties.
// Layout and rules: Venus protocol reference, section 5. The guest owns `tail` and the buffer, we own
// `head`; `status` is shared. The thread copies each new span out before it decodes, so that the guest
// cannot change what was checked.
//
// Threads: created, notified and destroyed by the control thread; set_fatal and set_alive by any.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <thread>
#include <vector>

#include "platform/arrival_spot.h"
#include "platform/parking.h"
#include "protocol/types.h"
#include "venus/hold_back.h"
#include "venus/poison.h"
#include "venus/recording_lanes.h"
#include "venus/resource.h"
#include "venus/stream.h"

namespace pvgpu::venus {

class ContextImpl;

class Ring final : private StreamProgress {
 public:
  // Starts the ring that `info` describes in `resource`. The error says what the layout violates.
  static std::expected<std::unique_ptr<Ring>, Poison> create(ContextImpl& context, uint64_t id,
                                                             std::shared_ptr<Resource> resource,
                                                             const VkRingCreateInfoMESA& info);
  // Stops the thread after the command that it executes; afterwards nothing here touches shared memory.
  ~Ring();

  uint64_t id() const { return id_; }
  void notify();
  // Where rings are driven by hand: what the ring's thread does with a span that it has found. False: stop, or poisoned.
  bool execute(std::span<const std::byte> span);
  // Makes the thread leave at its next command boundary; the destructor waits for it.
  void request_stop();

  // On the ring's thread: whether the guest has sent more than the span that is being executed.
  bool more_has_come() const {
    return shared(tail_offset_).load(std::memory_order_relaxed) != span_end_ || stop_.load(std::memory_order_relaxed);
  }
  // On the ring's thread: for how long answers may be held back until the guest does; null: not at all, the ring is driven by hand.
  HoldBack* hold_back();

  // vkWaitRingSeqnoMESA: blocks until head has reached `seqno`. False: it never will.
  bool wait_seqno(uint32_t seqno);
  // vkSubmitVirtqueueSeqnoMESA, vkWaitVirtqueueSeqnoMESA (the latter on the ring's own thread).
  void submit_virtqueue_seqno(uint64_t seqno);
  bool wait_virtqueue_seqno(uint64_t seqno);
  // vkWriteRingExtraMESA. False: outside the extra region.
  bool write_extra(size_t offset, uint32_t value);

  void set_fatal();
  void set_alive();
  // Longest time between two set_alive() that the guest tolerates; 0: not monitored.
  uint32_t reporting_period_us() const { return reporting_period_us_; }

 private:
  Ring(ContextImpl& context, uint64_t id, std::shared_ptr<Resource> resource, const VkRingCreateInfoMESA& info);
  void run();
  bool wait_for_work();
  bool drain();
  void executed(size_t bytes) override;
  std::span<const std::byte> copy_out(uint32_t head, uint32_t size);

  std::atomic_ref<uint32_t> shared(size_t offset) const {
    return std::atomic_ref<uint32_t>(*reinterpret_cast<uint32_t*>(base_ + offset));
  }

  ContextImpl& context_;
  const uint64_t id_;
  const std::shared_ptr<Resource> resource_;
  std::byte* const base_;  // start of the ring in the resource
  const size_t head_offset_, tail_offset_, status_offset_, buffer_offset_, extra_offset_, extra_size_;
  const uint32_t buffer_size_;
  const uint64_t idle_timeout_ns_;
  const unsigned processors_;
  uint32_t reporting_period_us_ = 0;
  int32_t nice_ = 0;

  std::unique_ptr<observe::HopTimes> hops_;  // if they are asked for
  std::unique_ptr<RecordingLanes> lanes_;    // if there are processors for them
  Stream stream_;
  std::vector<std::byte> copy_;
  uint32_t head_ = 0;  // ours; the shared word is write-only for us
  uint32_t span_start_ = 0;  // head_ before the span that is being executed
  uint32_t span_end_ = 0;    // and after it
  HoldBack hold_back_{processors_};

  platform::ArrivalSpot parking_;
  std::atomic<bool> stop_{false};
  std::atomic<uint32_t> published_head_{0};
  std::atomic<uint32_t> head_waiters_{0};
  platform::ParkingSpot head_parking_;
  std::atomic<uint64_t> virtqueue_seqno_{0};
  platform::ParkingSpot virtqueue_parking_;
  std::thread thread_;
};

}  // namespace pvgpu::venus
