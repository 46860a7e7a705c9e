// Shared memory of POSIX objects whose name goes at once, and files without a name. There are no seals:
//  * macOS lets an object get its size once, so that a guest cannot shrink what it shares with us.
//  * Elsewhere a guest can, and our next access to the missing part is a SIGBUS. Memory is shared by and with the guest's own
//    worker alone, so that what the guest ends is its own device.
//  * A file that nobody can change is one that all its holders have opened for reading only.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <random>
#include <utility>

#include "platform/shared_memory.h"
#include "platform/system_call.h"
#include "platform/temporary_folder.h"

namespace pvgpu::platform {
namespace {

void close_on_exec(const UniqueFd& fd) { ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC); }

// An object that has no name any more. Nobody else can open it by its name in between: only the owner may, and the name is
// not to be guessed.
UniqueFd anonymous_object() {
  std::random_device random;
  for (;;) {
    std::array<char, 32> name;  // macOS takes 31 characters
    std::snprintf(name.data(), name.size(), "/pvgpu-%08x%08x", random(), random());
    // O_CLOEXEC is an error in macOS.
    UniqueFd fd(::shm_open(name.data(), O_RDWR | O_CREAT | O_EXCL, 0600));
    if (!fd.valid() && errno == EEXIST) continue;
    if (!fd.valid()) return fd;
    ::shm_unlink(name.data());
    close_on_exec(fd);
    return fd;
  }
}

struct TemporaryFile {
  UniqueFd fd;
  std::string path;
};

Result<TemporaryFile> temporary_file() {
  std::string path = temporary_base() + "/pvgpu-XXXXXX";
  UniqueFd fd(::mkstemp(path.data()));
  if (!fd.valid()) return system_error("cannot create a file in " + temporary_base(), errno);
  close_on_exec(fd);
  return TemporaryFile{std::move(fd), std::move(path)};
}

}  // namespace

#ifdef __APPLE__
const bool kMemoryIsSealed = true;
#else
const bool kMemoryIsSealed = false;
#endif

UniqueFd SharedMemory::create_empty(const char*) { return anonymous_object(); }

bool SharedMemory::seal(const UniqueFd&) { return true; }

bool is_safe_to_map(int fd, uint64_t size) {
  struct stat status{};
  if (::fstat(fd, &status) != 0 || status.st_size < 0 || static_cast<uint64_t>(status.st_size) < size) return false;
  // Where objects are sealed, files are not. (An object has no file type then.)
  return !kMemoryIsSealed || !S_ISREG(status.st_mode);
}

Result<UniqueFd> anonymous_file(const char*) {
  auto file = temporary_file();
  if (!file) return std::unexpected(file.error());
  ::unlink(file->path.c_str());
  return std::move(file->fd);
}

Result<UniqueFd> sealed_file(std::string_view contents, const char*) {
  auto file = temporary_file();
  if (!file) return std::unexpected(file.error());
  UniqueFd readable(::open(file->path.c_str(), O_RDONLY | O_CLOEXEC));
  const int error = errno;
  ::unlink(file->path.c_str());
  if (!readable.valid()) return system_error("cannot open a file of our own", error);
  while (!contents.empty()) {
    const auto written = retry([&] { return ::write(file->fd.get(), contents.data(), contents.size()); });
    if (written <= 0) return system_error("cannot write a file of our own", errno);
    contents.remove_prefix(static_cast<size_t>(written));
  }
  ::fchmod(readable.get(), 0400);  // nor opened for writing through what lists open files
  return readable;
}

}  // namespace pvgpu::platform
