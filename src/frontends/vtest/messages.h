// The vtest protocol's messages, as values: what bytes from a guest mean, checked, without doing
// any of it. Pure functions over the frontend's own copy of the bytes. Source: Venus protocol
// reference, section 1, for protocol version 3, which every Mesa with Venus speaks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "venus/context.h"
#include "venus/poison.h"

namespace pvgpu::frontends::vtest {

inline constexpr uint32_t kProtocolVersion = 3;
inline constexpr uint32_t kMaxTimelines = 64;  // ring_idx 0..63
inline constexpr size_t kHeaderBytes = 8;

// Limits that no real guest comes near: what travels here are ring set-up and wake-ups.
inline constexpr size_t kMaxNameBytes = 4096;
inline constexpr size_t kMaxSubmitBytes = size_t{16} << 20;
inline constexpr size_t kMaxSyncPoints = 4096;

enum class CommandId : uint32_t {
  kResourceUnref = 3,
  kResourceBusyWait = 7,
  kCreateRenderer = 8,
  kPingProtocolVersion = 10,
  kProtocolVersion = 11,
  kGetParam = 15,
  kGetCapset = 16,
  kContextInit = 17,
  kResourceCreateBlob = 18,
  kSyncCreate = 19,
  kSyncUnref = 20,
  kSyncRead = 21,
  kSyncWrite = 22,
  kSyncWait = 23,
  kSubmitCmd2 = 24,
};

struct Header {
  uint32_t length = 0;  // of the payload: words, but bytes for kCreateRenderer
  uint32_t id = 0;
};

struct SyncPoint {
  uint32_t id = 0;
  uint64_t value = 0;
  bool operator==(const SyncPoint&) const = default;
};

struct ResourceUnref {
  uint32_t resource_id;
};
struct ResourceBusyWait {};
struct CreateRenderer {
  std::string_view name;  // in the payload; as the guest wrote it
};
struct PingProtocolVersion {};
struct ProtocolVersion {
  uint32_t version;
};
struct GetParam {
  uint32_t param;
};
inline constexpr uint32_t kParamMaxTimelineCount = 1;
struct GetCapset {
  uint32_t id, version;
};
struct ContextInit {
  uint32_t capset_id;
};
struct ResourceCreateBlob {
  venus::BlobRequest request;
};
struct SyncCreate {
  uint64_t value;
};
struct SyncUnref {
  uint32_t id;
};
struct SyncRead {
  uint32_t id;
};
struct SyncWrite {
  SyncPoint point;
};
inline constexpr uint32_t kWaitForever = 0xffffffff;
struct SyncWait {
  bool any;
  uint32_t timeout_ms;
  std::vector<SyncPoint> points;
};
struct SubmitCmd2 {
  std::span<const std::byte> commands;  // in the payload; may be empty
  uint32_t ring_idx = 0;
  std::vector<SyncPoint> syncs;
};

using Request = std::variant<ResourceUnref, ResourceBusyWait, CreateRenderer, PingProtocolVersion,
                             ProtocolVersion, GetParam, GetCapset, ContextInit, ResourceCreateBlob,
                             SyncCreate, SyncUnref, SyncRead, SyncWrite, SyncWait, SubmitCmd2>;

Header parse_header(std::span<const std::byte, kHeaderBytes> bytes);
// Length in bytes of the payload that follows `header`, which is refused before any of it is read
// if the command is unknown or the length is impossible for it.
std::expected<size_t, venus::Poison> payload_bytes(const Header& header);
// The request of a header that payload_bytes accepted, and exactly its payload.
std::expected<Request, venus::Poison> parse(const Header& header,
                                            std::span<const std::byte> payload);

// What is written to a guest whose connection ends by our side. A guest that waits for a reply
// would otherwise spin on the end of the file for good. During the handshake this reads as the
// answer of a server without Venus, later as a reply that is unusable (a descriptor is missing),
// whatever the guest waits for.
inline constexpr std::array<uint32_t, 16> kFarewell = {
    1, static_cast<uint32_t>(CommandId::kResourceBusyWait)};

}  // namespace pvgpu::frontends::vtest
