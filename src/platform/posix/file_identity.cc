#include "platform/file_identity.h"

#include <sys/stat.h>

namespace pvgpu::platform {

std::optional<FileIdentity> file_identity(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return std::nullopt;
  return FileIdentity{static_cast<uint64_t>(status.st_dev), static_cast<uint64_t>(status.st_ino), {}};
}

}  // namespace pvgpu::platform
