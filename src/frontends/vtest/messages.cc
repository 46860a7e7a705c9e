#include "frontends/vtest/messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "wire/reader.h"

namespace pvgpu::frontends::vtest {
namespace {

using venus::Poison;
using venus::PoisonReason;
using Parsed = std::expected<Request, Poison>;

constexpr size_t kWord = sizeof(uint32_t);
constexpr size_t kSyncPointWords = 3;
constexpr size_t kBatchWords = 6;
constexpr uint32_t kBlobTypeHost3d = 2;
constexpr uint32_t kBlobFlags =
    venus::kBlobMappable | venus::kBlobShareable | venus::kBlobCrossDevice;
constexpr uint32_t kWaitAny = 1;
constexpr uint32_t kBatchRingIdxValid = 1;

std::unexpected<Poison> bad_message(std::string detail) {
  return std::unexpected(Poison{PoisonReason::kBadMessage, std::move(detail)});
}

struct Shape {
  CommandId id;
  std::string_view name;
  uint32_t smallest, largest;  // payload length as the header counts it
};

constexpr uint32_t kMaxSubmitWords = kMaxSubmitBytes / kWord;
constexpr uint32_t kMaxWaitWords = 2 + kSyncPointWords * kMaxSyncPoints;

constexpr Shape kShapes[] = {
    {CommandId::kResourceUnref, "RESOURCE_UNREF", 1, 1},
    {CommandId::kResourceBusyWait, "RESOURCE_BUSY_WAIT", 2, 2},
    {CommandId::kCreateRenderer, "CREATE_RENDERER", 1, kMaxNameBytes},
    {CommandId::kPingProtocolVersion, "PING_PROTOCOL_VERSION", 0, 0},
    {CommandId::kProtocolVersion, "PROTOCOL_VERSION", 1, 1},
    {CommandId::kGetParam, "GET_PARAM", 1, 1},
    {CommandId::kGetCapset, "GET_CAPSET", 2, 2},
    {CommandId::kContextInit, "CONTEXT_INIT", 1, 1},
    {CommandId::kResourceCreateBlob, "RESOURCE_CREATE_BLOB", 6, 6},
    {CommandId::kSyncCreate, "SYNC_CREATE", 2, 2},
    {CommandId::kSyncUnref, "SYNC_UNREF", 1, 1},
    {CommandId::kSyncRead, "SYNC_READ", 1, 1},
    {CommandId::kSyncWrite, "SYNC_WRITE", 3, 3},
    {CommandId::kSyncWait, "SYNC_WAIT", 2, kMaxWaitWords},
    {CommandId::kSubmitCmd2, "SUBMIT_CMD2", 1, kMaxSubmitWords},
};

const Shape* shape_of(uint32_t id) {
  auto found = std::ranges::find(kShapes, static_cast<CommandId>(id), &Shape::id);
  return found == std::end(kShapes) ? nullptr : found;
}

SyncPoint read_sync_point(wire::Reader& reader) {
  SyncPoint point;
  point.id = reader.u32();
  point.value = reader.u64();
  return point;
}

Parsed parse_create_renderer(std::span<const std::byte> payload) {
  std::string_view name(reinterpret_cast<const char*>(payload.data()), payload.size());
  if (name.back() != '\0') return bad_message("CREATE_RENDERER: the name has no end");
  return CreateRenderer{name.substr(0, name.find('\0'))};
}

Parsed parse_create_blob(wire::Reader& reader) {
  uint32_t type = reader.u32();
  ResourceCreateBlob blob;
  blob.request.flags = reader.u32();
  blob.request.size = reader.u64();
  blob.request.blob_id = reader.u64();
  if (type != kBlobTypeHost3d) {
    return bad_message(fmt::format("RESOURCE_CREATE_BLOB: type {} is not HOST3D", type));
  }
  if ((blob.request.flags & ~kBlobFlags) != 0) {
    return bad_message(fmt::format("RESOURCE_CREATE_BLOB: flags {:#x}", blob.request.flags));
  }
  if (blob.request.size == 0) return bad_message("RESOURCE_CREATE_BLOB: size 0");
  return blob;
}

Parsed parse_sync_wait(wire::Reader& reader) {
  SyncWait wait;
  uint32_t flags = reader.u32();
  wait.any = (flags & kWaitAny) != 0;
  wait.timeout_ms = reader.u32();
  if ((flags & ~kWaitAny) != 0) return bad_message(fmt::format("SYNC_WAIT: flags {:#x}", flags));
  if (reader.remaining() % (kSyncPointWords * kWord) != 0) {
    return bad_message(fmt::format("SYNC_WAIT: {} bytes of sync points", reader.remaining()));
  }
  wait.points.reserve(reader.remaining() / (kSyncPointWords * kWord));
  while (reader.remaining() > 0) wait.points.push_back(read_sync_point(reader));
  return wait;
}

// `count` elements of `element_words` each, at word `offset` of the payload; nullopt if they leave
// it or overlap the batch's description.
std::optional<std::span<const std::byte>> words_at(std::span<const std::byte> payload,
                                                   uint32_t offset, uint32_t count,
                                                   size_t element_words) {
  if (count == 0) return std::span<const std::byte>();
  size_t total = payload.size() / kWord;
  if (offset < 1 + kBatchWords || offset > total || count > (total - offset) / element_words) {
    return std::nullopt;
  }
  return payload.subspan(offset * kWord, count * element_words * kWord);
}

Parsed parse_submit(wire::Reader& reader, std::span<const std::byte> payload) {
  SubmitCmd2 submit;
  uint32_t batch_count = reader.u32();
  if (batch_count == 0) return submit;
  // The stride of further batches differs between the protocol's descriptions, and no guest sends
  // any.
  if (batch_count != 1) return bad_message(fmt::format("SUBMIT_CMD2: {} batches", batch_count));
  uint32_t flags = reader.u32();
  uint32_t command_offset = reader.u32();
  uint32_t command_words = reader.u32();
  uint32_t sync_offset = reader.u32();
  uint32_t sync_count = reader.u32();
  uint32_t ring_idx = reader.u32();
  if (reader.failed()) return bad_message("SUBMIT_CMD2: ends in the batch's description");
  if ((flags & ~kBatchRingIdxValid) != 0) {
    return bad_message(fmt::format("SUBMIT_CMD2: flags {:#x}", flags));
  }
  submit.ring_idx = (flags & kBatchRingIdxValid) != 0 ? ring_idx : 0;
  if (submit.ring_idx >= kMaxTimelines) {
    return std::unexpected(
        Poison{PoisonReason::kBadTimeline, fmt::format("SUBMIT_CMD2: ring_idx {}", ring_idx)});
  }
  auto commands = words_at(payload, command_offset, command_words, 1);
  auto syncs = words_at(payload, sync_offset, sync_count, kSyncPointWords);
  if (!commands || !syncs || sync_count > kMaxSyncPoints) {
    return bad_message(fmt::format(
        "SUBMIT_CMD2: {} words of commands at {} and {} syncs at {} in a message of {} words",
        command_words, command_offset, sync_count, sync_offset, payload.size() / kWord));
  }
  submit.commands = *commands;
  wire::Reader sync_reader(*syncs);
  submit.syncs.reserve(sync_count);
  for (uint32_t i = 0; i < sync_count; i++) submit.syncs.push_back(read_sync_point(sync_reader));
  return submit;
}

}  // namespace

Header parse_header(std::span<const std::byte, kHeaderBytes> bytes) {
  wire::Reader reader(bytes);
  uint32_t length = reader.u32();
  return Header{length, reader.u32()};
}

std::expected<size_t, Poison> payload_bytes(const Header& header) {
  const Shape* shape = shape_of(header.id);
  if (!shape) {
    return bad_message(
        fmt::format("command {} of the vtest protocol is not one of Venus", header.id));
  }
  if (header.length < shape->smallest || header.length > shape->largest) {
    return bad_message(fmt::format("{}: length {}", shape->name, header.length));
  }
  return shape->id == CommandId::kCreateRenderer ? header.length : header.length * kWord;
}

Parsed parse(const Header& header, std::span<const std::byte> payload) {
  wire::Reader reader(payload);
  switch (static_cast<CommandId>(header.id)) {
    case CommandId::kResourceUnref:
      return ResourceUnref{reader.u32()};
    case CommandId::kResourceBusyWait:
      return ResourceBusyWait{};
    case CommandId::kCreateRenderer:
      return parse_create_renderer(payload);
    case CommandId::kPingProtocolVersion:
      return PingProtocolVersion{};
    case CommandId::kProtocolVersion:
      return ProtocolVersion{reader.u32()};
    case CommandId::kGetParam:
      return GetParam{reader.u32()};
    case CommandId::kGetCapset: {
      uint32_t id = reader.u32();
      return GetCapset{id, reader.u32()};
    }
    case CommandId::kContextInit:
      return ContextInit{reader.u32()};
    case CommandId::kResourceCreateBlob:
      return parse_create_blob(reader);
    case CommandId::kSyncCreate:
      return SyncCreate{reader.u64()};
    case CommandId::kSyncUnref:
      return SyncUnref{reader.u32()};
    case CommandId::kSyncRead:
      return SyncRead{reader.u32()};
    case CommandId::kSyncWrite:
      return SyncWrite{read_sync_point(reader)};
    case CommandId::kSyncWait:
      return parse_sync_wait(reader);
    case CommandId::kSubmitCmd2:
      return parse_submit(reader, payload);
  }
  std::unreachable();  // payload_bytes has refused every other id
}

}  // namespace pvgpu::frontends::vtest
