// Over stream sockets, which every system has: each message follows its length. Systems take a message of this size as a
// whole or not at all, once told what room it needs; where one does not, its rest is sent before anything else is.
#include "platform/packet_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <mutex>

#include "platform/descriptor_message.h"
#include "platform/descriptors.h"
#include "platform/unix_socket.h"

namespace pvgpu::platform {
namespace {

constexpr int kBufferBytes = 256 * 1024;

// One thread at a time sends into a socket.
std::mutex& sender_of(int fd) {
  static std::array<std::mutex, 64>& mutexes = *new std::array<std::mutex, 64>;  // outlives all threads
  return mutexes[static_cast<size_t>(fd) % mutexes.size()];
}

// Room for many messages, and no report of room for less than one.
void make_room(const UniqueFd& fd) {
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &kBufferBytes, sizeof kBufferBytes);
  const int lowest = static_cast<int>(kMaxPacket + sizeof(uint32_t));
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDLOWAT, &lowest, sizeof lowest);  // Linux has none, and needs none
}

bool send_rest(int fd, std::span<iovec> parts, size_t sent) {
  for (const iovec& part : parts) {
    const size_t skipped = std::min(sent, part.iov_len);
    sent -= skipped;
    const std::span bytes(static_cast<const std::byte*>(part.iov_base), part.iov_len);
    if (!send_all(fd, bytes.subspan(skipped))) return false;
  }
  return true;
}

}  // namespace

Result<std::pair<UniqueFd, UniqueFd>> packet_socket_pair() {
  auto pair = create_socket_pair(SOCK_STREAM);
  if (!pair) return pair;
  make_room(pair->first);
  make_room(pair->second);
  return pair;
}

bool send_packet(int fd, std::span<const std::byte> head, std::span<const std::byte> tail, int descriptor,
                 Blocking blocking) {
  if (head.size() + tail.size() > kMaxPacket) {
    errno = EMSGSIZE;
    return false;
  }
  uint32_t length = static_cast<uint32_t>(head.size() + tail.size());
  iovec parts[3] = {{&length, sizeof length},
                    {const_cast<std::byte*>(head.data()), head.size()},
                    {const_cast<std::byte*>(tail.data()), tail.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 3;
  DescriptorMessage carried;
  if (descriptor >= 0) carried.attach(message, descriptor);
  std::lock_guard lock(sender_of(fd));
  const ssize_t sent = send_message(fd, message, blocking == Blocking::kNo ? MSG_DONTWAIT : 0);
  return sent >= 0 && send_rest(fd, parts, static_cast<size_t>(sent));
}

std::optional<Packet> receive_packet(int fd, std::span<std::byte> buffer) {
  uint32_t length = 0;
  iovec part{&length, sizeof length};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  DescriptorMessage carried;
  carried.expect(message);
  const auto peer_is_gone = [] { return errno == 0 || errno == ECONNRESET; };
  ssize_t received = receive_message(fd, message);
  // Told once, before what is still to be read, of a peer that went without reading all that it was sent.
  if (received < 0 && errno == ECONNRESET) received = receive_message(fd, message);
  if (received == 0 || (received < 0 && errno == ECONNRESET)) return Packet{};
  if (received < 0) return std::nullopt;
  Packet packet{0, DescriptorMessage::take(message)};
  const auto rest = std::as_writable_bytes(std::span(&length, 1)).subspan(static_cast<size_t>(received));
  if (!receive_exactly(fd, rest)) return peer_is_gone() ? std::optional<Packet>(Packet{}) : std::nullopt;
  if (length > buffer.size()) {
    std::byte forgotten[1024];
    for (size_t left = std::min<size_t>(length, kMaxPacket); left > 0;) {
      const size_t piece = std::min(left, sizeof forgotten);
      if (!receive_exactly(fd, std::span(forgotten).first(piece))) break;
      left -= piece;
    }
    errno = EMSGSIZE;
    return std::nullopt;
  }
  packet.size = length;
  if (!receive_exactly(fd, buffer.first(length))) return peer_is_gone() ? std::optional<Packet>(Packet{}) : std::nullopt;
  return packet;
}

}  // namespace pvgpu::platform
