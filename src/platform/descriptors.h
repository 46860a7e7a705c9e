// Making descriptors that no child inherits, and the flags of sockets, which systems have different calls for. For the
// parts of this folder and those that send messages of their own.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include <cstddef>
#include <span>
#include <utility>

#include "platform/error.h"
#include "platform/fd.h"

namespace pvgpu::platform {

enum class SocketMode { kBlocking, kNonBlocking };

// All of these raise no SIGPIPE when they are sent to with what is below.
UniqueFd create_socket(int type, SocketMode mode = SocketMode::kBlocking);
Result<std::pair<UniqueFd, UniqueFd>> create_socket_pair(int type);
// Always a blocking socket.
UniqueFd accept_connection(int listening);
// Binds to a path that, from its first moment, only the owner may connect to. False, with errno set.
bool bind_privately(int fd, const sockaddr_un& address);

// send, sendmsg and recvmsg, repeated when a signal interrupts them. `flags` may be MSG_DONTWAIT.
ssize_t send_bytes(int fd, std::span<const std::byte> bytes, int flags = 0);
ssize_t send_message(int fd, const msghdr& message, int flags = 0);
// Descriptors that come with it are close-on-exec.
ssize_t receive_message(int fd, msghdr& message);

}  // namespace pvgpu::platform
