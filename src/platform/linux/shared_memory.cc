#include "platform/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <utility>

#include "platform/system_call.h"

namespace pvgpu::platform {

const bool kMemoryIsSealed = true;

UniqueFd SharedMemory::create_empty(const char* name) { return UniqueFd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING)); }

bool SharedMemory::seal(const UniqueFd& fd) {
  // A guest holds the descriptor too. If it could shrink the file, our next access would be a
  // SIGBUS; if it could grow it, it would use memory that no limit counts. F_SEAL_SEAL keeps it
  // from adding F_SEAL_WRITE seals, which would break later mappings.
  return ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0;
}

bool is_safe_to_map(int fd, uint64_t size) {
  struct stat status{};
  struct statfs system{};
  if (::fstat(fd, &status) != 0 || ::fstatfs(fd, &system) != 0) return false;
  constexpr auto kDmaBufMagic = 0x444d4142;  // of a dma-buf, whose size never changes; status has none for it
  if (system.f_type == kDmaBufMagic) return ::lseek(fd, 0, SEEK_END) >= static_cast<off_t>(size);
  const int seals = ::fcntl(fd, F_GET_SEALS);
  return seals >= 0 && (seals & F_SEAL_SHRINK) && static_cast<uint64_t>(status.st_size) >= size;
}

Result<UniqueFd> anonymous_file(const char* name) {
  UniqueFd fd(::memfd_create(name, MFD_CLOEXEC));
  if (!fd.valid()) return system_error("cannot create a memory file", errno);
  return fd;
}

Result<UniqueFd> sealed_file(std::string_view contents, const char* name) {
  UniqueFd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.valid()) return system_error("cannot create a memory file", errno);
  while (!contents.empty()) {
    auto written = retry([&] { return ::write(fd.get(), contents.data(), contents.size()); });
    if (written <= 0) return system_error("cannot write a memory file", errno);
    contents.remove_prefix(static_cast<size_t>(written));
  }
  constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
  if (::fcntl(fd.get(), F_ADD_SEALS, kSeals) < 0 || ::lseek(fd.get(), 0, SEEK_SET) != 0) {
    return system_error("cannot seal a memory file", errno);
  }
  return fd;
}

}  // namespace pvgpu::platform
