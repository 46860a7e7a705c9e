// Every command of the protocol as a row of functions, for tests that hold for all of them. The
// arguments are passed as untyped memory of `size` bytes; their structures are plain.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "venus/codec/encoder.h"
#include "venus/codec/randomizer.h"
#include "venus/codec/raw_decoder.h"
#include "venus/testing/output_filler.h"

namespace pvgpu::venus::testing {

struct CommandCodec {
  uint32_t number;
  const char* name;
  size_t size;
  void (*randomize)(Randomizer&, void* args);
  void (*encode_request)(Encoder&, void* args);
  void (*decode_request)(RawDecoder&, void* args);
  // With a StraightDecoder: how many bytes the request took; nothing if it failed. nullptr: not for this command.
  std::optional<size_t> (*decode_straight)(std::span<const std::byte> bytes, wire::Arena& arena, void* args);
  // With request_length. nullptr as above.
  size_t (*length)(std::span<const std::byte> bytes);
  void (*encode_reply)(Encoder&, void* args);
  void (*decode_reply)(RawDecoder&, void* args);
  void (*fill_outputs)(OutputFiller&, void* args);
  // nullptr: no function of Vulkan.
  void (*call)(PFN_vkVoidFunction function, void* args);
};

// In slices, since the compiler needs a while for all commands at once.
std::span<const CommandCodec> command_slice_0();
std::span<const CommandCodec> command_slice_1();
std::span<const CommandCodec> command_slice_2();
std::span<const CommandCodec> command_slice_3();
std::vector<CommandCodec> all_commands();

}  // namespace pvgpu::venus::testing
