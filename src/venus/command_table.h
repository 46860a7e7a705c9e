// Command numbers to the functions that decode, execute and answer them.
#pragma once

#include <array>
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

// By command number.
extern const std::array<CommandEntry, protocol::kCommandLimit> kCommandTable;

// Why a number without a function cannot be executed.
Poison refuse_command(uint32_t number);

}  // namespace pvgpu::venus
