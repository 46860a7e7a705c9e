// Bytes of the wire in tests: from and to the notation of the protocol reference, and whole
// messages from argument structures, as a guest would write them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "venus/codec/encoder.h"
#include "wire/writer.h"

namespace pvgpu::venus::testing {

using Bytes = std::vector<std::byte>;

// "01000000 00000000 | ff": pairs of hexadecimal digits; everything else between them is ignored.
Bytes from_hex(std::string_view text);
// Four bytes a word, for messages of failed tests.
std::string to_hex(std::span<const std::byte> bytes);

// Calls `write(Encoder&, wire::Writer&)` with as much room as it needs.
template <class Write>
Bytes encode(Write write) {
  for (size_t room = size_t{16} << 10;; room *= 8) {
    Bytes bytes(room);
    wire::Writer writer(bytes);
    Encoder encoder(writer);
    write(encoder, writer);
    if (writer.overflowed()) continue;
    bytes.resize(writer.written());
    bytes.shrink_to_fit();  // so that a read past the end is one
    return bytes;
  }
}

// A command with its header. `flags`: 1 asks for a reply.
template <class Args>
Bytes request_bytes(Args args, uint32_t flags = 0) {
  return encode([&](Encoder& encoder, wire::Writer& writer) {
    writer.u32(Args::kCommand);
    writer.u32(flags);
    protocol::request(encoder, args);
  });
}

template <class Args>
Bytes reply_bytes(Args args) {
  return encode([&](Encoder& encoder, wire::Writer& writer) {
    writer.u32(Args::kCommand);
    protocol::reply(encoder, args);
  });
}

inline void append(Bytes& to, std::span<const std::byte> bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

// An object id in the place of a handle.
template <class H>
H id(uint64_t number) {
  return std::bit_cast<H>(number);
}

}  // namespace pvgpu::venus::testing
