// The command that is being executed: where it came from, the object that it is dispatched on, and the
// ways for a handler to look up, register and poison. Part of an Execution, used by the stream's thread.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <utility>

#include "protocol/types.h"
#include "venus/device.h"
#include "venus/object_table.h"
#include "venus/poison.h"
#include "venus/stream.h"

namespace pvgpu::venus {

struct DecodeError;

class Call {
 public:
  explicit Call(Stream& stream) : stream_(stream) {}
  // The next command of the same stream. `dispatch`: the object of its first argument, if that is known.
  void begin(const char* name, bool wants_reply, Object* dispatch = nullptr) {
    name_ = name;
    dispatch_ = dispatch;
    wants_reply_ = wants_reply;
    postponed_ = false;
  }

  Stream& stream() { return stream_; }
  ContextImpl& context() { return stream_.context(); }
  const char* name() const { return name_; }
  bool wants_reply() const { return wants_reply_; }

  // The object of the first argument; nullptr for commands without one.
  Object* dispatch() { return dispatch_; }
  void set_dispatch(Object* object) { dispatch_ = object; }
  // Of the dispatched object. Only for commands of that level, checked by the decoder.
  Device& device() { return *dispatch_->device; }
  Instance& instance();
  PhysicalDevice& physical_device() { return *static_cast<PhysicalDevice*>(dispatch_->state); }
  const host::DriverProfile& profile() { return *physical_device().profile; }
  Queue& queue() { return *static_cast<Queue*>(dispatch_->state); }

  // Called before a submission changes anything. True: it does nothing now and is executed by a lane, after what is still being
  // recorded; nobody waits for its result. Until then its fence is in use.
  bool postpone(VkFence fence);
  bool postponed() const { return postponed_; }
  VkFence postponed_fence() const { return postponed_fence_; }

  // An object of this call's device by its id, or nullptr after poisoning.
  Object* find(uint64_t id, VkObjectType type);
  template <class H>
  Object* find(H id) {
    return find(std::bit_cast<uint64_t>(id), protocol::HandleMeta<H>::kType);
  }

  // Registers what a create made: `result` and `handle` as the driver gave them. Returns the id to be
  // put in the reply, 0 if there is no object. A create that failed with nobody waiting for the result is
  // registered too, so that the guest is told by name when it uses the object.
  template <class H>
  H created(H id, VkResult result, H handle, void* state = nullptr) {
    return std::bit_cast<H>(register_object(std::bit_cast<uint64_t>(id), protocol::HandleMeta<H>::kType, result,
                                            std::bit_cast<uint64_t>(handle), state));
  }
  uint64_t register_object(uint64_t id, VkObjectType type, VkResult result, uint64_t handle, void* state);
  // Checks an id before anything is created for it; poisons and returns false if it is bad or in use.
  bool check_new_id(uint64_t id);

  // A result that the guest will not see although it should know: logged, and fatal for a lost device.
  void report_lost_result(VkResult result);

  void poison(PoisonReason reason, std::string detail);
  void poison(const DecodeError& error);
  bool poisoned() const { return poisoned_; }

 private:
  Stream& stream_;
  const char* name_ = "";
  Object* dispatch_ = nullptr;
  bool wants_reply_ = false;
  bool poisoned_ = false;
  bool postponed_ = false;
  VkFence postponed_fence_ = VK_NULL_HANDLE;
};

}  // namespace pvgpu::venus
