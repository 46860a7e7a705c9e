// What a virtual machine's process and the worker of one of its contexts say to each other, over packet_socket.h. Both are
// the same build of this program. Requests are answered in order, each once; between the answers come fences and rings.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pvgpu::frontends::server {

// What a ready worker is sent at first, with its socket, is the context's name, of which this much is kept.
inline constexpr size_t kMaxContextName = 256;

enum class ContextRequestKind : uint32_t { kCreateBlob, kAttachResource, kUnrefResource, kSubmit, kFence };

struct ContextRequest {
  ContextRequestKind kind{};
  uint32_t id = 0;       // of the resource; the fence's ring_idx
  uint64_t blob_id = 0;  // the fence's number
  uint64_t size = 0;     // bytes of the blob or the resource, or of the commands
  uint32_t flags = 0;    // of the blob
  uint32_t padding = 0;
};
static_assert(sizeof(ContextRequest) == 32);

// Commands up to this follow their request; more are in a file that comes with it. So nothing that is sent is large,
// and with few requests unanswered at a time sending never blocks.
inline constexpr size_t kMaxInlineCommands = 1024;
inline constexpr size_t kMaxUnansweredRequests = 64;

enum class ContextEventKind : uint32_t {
  kAnswer,  // to the oldest request that has none; with the blob's memory, if there is any
  kFence,   // `number` is complete
  kRing,    // ring `number` has its status word at `size` of the file that comes along; without a file, it has gone
};

struct ContextEvent {
  ContextEventKind kind{};
  uint32_t success = 0;
  uint64_t number = 0;
  uint64_t size = 0;  // of the blob's memory
  uint32_t cached = 0;
  uint32_t padding = 0;
};
static_assert(sizeof(ContextEvent) == 32);

}  // namespace pvgpu::frontends::server
