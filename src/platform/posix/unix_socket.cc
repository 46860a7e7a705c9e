#include "platform/unix_socket.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "platform/descriptor_message.h"
#include "platform/descriptors.h"
#include "platform/system_call.h"

namespace pvgpu::platform {
namespace {

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return fail("socket path \"" + path + "\" is " + std::to_string(path.size()) + " bytes long",
                "use a path of 1 to " + std::to_string(sizeof address.sun_path - 1) + " bytes");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

// Keeps two servers from replacing the same stale socket at once. Nobody but this project takes the
// lock for long, and without it (a read-protected folder) only that race is open.
UniqueFd lock_folder_of(const std::string& path) {
  auto folder = std::filesystem::path(path).parent_path();
  UniqueFd fd(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.valid()) retry([&] { return ::flock(fd.get(), LOCK_EX); });
  return fd;
}

// After bind said that `path` exists: removes it if it is a socket that nobody listens on.
Result<void> remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return {};  // gone meanwhile: bind again
  if (!S_ISSOCK(status.st_mode)) {
    return fail("cannot listen on " + path + ": the file exists and is no socket",
                "remove it or pick another --socket");
  }
  // Non-blocking, since the connect to a live server with a full backlog would wait for it.
  UniqueFd probe = create_socket(SOCK_STREAM, SocketMode::kNonBlocking);
  if (!probe.valid()) return system_error("cannot create a socket", errno);
  if (::connect(probe.get(), generic(address), sizeof address) == 0 || errno == EAGAIN) {
    return fail("cannot listen on " + path + ": another server is listening there",
                "stop it or pick another --socket");
  }
  if (errno != ECONNREFUSED) return system_error("cannot listen on " + path, errno);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return system_error("cannot remove the stale socket " + path, errno);
  }
  return {};
}

std::string hint_for_bind(int error_number) {
  switch (error_number) {
    case ENOENT:
      return "create the folder first";
    case EACCES:
    case EROFS:
      return "pick a --socket in a folder that you may write to";
    default:
      return "";
  }
}

}  // namespace

Result<ListeningSocket> ListeningSocket::create(const std::string& path) {
  auto address = address_of(path);
  if (!address) return std::unexpected(address.error());
  UniqueFd fd = create_socket(SOCK_STREAM, SocketMode::kNonBlocking);
  if (!fd.valid()) return system_error("cannot create a socket", errno);
  UniqueFd lock = lock_folder_of(path);
  if (!bind_privately(fd.get(), *address)) {
    if (errno != EADDRINUSE) {
      return system_error("cannot listen on " + path, errno, hint_for_bind(errno));
    }
    if (auto removed = remove_stale(path, *address); !removed) {
      return std::unexpected(removed.error());
    }
    if (!bind_privately(fd.get(), *address)) {
      return system_error("cannot listen on " + path, errno);
    }
  }
  ListeningSocket socket(std::move(fd), path);
  if (::chmod(path.c_str(), 0600) != 0 || ::listen(socket.fd_.get(), SOMAXCONN) != 0) {
    return system_error("cannot listen on " + path, errno);
  }
  return socket;
}

ListeningSocket ListeningSocket::adopt(UniqueFd fd) {
  int flags = ::fcntl(fd.get(), F_GETFL);
  if (flags >= 0) ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK);
  return ListeningSocket(std::move(fd), "");
}

ListeningSocket::ListeningSocket(UniqueFd fd, std::string path)
    : fd_(std::move(fd)), path_(std::move(path)) {
  struct stat status{};
  if (path_.empty() || ::lstat(path_.c_str(), &status) != 0) return;
  device_ = status.st_dev;
  inode_ = status.st_ino;
}

ListeningSocket::ListeningSocket(ListeningSocket&& other) noexcept
    : fd_(std::move(other.fd_)),
      path_(std::exchange(other.path_, "")),
      device_(other.device_),
      inode_(other.inode_) {}

ListeningSocket::~ListeningSocket() {
  if (path_.empty()) return;
  struct stat status{};
  if (::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_) {
    ::unlink(path_.c_str());
  }
}

UniqueFd ListeningSocket::accept() const {
  return accept_connection(fd_.get());
}

Result<UniqueFd> connect_to(const std::string& path) {
  auto address = address_of(path);
  if (!address) return std::unexpected(address.error());
  UniqueFd fd = create_socket(SOCK_STREAM);
  if (!fd.valid()) return system_error("cannot create a socket", errno);
  if (retry([&] { return ::connect(fd.get(), generic(*address), sizeof *address); }) != 0) {
    return system_error("cannot connect to " + path, errno, "is pvgpu serve running?");
  }
  return fd;
}

Result<std::pair<UniqueFd, UniqueFd>> socket_pair() {
  return create_socket_pair(SOCK_STREAM);
}

bool send_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send_bytes(fd, bytes);
    if (sent < 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(sent));
  }
  return true;
}

void send_if_possible(int fd, std::span<const std::byte> bytes) {
  send_bytes(fd, bytes, MSG_DONTWAIT);
}

ssize_t receive_some(int fd, std::span<std::byte> buffer) {
  return retry([&] { return ::recv(fd, buffer.data(), buffer.size(), 0); });
}

bool receive_exactly(int fd, std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    ssize_t received = receive_some(fd, bytes);
    if (received == 0) errno = 0;
    if (received <= 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(received));
  }
  return true;
}

bool send_descriptor(int fd, int descriptor) {
  char zero = 0;
  iovec data{&zero, 1};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  DescriptorMessage carried;
  carried.attach(message, descriptor);
  return send_message(fd, message) == 1;
}

UniqueFd receive_descriptor(int fd) {
  char byte = 0;
  iovec data{&byte, 1};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  DescriptorMessage carried;
  carried.expect(message);
  if (receive_message(fd, message) != 1) return UniqueFd();
  return DescriptorMessage::take(message);
}

}  // namespace pvgpu::platform
