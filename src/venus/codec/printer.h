// Commands as text, for traces: `vkCmdDraw(commandBuffer=0x20, vertexCount=3, instanceCount=1,
// ...)`. Inputs are printed whole (long arrays shortened), outputs as what the guest asked for.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace pvgpu::venus {

struct PrintedCommand {
  std::string text;  // one line; what is wrong with bytes that are no command
  size_t size = 0;   // bytes of the command; 0 if they are none
};
// The first command in `bytes`, which nobody writes meanwhile. Never fails. Thread-safe.
PrintedCommand print_command(std::span<const std::byte> bytes);

// All commands, a line each, up to the first that cannot be read.
std::string print_stream(std::span<const std::byte> bytes);

}  // namespace pvgpu::venus
