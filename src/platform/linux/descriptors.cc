#include "platform/descriptors.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/pipe.h"
#include "platform/system_call.h"

namespace pvgpu::platform {

Result<Pipe> create_pipe(Pipe::Mode mode) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | (mode == Pipe::kNonBlocking ? O_NONBLOCK : 0)) != 0) {
    return system_error("cannot create a pipe", errno);
  }
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

UniqueFd create_socket(int type, SocketMode mode) {
  return UniqueFd(::socket(AF_UNIX, type | SOCK_CLOEXEC | (mode == SocketMode::kNonBlocking ? SOCK_NONBLOCK : 0), 0));
}

Result<std::pair<UniqueFd, UniqueFd>> create_socket_pair(int type) {
  int fds[2];
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) != 0) {
    return system_error("cannot create a pair of sockets", errno);
  }
  return std::pair(UniqueFd(fds[0]), UniqueFd(fds[1]));
}

UniqueFd accept_connection(int listening) {
  return UniqueFd(retry([&] { return ::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC); }));
}

bool bind_privately(int fd, const sockaddr_un& address) {
  // Linux gives the file the socket's own mode.
  ::fchmod(fd, 0600);
  return ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

ssize_t send_bytes(int fd, std::span<const std::byte> bytes, int flags) {
  return retry([&] { return ::send(fd, bytes.data(), bytes.size(), flags | MSG_NOSIGNAL); });
}

ssize_t send_message(int fd, const msghdr& message, int flags) {
  return retry([&] { return ::sendmsg(fd, &message, flags | MSG_NOSIGNAL); });
}

ssize_t receive_message(int fd, msghdr& message) {
  return retry([&] { return ::recvmsg(fd, &message, MSG_CMSG_CLOEXEC); });
}

}  // namespace pvgpu::platform
