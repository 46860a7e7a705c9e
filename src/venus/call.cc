#include "venus/call.h"

#include <fmt/format.h>

#include "host/result_name.h"
#include "observe/log_limit.h"
#include "venus/codec/decoder.h"
#include "venus/context_impl.h"
#include "venus/handles.h"

namespace pvgpu::venus {
namespace {

// A guest can make calls fail as fast as it can encode them.
constinit observe::LogLimit unseen_failures(20);

}  // namespace

Instance& Call::instance() { return *context().instance; }

Object* Call::find(uint64_t id, VkObjectType type) {
  Object* object = context().objects().find(id);
  if (object && object->type == type && (object->device == dispatch_->device || !object->device)) return object;
  DecodeError error = ContextHandles::explain(id, object, type, protocol::object_type_name(type));
  if (id == 0) error.reason = PoisonReason::kNullObject;
  poison(error);
  return nullptr;
}

bool Call::postpone(VkFence fence) {
  if (wants_reply_) {
    stream_.wait_for_lanes();
  } else if (stream_.submits_on_lane()) {
    postponed_ = true;
    postponed_fence_ = fence;
  }
  return postponed_;
}

bool Call::check_new_id(uint64_t id) {
  if (id != 0 && id < ObjectTable::kIdLimit && !context().objects().find(id)) [[likely]] return true;
  if (id == 0 || id >= ObjectTable::kIdLimit) {
    poison(PoisonReason::kBadObjectId, fmt::format("{} cannot be a new object's id", id));
  } else {
    poison(PoisonReason::kDuplicateObject, fmt::format("object {} exists", id));
  }
  return false;
}

uint64_t Call::register_object(uint64_t id, VkObjectType type, VkResult result, uint64_t handle, void* state) {
  if (result < 0 || handle == 0) {
    if (wants_reply_) return 0;
    observe::warn_within(unseen_failures, "{}: the driver failed with {}, and the guest does not wait for the result", name_,
                         host::result_name(result));
    handle = 0;
  }
  Device* device = dispatch_ ? dispatch_->device : nullptr;
  const auto inserted = context().objects().insert(id, type, handle, device, state);
  if (inserted) return handle ? id : 0;
  poison(inserted.error(), fmt::format("object {} cannot be registered", id));
  return 0;
}

void Call::report_lost_result(VkResult result) {
  observe::warn_within(unseen_failures, "{}: the driver returned {}, and the guest does not wait for the result", name_,
                       host::result_name(result));
  if (result == VK_ERROR_DEVICE_LOST) poison(PoisonReason::kDeviceLost, "the driver lost the device");
}

void Call::poison(PoisonReason reason, std::string detail) {
  poisoned_ = true;
  context().poison({reason, fmt::format("{}: {}", name_, detail)});
}

void Call::poison(const DecodeError& error) {
  switch (error.reason) {
    case PoisonReason::kUnknownObject:
      return poison(error.reason, fmt::format("object {} does not exist (a {} is expected)", error.value, error.want));
    case PoisonReason::kWrongObjectType:
    case PoisonReason::kHostFailure:
      return poison(error.reason, fmt::format("object {} is {}, not a usable {}", error.value, error.have, error.want));
    case PoisonReason::kNullObject:
      return poison(error.reason, fmt::format("VK_NULL_HANDLE where a {} is required", error.want));
    case PoisonReason::kTruncated:
      return poison(error.reason, "the stream ends inside the command");
    default:
      return poison(error.reason, fmt::format("while decoding, value {}", error.value));
  }
}

}  // namespace pvgpu::venus
