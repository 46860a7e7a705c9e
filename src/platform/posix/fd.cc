#include "platform/fd.h"

#include <fcntl.h>
#include <unistd.h>

#include "platform/system_call.h"

namespace pvgpu::platform {

void UniqueFd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

UniqueFd UniqueFd::duplicate() const { return platform::duplicate(fd_); }

UniqueFd duplicate(int fd) {
  if (fd < 0) return UniqueFd();
  return UniqueFd(retry([&] { return ::fcntl(fd, F_DUPFD_CLOEXEC, 0); }));
}

}  // namespace pvgpu::platform
