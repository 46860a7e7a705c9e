// Command numbers to the functions that decode, execute and answer them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "protocol/tables.h"
#include "venus/poison.h"

namespace pvgpu::venus {

struct Execution;

struct CommandEntry {
  // Decodes the command's arguments, executes it, writes the reply if `flags` ask for it; or poisons the context.
  // nullptr: see refuse_command.
  void (*run)(Execution& execution, uint32_t flags) = nullptr;
  // It is recorded into a command buffer: nobody waits for it alone.
  bool recorded = false;
};

// The same for a recorded command whose arguments always take the same room, if no reply is asked for. Most of what a frame
// consists of is such commands, so they have a way of their own, without what others need.
struct FixedCommandEntry {
  // `arguments`: all of them; they have been skipped already. The arena is not used.
  void (*run)(Execution& execution, const std::byte* arguments);
  size_t bytes;  // header and arguments; for all other commands more than any stream has
};

// By command number.
extern const std::array<CommandEntry, protocol::kCommandLimit> kCommandTable;
extern const std::array<FixedCommandEntry, protocol::kCommandLimit> kFixedCommandTable;

// Why a number without a function cannot be executed.
Poison refuse_command(uint32_t number);

}  // namespace pvgpu::venus
