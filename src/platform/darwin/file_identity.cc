#include "platform/file_identity.h"

#include <libproc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

namespace pvgpu::platform {

std::optional<FileIdentity> file_identity(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return std::nullopt;
  FileIdentity identity{static_cast<uint64_t>(status.st_dev), static_cast<uint64_t>(status.st_ino), {}};
  if (identity.inode != 0) return identity;
  // Shared memory has no inode here. Its name stays with it when it is unlinked.
  pshm_fdinfo memory{};
  if (::proc_pidfdinfo(::getpid(), fd, PROC_PIDFDPSHMINFO, &memory, sizeof memory) != sizeof memory) return std::nullopt;
  const char* name = memory.pshminfo.pshm_name;
  identity.object.assign(name, ::strnlen(name, sizeof memory.pshminfo.pshm_name));
  if (identity.object.empty()) return std::nullopt;
  return identity;
}

}  // namespace pvgpu::platform
