// The hops of a command from the guest's store to our answer, of which observe/latency.h keeps the times.
#pragma once

#include <cstddef>
#include <string_view>

namespace pvgpu::observe {

enum class Hop {
  kPickUp,    // the guest's store of the tail until our thread has seen it; at most this, for the store lies between two looks
  kDecode,    // from there, or from the end of the command before, to the call of a command's handler or driver function
  kDriver,    // in that call, waiting for the GPU included where the command waits
  kReply,     // from there until the reply and the head that promises it are visible
  kRecorded,  // up to 1 KiB of recorded commands (vkCmd*), all hops together
  kStreams,   // vkExecuteCommandStreamsMESA, all that it executes
  kSpan,      // all that was found at one look, from its pick-up to the last head
};
inline constexpr size_t kHops = 7;
std::string_view hop_name(Hop hop);  // "pick-up"
std::string_view hop_meaning(Hop hop);

}  // namespace pvgpu::observe
