#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>

#include "platform/unix_socket.h"

namespace pvgpu::platform {

std::optional<PeerCredentials> peer_credentials(int fd) {
  PeerCredentials peer{};
  if (::getpeereid(fd, &peer.uid, &peer.gid) != 0) return std::nullopt;
  socklen_t size = sizeof peer.pid;
  if (::getsockopt(fd, SOL_LOCAL, LOCAL_PEERPID, &peer.pid, &size) != 0) peer.pid = 0;
  return peer;
}

}  // namespace pvgpu::platform
