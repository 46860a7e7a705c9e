// Why a context was stopped for good. Every enumerator has a test that causes it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pvgpu::venus {

enum class PoisonReason : uint8_t {
  kTruncated,            // a command or message ends before its last value
  kBadCount,             // an array count contradicts its length member or exceeds the bytes present
  kBadPresence,          // a required pointer is absent
  kUnknownCommand,       // a command number that this build does not decode
  kForbiddenCommand,     // a command that is not allowed on this stream, or never travels
  kUnavailableCommand,   // the driver or the device's enabled extensions do not have the command
  kUnknownStruct,        // a pNext structure that does not extend its parent
  kBadStructType,        // sType differs from the expected one
  kBadUnionTag,          // a union's tag selects no member
  kNestingTooDeep,       // structures, chains or command streams nested past the limit
  kUnknownObject,        // an object id that names nothing
  kWrongObjectType,      // an object id of another type, or of another device
  kNullObject,           // id 0 where an object is required
  kDuplicateObject,      // an id that is already in use, in a create
  kBadObjectId,          // an id that no guest would choose (0, or out of range) in a create
  kUnknownResource,      // a resource id that names nothing
  kDuplicateResource,    // a resource id that is already in use
  kBadRange,             // offset and size that leave their resource
  kBadRing,              // ring layout, id or state that the protocol does not allow
  kNoReplyStream,        // a reply was asked for and there is nowhere to write it
  kReplyOverflow,        // a reply larger than its slot
  kBadSeqno,             // a wait for a sequence number that nothing will ever reach
  kBadTimeline,          // ring_idx out of range or bound twice
  kBadMessage,           // a transport message with the wrong length or contents
  kLimitExceeded,        // more objects, rings or bytes than one context may have
  kHostFailure,          // this host could not do it: out of memory, descriptors or device
  kDeviceLost,           // the driver lost the device
};

// The reason's name in the log and the documentation: "unknown_object".
std::string_view poison_name(PoisonReason reason);

struct Poison {
  PoisonReason reason;
  std::string detail;  // "vkCmdDraw: object 17 is a VkBuffer, not a VkCommandBuffer"
};

}  // namespace pvgpu::venus
