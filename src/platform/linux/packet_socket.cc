#include "platform/packet_socket.h"

#include <sys/socket.h>

#include <cerrno>

#include "platform/descriptor_message.h"
#include "platform/descriptors.h"

namespace pvgpu::platform {

Result<std::pair<UniqueFd, UniqueFd>> packet_socket_pair() {
  return create_socket_pair(SOCK_SEQPACKET);
}

bool send_packet(int fd, std::span<const std::byte> head, std::span<const std::byte> tail, int descriptor,
                 Blocking blocking) {
  iovec parts[2] = {{const_cast<std::byte*>(head.data()), head.size()}, {const_cast<std::byte*>(tail.data()), tail.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = tail.empty() ? 1 : 2;
  DescriptorMessage carried;
  if (descriptor >= 0) carried.attach(message, descriptor);
  return send_message(fd, message, blocking == Blocking::kNo ? MSG_DONTWAIT : 0) >= 0;
}

std::optional<Packet> receive_packet(int fd, std::span<std::byte> buffer) {
  iovec part{buffer.data(), buffer.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  DescriptorMessage carried;
  carried.expect(message);
  ssize_t received = receive_message(fd, message);
  // Told once, before what is still to be read, of a peer that went without reading all that it was sent.
  if (received < 0 && errno == ECONNRESET) received = receive_message(fd, message);
  if (received < 0 && errno == ECONNRESET) return Packet{};
  if (received < 0) return std::nullopt;
  Packet packet{static_cast<size_t>(received), DescriptorMessage::take(message)};
  if (message.msg_flags & MSG_TRUNC) {
    errno = EMSGSIZE;
    return std::nullopt;
  }
  return packet;
}

}  // namespace pvgpu::platform
