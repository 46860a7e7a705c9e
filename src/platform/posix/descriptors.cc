// With the calls that every POSIX system has: a descriptor is made first and marked close-on-exec next. A child that another
// thread spawns in between inherits it only where spawning does not close what is not given (see process.h).
#include "platform/descriptors.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/descriptor_message.h"
#include "platform/pipe.h"
#include "platform/system_call.h"

namespace pvgpu::platform {
namespace {

// Systems have the flag, the option, or both.
#ifdef MSG_NOSIGNAL
constexpr int kNoSignal = MSG_NOSIGNAL;
#else
constexpr int kNoSignal = 0;
#endif

void prepare(const UniqueFd& fd, SocketMode mode) {
  if (!fd.valid()) return;
  ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
  const int flags = ::fcntl(fd.get(), F_GETFL);
  const int wanted = mode == SocketMode::kNonBlocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
  if (flags != wanted) ::fcntl(fd.get(), F_SETFL, wanted);
}

void prepare_socket(const UniqueFd& fd, SocketMode mode) {
  prepare(fd, mode);
#ifdef SO_NOSIGPIPE
  const int yes = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_NOSIGPIPE, &yes, sizeof yes);
#endif
}

}  // namespace

Result<Pipe> create_pipe(Pipe::Mode mode) {
  int ends[2];
  if (::pipe(ends) != 0) return system_error("cannot create a pipe", errno);
  Pipe pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
  const SocketMode blocking = mode == Pipe::kNonBlocking ? SocketMode::kNonBlocking : SocketMode::kBlocking;
  prepare(pipe.reader, blocking);
  prepare(pipe.writer, blocking);
  return pipe;
}

UniqueFd create_socket(int type, SocketMode mode) {
  UniqueFd fd(::socket(AF_UNIX, type, 0));
  if (fd.valid()) prepare_socket(fd, mode);
  return fd;
}

Result<std::pair<UniqueFd, UniqueFd>> create_socket_pair(int type) {
  int fds[2];
  if (::socketpair(AF_UNIX, type, 0, fds) != 0) return system_error("cannot create a pair of sockets", errno);
  std::pair pair{UniqueFd(fds[0]), UniqueFd(fds[1])};
  prepare_socket(pair.first, SocketMode::kBlocking);
  prepare_socket(pair.second, SocketMode::kBlocking);
  return pair;
}

UniqueFd accept_connection(int listening) {
  UniqueFd fd(retry([&] { return ::accept(listening, nullptr, nullptr); }));
  // Some systems hand the listening socket's O_NONBLOCK on.
  if (fd.valid()) prepare_socket(fd, SocketMode::kBlocking);
  return fd;
}

bool bind_privately(int fd, const sockaddr_un& address) {
  // The mask is the whole process's, which at this time has no other thread that makes files.
  const mode_t mask = ::umask(0177);
  const int result = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  ::umask(mask);
  errno = error;
  return result == 0;
}

ssize_t send_bytes(int fd, std::span<const std::byte> bytes, int flags) {
  return retry([&] { return ::send(fd, bytes.data(), bytes.size(), flags | kNoSignal); });
}

ssize_t send_message(int fd, const msghdr& message, int flags) {
  return retry([&] { return ::sendmsg(fd, &message, flags | kNoSignal); });
}

ssize_t receive_message(int fd, msghdr& message) {
  const ssize_t received = retry([&] { return ::recvmsg(fd, &message, 0); });
  if (received >= 0) for_each_descriptor(message, [](int descriptor) { ::fcntl(descriptor, F_SETFD, FD_CLOEXEC); });
  return received;
}

}  // namespace pvgpu::platform
