#include "platform/service_manager.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "platform/descriptors.h"

namespace pvgpu::platform {
namespace {

constexpr int kFirstListenFd = 3;

long number_in(const char* variable) {
  const char* text = std::getenv(variable);
  long value = -1;
  if (text) std::from_chars(text, text + std::strlen(text), value);
  return value;
}

}  // namespace

void notify_service_manager(std::string_view state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  if (!path || (path[0] != '/' && path[0] != '@')) return;
  size_t length = std::strlen(path);
  if (length >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';  // Linux's abstract names
  UniqueFd fd = create_socket(SOCK_DGRAM);
  if (!fd.valid()) return;
  // The service manager that does not listen has its own way to notice: it times the start out.
  iovec data{const_cast<char*>(state.data()), state.size()};
  msghdr message{};
  message.msg_name = &address;
  message.msg_namelen = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  send_message(fd.get(), message);
}

std::optional<UniqueFd> socket_of_service_manager() {
  bool ours = number_in("LISTEN_PID") == ::getpid() && number_in("LISTEN_FDS") >= 1;
  ::unsetenv("LISTEN_PID");
  ::unsetenv("LISTEN_FDS");
  ::unsetenv("LISTEN_FDNAMES");
  if (!ours) return std::nullopt;
  ::fcntl(kFirstListenFd, F_SETFD, FD_CLOEXEC);
  return UniqueFd(kFirstListenFd);
}

}  // namespace pvgpu::platform
