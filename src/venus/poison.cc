#include "venus/poison.h"

namespace pvgpu::venus {

std::string_view poison_name(PoisonReason reason) {
  switch (reason) {
    case PoisonReason::kTruncated: return "truncated";
    case PoisonReason::kBadCount: return "bad_count";
    case PoisonReason::kBadPresence: return "bad_presence";
    case PoisonReason::kUnknownCommand: return "unknown_command";
    case PoisonReason::kForbiddenCommand: return "forbidden_command";
    case PoisonReason::kUnavailableCommand: return "unavailable_command";
    case PoisonReason::kUnknownStruct: return "unknown_struct";
    case PoisonReason::kBadStructType: return "bad_struct_type";
    case PoisonReason::kBadUnionTag: return "bad_union_tag";
    case PoisonReason::kNestingTooDeep: return "nesting_too_deep";
    case PoisonReason::kUnknownObject: return "unknown_object";
    case PoisonReason::kWrongObjectType: return "wrong_object_type";
    case PoisonReason::kNullObject: return "null_object";
    case PoisonReason::kDuplicateObject: return "duplicate_object";
    case PoisonReason::kBadObjectId: return "bad_object_id";
    case PoisonReason::kUnknownResource: return "unknown_resource";
    case PoisonReason::kDuplicateResource: return "duplicate_resource";
    case PoisonReason::kBadRange: return "bad_range";
    case PoisonReason::kBadRing: return "bad_ring";
    case PoisonReason::kNoReplyStream: return "no_reply_stream";
    case PoisonReason::kReplyOverflow: return "reply_overflow";
    case PoisonReason::kBadSeqno: return "bad_seqno";
    case PoisonReason::kBadTimeline: return "bad_timeline";
    case PoisonReason::kBadMessage: return "bad_message";
    case PoisonReason::kLimitExceeded: return "limit_exceeded";
    case PoisonReason::kHostFailure: return "host_failure";
    case PoisonReason::kDeviceLost: return "device_lost";
  }
  return "unnamed";
}

}  // namespace pvgpu::venus
