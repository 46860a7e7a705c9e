#include "platform/packet_socket.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "platform/system_call.h"

namespace pvgpu::platform {

Result<std::pair<UniqueFd, UniqueFd>> packet_socket_pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) {
    return system_error("cannot create a pair of sockets", errno);
  }
  return std::pair(UniqueFd(fds[0]), UniqueFd(fds[1]));
}

bool send_packet(int fd, std::span<const std::byte> head, std::span<const std::byte> tail, int descriptor,
                 Blocking blocking) {
  iovec parts[2] = {{const_cast<std::byte*>(head.data()), head.size()}, {const_cast<std::byte*>(tail.data()), tail.size()}};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = tail.empty() ? 1 : 2;
  if (descriptor >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  const int flags = MSG_NOSIGNAL | (blocking == Blocking::kNo ? MSG_DONTWAIT : 0);
  return retry([&] { return ::sendmsg(fd, &message, flags); }) >= 0;
}

std::optional<Packet> receive_packet(int fd, std::span<std::byte> buffer) {
  iovec part{buffer.data(), buffer.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const auto receive = [&] { return retry([&] { return ::recvmsg(fd, &message, MSG_CMSG_CLOEXEC); }); };
  ssize_t received = receive();
  // Told once, before what is still to be read, of a peer that went without reading all that it was sent.
  if (received < 0 && errno == ECONNRESET) received = receive();
  if (received < 0 && errno == ECONNRESET) return Packet{};
  if (received < 0) return std::nullopt;
  Packet packet{static_cast<size_t>(received), {}};
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
      header->cmsg_len == CMSG_LEN(sizeof(int))) {
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    packet.descriptor.reset(descriptor);
  }
  if (message.msg_flags & MSG_TRUNC) {
    errno = EMSGSIZE;
    return std::nullopt;
  }
  return packet;
}

}  // namespace pvgpu::platform
