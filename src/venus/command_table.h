// Command numbers to the functions that decode, execute and answer them.
#pragma once

#include <array>
#include <cstdint>

#include "protocol/tables.h"
#include "venus/poison.h"
#include "venus/stream.h"
#include "wire/reader.h"

namespace pvgpu::venus {

// Decodes the command's arguments from `reader`, executes it, writes the reply if `flags` ask for it.
// False: the context is poisoned.
using CommandFunction = bool (*)(Stream& stream, wire::Reader& reader, uint32_t flags);

// By command number; nullptr: see refuse_command.
extern const std::array<CommandFunction, protocol::kCommandLimit> kCommandTable;

// Why a number without a function cannot be executed.
Poison refuse_command(uint32_t number);

}  // namespace pvgpu::venus
