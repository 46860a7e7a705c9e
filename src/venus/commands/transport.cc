// The protocol's own commands: replies, nested streams, rings and the order between streams.
// Source: Venus protocol reference, section 4.2.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "protocol/handlers.h"
#include "venus/call.h"
#include "venus/context_impl.h"
#include "venus/ring.h"

namespace pvgpu::venus {
namespace {

// Poisons and returns false unless the command came over the context stream.
bool on_context_stream(Call& call) {
  if (!call.stream().ring()) return true;
  call.poison(PoisonReason::kForbiddenCommand, "is allowed on the context stream only");
  return false;
}

Ring* find_ring(Call& call, uint64_t id) {
  if (!on_context_stream(call)) return nullptr;
  Ring* ring = call.context().find_ring(id);
  if (!ring) call.poison(PoisonReason::kBadRing, fmt::format("ring {:#x} does not exist", id));
  return ring;
}

// The bytes that a description names; an empty span after poisoning.
std::span<std::byte> bytes_of(Call& call, const Resource& resource, const VkCommandStreamDescriptionMESA& d) {
  const auto bytes = resource.range(d.offset, d.size);
  if (bytes.data() == nullptr || d.offset % 4 != 0) [[unlikely]]
    call.poison(PoisonReason::kBadRange, fmt::format("{} bytes at {} of resource {}, which has {}", d.size, d.offset,
                                                     d.resourceId, resource.size));
  return bytes;
}

// The same with its resource.
std::pair<std::shared_ptr<Resource>, std::span<std::byte>> describe(Call& call, const VkCommandStreamDescriptionMESA& d) {
  auto resource = call.context().resources().find(d.resourceId);
  if (!resource) {
    call.poison(PoisonReason::kUnknownResource, fmt::format("resource {} does not exist", d.resourceId));
    return {};
  }
  const auto bytes = bytes_of(call, *resource, d);
  return {std::move(resource), bytes};
}

// Of a command: its number, without flags, and its first argument.
struct FirstWords {
  uint64_t header, id;
};
FirstWords first_words(std::span<const std::byte> bytes) {
  FirstWords words;
  std::memcpy(&words, bytes.data(), sizeof words);
  return words;
}

// The pool of the command buffer of which `bytes` are the recording from beginning to end; nullptr: they are something else.
const Object* pool_of_recording(ContextImpl& context, std::span<const std::byte> bytes) {
  if (bytes.size() < 2 * sizeof(FirstWords)) return nullptr;
  const FirstWords begin = first_words(bytes), end = first_words(bytes.last(sizeof(FirstWords)));
  if (begin.header != protocol::BeginCommandBufferArgs::kCommand || end.header != protocol::EndCommandBufferArgs::kCommand) return nullptr;
  const Object* object = begin.id == end.id ? context.objects().find(begin.id) : nullptr;
  return object && object->type == VK_OBJECT_TYPE_COMMAND_BUFFER ? pool_of(*object) : nullptr;
}

// Hands the streams to a lane if together they are the recording of a command buffer, and a long one. False: they are to be executed here.
bool record_on_lane(Call& call, const protocol::ExecuteCommandStreamsMESAArgs& args) {
  RecordingLanes* lanes = call.stream().free_lanes();
  if (!lanes || call.wants_reply() || args.pReplyPositions) return false;
  constexpr size_t kMostBytes = size_t{32} << 20;
  size_t size = 0;
  for (uint32_t i = 0; i < args.streamCount; ++i) {
    if (args.pStreams[i].size > kMostBytes - size) return false;
    size += args.pStreams[i].size;
  }
  if (size < RecordingLanes::kWakingBytes) return false;
  RecordingLanes::Bytes commands = lanes->take(size);
  std::byte* at = commands.data.get();
  for (uint32_t i = 0; i < args.streamCount; ++i) {
    if (args.pStreams[i].size == 0) continue;
    const auto [resource, bytes] = describe(call, args.pStreams[i]);
    if (call.poisoned()) return true;
    at = std::copy(bytes.begin(), bytes.end(), at);
  }
  const Object* pool = pool_of_recording(call.context(), commands.span());
  if (pool) lanes->record(pool, std::move(commands));
  return pool != nullptr;
}

}  // namespace

void handle(Call& call, protocol::SetReplyCommandStreamMESAArgs& args) {
  const uint64_t changes = call.context().resources().changes();
  Stream& stream = call.stream();
  if (const Resource* last = stream.last_reply_resource(args.pStream->resourceId, changes)) {
    const auto bytes = bytes_of(call, *last, *args.pStream);
    if (!call.poisoned()) stream.set_reply_slot(bytes);
    return;
  }
  auto [resource, bytes] = describe(call, *args.pStream);
  if (!call.poisoned()) stream.set_reply(std::move(resource), changes, bytes);
}

void handle(Call& call, protocol::SeekReplyCommandStreamMESAArgs& args) {
  if (!call.stream().has_reply_slot()) return call.poison(PoisonReason::kNoReplyStream, "no reply stream is set");
  if (args.position % 4 != 0 || !call.stream().seek_reply(args.position))
    call.poison(PoisonReason::kBadRange, fmt::format("position {} is outside the reply stream", args.position));
}

void handle(Call& call, protocol::ExecuteCommandStreamsMESAArgs& args) {
  if (call.stream().nested()) return call.poison(PoisonReason::kNestingTooDeep, "streams do not nest");
  if (record_on_lane(call, args)) return;
  for (uint32_t i = 0; i < args.streamCount; ++i) {
    if (args.pReplyPositions && !call.stream().seek_reply(args.pReplyPositions[i]))
      return call.poison(PoisonReason::kBadRange,
                         fmt::format("reply position {} is outside the reply stream", args.pReplyPositions[i]));
    if (args.pStreams[i].size == 0) continue;
    auto [resource, bytes] = describe(call, args.pStreams[i]);
    if (call.poisoned()) return;
    if (!call.stream().execute_nested(*resource, bytes)) return;  // the context is poisoned, with the inner command's reason
  }
}

void handle(Call& call, protocol::CreateRingMESAArgs& args) {
  if (!on_context_stream(call)) return;
  ContextImpl& context = call.context();
  if (context.find_ring(args.ring)) return call.poison(PoisonReason::kBadRing, fmt::format("ring {:#x} exists", args.ring));
  auto resource = context.resources().find(args.pCreateInfo->resourceId);
  if (!resource)
    return call.poison(PoisonReason::kUnknownResource,
                       fmt::format("resource {} does not exist", args.pCreateInfo->resourceId));
  auto ring = Ring::create(context, args.ring, resource, *args.pCreateInfo);
  if (!ring) return call.poison(ring.error().reason, ring.error().detail);
  if (!context.add_ring(std::move(*ring)))
    return call.poison(PoisonReason::kLimitExceeded, fmt::format("more than {} rings", ContextImpl::kMaxRings));
  if (const auto& on_ring = context.options().on_ring)
    on_ring({args.ring, resource->memory.fd().get(), args.pCreateInfo->offset + args.pCreateInfo->statusOffset});
}

void handle(Call& call, protocol::DestroyRingMESAArgs& args) {
  if (!find_ring(call, args.ring)) return;
  call.context().remove_ring(args.ring);
  if (const auto& on_ring = call.context().options().on_ring) on_ring({.ring = args.ring});
}

void handle(Call& call, protocol::NotifyRingMESAArgs& args) {
  if (Ring* ring = find_ring(call, args.ring)) ring->notify();
}

void handle(Call& call, protocol::WriteRingExtraMESAArgs& args) {
  Ring* ring = find_ring(call, args.ring);
  if (ring && !ring->write_extra(args.offset, args.value))
    call.poison(PoisonReason::kBadRange, fmt::format("extra word at {} is outside its region", args.offset));
}

void handle(Call& call, protocol::SubmitVirtqueueSeqnoMESAArgs& args) {
  if (Ring* ring = find_ring(call, args.ring)) ring->submit_virtqueue_seqno(args.seqno);
}

void handle(Call& call, protocol::WaitVirtqueueSeqnoMESAArgs& args) {
  Ring* ring = call.stream().ring();
  if (!ring) return call.poison(PoisonReason::kForbiddenCommand, "is allowed on rings only");
  if (!ring->wait_virtqueue_seqno(args.seqno) && !call.context().stopping())
    call.poison(PoisonReason::kBadSeqno, fmt::format("virtqueue seqno {} will not come", args.seqno));
}

void handle(Call& call, protocol::WaitRingSeqnoMESAArgs& args) {
  Ring* ring = find_ring(call, args.ring);
  // Sequence numbers are the ring's tail, which is 32 bits wide.
  if (ring && !ring->wait_seqno(static_cast<uint32_t>(args.seqno)) && !call.context().is_poisoned())
    call.poison(PoisonReason::kBadSeqno, fmt::format("ring {:#x} will not reach {}", args.ring, args.seqno));
}

}  // namespace pvgpu::venus
