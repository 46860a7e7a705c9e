// A stream of commands: the context stream, or one ring's. Decodes and executes in order, and keeps
// what belongs to the stream: the arena, the place for replies, the buffer for nested streams.
// Used by one thread at a time. Source: Venus protocol reference, sections 3.6, 4.2, 5.4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "observe/hop.h"
#include "venus/poison.h"
#include "venus/recording_lanes.h"
#include "venus/resource.h"
#include "wire/arena.h"
#include "wire/writer.h"

namespace pvgpu::observe {
class HopTimes;
}

namespace pvgpu::venus {

class ContextImpl;
class Ring;
struct CommandEntry;

// Told how far a stream has come.
class StreamProgress {
 public:
  // Everything up to `bytes` from the start has been executed, replies included.
  virtual void executed(size_t bytes) = 0;

 protected:
  ~StreamProgress() = default;
};

class Stream {
 public:
  // `ring` is nullptr for the context stream.
  Stream(ContextImpl& context, Ring* ring) : context_(context), ring_(ring) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Executes whole commands until `bytes`, which nobody else writes, are used up. `progress`, if any, is told after each command
  // that a guest may wait for; recorded commands (vkCmd*) may be told of together, but before anything else is executed.
  // False: the context is poisoned.
  bool execute(std::span<const std::byte> bytes, StreamProgress* progress = nullptr);

  // vkExecuteCommandStreamsMESA: one level deep only.
  bool nested() const { return depth_ > 0; }
  bool execute_nested(const Resource& resource, std::span<const std::byte> shared);

  // Long recordings go to `lanes`, which outlive the stream's use; see recording_lanes.h for what is kept in order.
  void use_lanes(RecordingLanes* lanes) { lanes_ = lanes; }
  // Where the recording of a command buffer can go now; nullptr: it is executed here.
  RecordingLanes* free_lanes();
  // Whether a submission must come after what lanes still do, or is at its best there because one looks for work.
  bool submits_on_lane() const {
    return lanes_ && (before_ ? lanes_->busy(*before_) : lanes_->ready_to_follow() || lanes_->busy());
  }
  // Until nothing is left on lanes that came before.
  void wait_for_lanes();
  // Whether a submission with that fence is still to be made by a lane.
  bool lanes_hold(VkFence fence) const { return lanes_ && !before_ && lanes_->holds(fence); }
  // On a lane: a recording, or a command that follows one, with what had been handed over `before`.
  bool execute_on_lane(RecordingLanes& lanes, const RecordingLanes::Moment& before, std::span<const std::byte> bytes);

  // Replies go to `slot` of `resource`, from its start. An empty slot: nowhere. `changes`: the table's before `resource` was found.
  void set_reply(std::shared_ptr<Resource> resource, uint64_t changes, std::span<std::byte> slot) {
    reply_resource_ = std::move(resource);
    reply_changes_ = changes;
    set_reply_slot(slot);
  }
  // The resource that they went to last, if that is still what the guest calls `id`: nearly always, and the table need not be asked.
  const Resource* last_reply_resource(uint32_t id, uint64_t changes) const {
    return reply_resource_ && reply_resource_->id == id && reply_changes_ == changes ? reply_resource_.get() : nullptr;
  }
  void set_reply_slot(std::span<std::byte> slot) {
    reply_slot_ = slot;
    reply_position_ = 0;
  }
  bool seek_reply(uint64_t position) {
    if (position > reply_slot_.size()) return false;
    reply_position_ = static_cast<size_t>(position);
    return true;
  }
  // What is left of the slot; empty if there is none.
  std::span<std::byte> reply_space() const { return reply_slot_.subspan(reply_position_); }
  void reply_written(size_t bytes) { reply_position_ += bytes; }
  bool has_reply_slot() const { return reply_resource_ != nullptr; }

  ContextImpl& context() { return context_; }
  Ring* ring() { return ring_; }
  wire::Arena& arena() { return arenas_[depth_]; }
  // From now on the hops of commands are marked in `hops`, which outlives the stream; nullptr: no more.
  void time(observe::HopTimes* hops) { hops_ = hops; }
  // A hop of the command that is being executed has come to its end. `hops_` is looked at because guests may set any flag.
  void mark(observe::Hop hop);

 private:
  size_t record_on_lane(std::span<const std::byte> bytes);
  void keep_order(const CommandEntry& command, std::span<const std::byte> bytes);
  const Object* pool_for(const CommandEntry& command, std::span<const std::byte> bytes);

  ContextImpl& context_;
  Ring* ring_;
  RecordingLanes* lanes_ = nullptr;
  const RecordingLanes::Moment* before_ = nullptr;  // on a lane
  uint64_t open_recordings_ = 0;  // begun and not ended here, while there are lanes
  observe::HopTimes* hops_ = nullptr;
  wire::Arena arenas_[2];  // by depth: a nested command must not free its parent's arguments
  uint32_t depth_ = 0;
  std::vector<std::byte> nested_copy_;
  std::shared_ptr<Resource> reply_resource_;
  uint64_t reply_changes_ = 0;
  std::span<std::byte> reply_slot_;
  size_t reply_position_ = 0;
};

}  // namespace pvgpu::venus
