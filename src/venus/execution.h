// What executing a span of commands needs, made once for all of them: where the next command is read, what its ids mean, where
// its structures are made. Lives on the stack of Stream::execute.
#pragma once

#include <cstddef>
#include <span>

#include "venus/call.h"
#include "venus/context_impl.h"
#include "venus/handles.h"
#include "wire/reader.h"

namespace pvgpu::venus {

inline constexpr size_t kHeaderBytes = 8;  // of a command: its number and flags

// Beside the guest's flags (VkCommandFlagBitsEXT) in what a command's function is given: mark the hops (see Stream::mark).
inline constexpr uint32_t kTimed = uint32_t{1} << 31;

struct Execution {
  Execution(Stream& stream, std::span<const std::byte> bytes)
      : arena(stream.arena()),
        reader(bytes),
        call(stream),
        handles(stream.context().objects(), call),
        decoder(reader, arena, handles) {}

  wire::Arena& arena;
  const std::byte* next = nullptr;  // set by CommandEntry::run_quick: behind the command
  wire::Reader reader;
  Call call;
  ContextHandles handles;
  HostDecoder decoder;
};

}  // namespace pvgpu::venus
