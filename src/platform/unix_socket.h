// UNIX stream sockets: listening with an owner-only path, connecting, and moving bytes and file
// descriptors. Blocking unless the descriptor says otherwise; no call raises SIGPIPE. A socket may
// be used by one reader and one writer at a time.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "platform/error.h"
#include "platform/fd.h"

namespace pvgpu::platform {

class ListeningSocket {
 public:
  // Listens on `path`, accessible by the owner alone. A socket file that nobody listens on is
  // replaced; one that answers, and a file of another kind, are errors.
  static Result<ListeningSocket> create(const std::string& path);
  // Takes over a socket that listens already, such as one passed by the service manager. Its file
  // is left in place.
  static ListeningSocket adopt(UniqueFd fd);

  ListeningSocket(ListeningSocket&& other) noexcept;
  ListeningSocket& operator=(ListeningSocket&& other) = delete;
  // Removes the socket's file, unless another server has replaced it meanwhile.
  ~ListeningSocket();

  const UniqueFd& fd() const { return fd_; }
  // The next connection; invalid, with errno set, if there is none (EAGAIN) or it failed. Never
  // blocks. The connection itself is a blocking socket.
  UniqueFd accept() const;

 private:
  ListeningSocket(UniqueFd fd, std::string path);

  UniqueFd fd_;
  std::string path_;  // empty: not ours to remove
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

Result<UniqueFd> connect_to(const std::string& path);
// Two connected sockets.
Result<std::pair<UniqueFd, UniqueFd>> socket_pair();

struct PeerCredentials {
  pid_t pid;  // 0: a process that this PID namespace does not see
  uid_t uid;
  gid_t gid;
};
std::optional<PeerCredentials> peer_credentials(int fd);

// False, with errno set, if the peer is gone.
bool send_all(int fd, std::span<const std::byte> bytes);
// Sends what fits without blocking, and forgets the rest.
void send_if_possible(int fd, std::span<const std::byte> bytes);
// At least one byte into `buffer`, as many as are there; 0: the peer closed; -1: error, errno set.
ssize_t receive_some(int fd, std::span<std::byte> buffer);
// False if the peer is gone before `bytes` is full (errno is 0 then) or on an error.
bool receive_exactly(int fd, std::span<std::byte> bytes);
// A message of one zero byte that carries `descriptor`, which stays the caller's.
bool send_descriptor(int fd, int descriptor);
// The descriptor of such a message; invalid if the next byte carries none.
UniqueFd receive_descriptor(int fd);

}  // namespace pvgpu::platform
