// Pairs of sockets that keep messages apart, for processes of ours that talk to one another. A message is sent whole
// or not at all, with at most one descriptor. Any thread may send; one receives.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include "platform/error.h"
#include "platform/fd.h"

namespace pvgpu::platform {

Result<std::pair<UniqueFd, UniqueFd>> packet_socket_pair();

// What a message may have at most.
inline constexpr size_t kMaxPacket = 16384;

enum class Blocking { kYes, kNo };
// False, with errno set: the other side is gone, or (kNo) has not read enough of what was sent before (EAGAIN). The
// parts are one message; `descriptor` (-1: none) stays the caller's.
bool send_packet(int fd, std::span<const std::byte> head, std::span<const std::byte> tail, int descriptor, Blocking blocking);

struct Packet {
  size_t size = 0;  // bytes in the buffer; 0: the other side is gone
  UniqueFd descriptor;
};
// The next message, waited for. nullopt, with errno set: an error, or a message longer than `buffer`.
std::optional<Packet> receive_packet(int fd, std::span<std::byte> buffer);

}  // namespace pvgpu::platform
