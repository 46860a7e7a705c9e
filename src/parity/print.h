// The parity table as text for people and as JSON for programs. Pure; any thread.
#pragma once

#include <span>
#include <string>

#include "parity/compare.h"

namespace pvgpu::parity {

// A section per device. `colour` adds terminal escapes.
std::string to_text(std::span<const Table> tables, bool colour);
// One JSON object.
std::string to_json(std::span<const Table> tables);

}  // namespace pvgpu::parity
