// Command numbers to the functions that decode, execute and answer them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "protocol/tables.h"
#include "venus/poison.h"

namespace pvgpu::venus {

struct Execution;

// What a ring's command waits for of the recordings that were handed to lanes before it (recording_lanes.h).
enum class CommandOrder : uint8_t {
  kAfterAll,
  kAny,              // nothing: it neither uses a command pool nor ends what a recording may name
  kBeginsRecording,  // those of its command buffer's pool
  kEndsRecording,    // nothing more
  kAfterItsBuffers,  // those of its command buffer's pool
  kAfterItsPools,    // those of its command pool
  kSeesToIt,         // its handler knows
};

struct CommandEntry {
  // Decodes the command's arguments, executes it, writes the reply if `flags` ask for it; or poisons the context.
  // nullptr: see refuse_command.
  void (*run)(Execution& execution, uint32_t flags) = nullptr;
  // The same, in few instructions, for a recorded command without a reply that is as it mostly is. Most of what a frame consists of
  // is such commands. `arguments`: `least_bytes` less the header are there, and `slack` bytes more; their command buffer has been
  // made the dispatch object. Sets Execution::next to where the next command is; nullptr: the context is poisoned, or nothing was
  // done, because the command is wrong or unusual, and `run` will see.
  void (*run_quick)(Execution& execution, const std::byte* arguments, size_t slack) = nullptr;
  size_t least_bytes = 0;  // header and arguments; without run_quick, more than any stream has
  // It is recorded into a command buffer: nobody waits for it alone.
  bool recorded = false;
  CommandOrder order = CommandOrder::kAfterAll;
};

// By command number.
extern const std::array<CommandEntry, protocol::kCommandLimit> kCommandTable;

// Of commands with run_quick, by their number: what the arguments take, by the same parameters. 0: the command is cut, wrong or
// unusual. Apart from the entries, which have a power of two of bytes.
using RequestLength = size_t (*)(const std::byte* arguments, size_t slack);
extern const std::array<RequestLength, protocol::kCommandLimit> kRequestLengths;

// Why a number without a function cannot be executed.
Poison refuse_command(uint32_t number);

}  // namespace pvgpu::venus
