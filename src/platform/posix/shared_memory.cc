#include "platform/shared_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <cassert>
#include <utility>

#include "platform/system_call.h"

namespace pvgpu::platform {

size_t page_size() {
  static const size_t size = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

size_t round_up(size_t value, size_t alignment) {
  assert(std::has_single_bit(alignment));
  size_t mask = alignment - 1;
  return value > SIZE_MAX - mask ? 0 : (value + mask) & ~mask;
}

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : fd_(std::move(other.fd_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

SharedMemory& SharedMemory::operator=(SharedMemory&& other) noexcept {
  SharedMemory taken(std::move(other));
  std::swap(fd_, taken.fd_);
  std::swap(data_, taken.data_);
  std::swap(size_, taken.size_);
  return *this;
}

SharedMemory::~SharedMemory() {
  if (data_) ::munmap(data_, size_);
}

namespace {

// `read_at(buffer, size, position)` until it returns 0.
template <class ReadAt>
Result<std::string> read_all(ReadAt read_at) {
  std::string contents;
  char chunk[16384];
  for (;;) {
    auto count = retry([&] { return read_at(chunk, sizeof chunk, contents.size()); });
    if (count < 0) return system_error("cannot read", errno);
    if (count == 0) return contents;
    contents.append(chunk, static_cast<size_t>(count));
  }
}

}  // namespace

Result<std::string> read_file(int fd) {
  return read_all([fd](char* buffer, size_t size, size_t position) {
    return ::pread(fd, buffer, size, static_cast<off_t>(position));
  });
}

Result<std::string> read_to_end(int fd) {
  return read_all([fd](char* buffer, size_t size, size_t) { return ::read(fd, buffer, size); });
}

}  // namespace pvgpu::platform
