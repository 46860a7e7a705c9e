// What executing a span of commands needs, made once for all of them: where the next command is read, what its ids mean, where
// its structures are made. Lives on the stack of Stream::execute.
#pragma once

#include <cstddef>
#include <string_view>

#include "venus/call.h"
#include "venus/context_impl.h"
#include "venus/handles.h"
#include "wire/reader.h"

namespace pvgpu::venus {

inline constexpr size_t kHeaderBytes = 8;  // of a command: its number and flags

// Recorded commands whose arguments always take the same room, the first of which is their command buffer.
template <class Args>
inline constexpr bool kIsFixedCommand = Args::kRequestBytes != 0 && std::string_view(Args::kName).starts_with("vkCmd");

// Beside the guest's flags (VkCommandFlagBitsEXT) in what a command's function is given: mark the hops (see Stream::mark).
inline constexpr uint32_t kTimed = uint32_t{1} << 31;

struct Execution {
  Execution(Stream& stream, std::span<const std::byte> bytes)
      : reader(bytes), call(stream), handles(stream.context().objects(), call), decoder(reader, stream.arena(), handles) {}

  wire::Reader reader;
  Call call;
  ContextHandles handles;
  HostDecoder decoder;
};

// Poisons the context with what was wrong about the handles of the command `name`, which runs with run_fixed.
void poison_fixed_command(Execution& x, const char* name);

}  // namespace pvgpu::venus
