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
  // The same for a recorded command whose arguments always take the same room, if no reply is asked for. Most of what a frame
  // consists of is such commands, so they have a way of their own, without what others need. `arguments`: all of them,
  // of which the command buffer has been made the dispatch object. The arena and the execution's reader are not used.
  void (*run_fixed)(Execution& execution, const std::byte* arguments) = nullptr;
  size_t fixed_bytes = 0;  // header and arguments; for all other commands more than any stream has
  // It is recorded into a command buffer: nobody waits for it alone.
  bool recorded = false;
};

// By command number.
extern const std::array<CommandEntry, protocol::kCommandLimit> kCommandTable;

// Why a number without a function cannot be executed.
Poison refuse_command(uint32_t number);

}  // namespace pvgpu::venus
