#include "platform/shared_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "platform/system_call.h"

namespace pvgpu::platform {

static size_t system_page_size() {
  static const size_t size = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

size_t page_size() {
  static const size_t size = [] {
    const char* text = std::getenv("PVGPU_PAGE_SIZE");
    size_t forced = 0;
    if (text) std::from_chars(text, text + std::strlen(text), forced);
    return std::has_single_bit(forced) ? std::max(forced, system_page_size()) : system_page_size();
  }();
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

void* SharedMemory::map_pages(int fd, size_t size) {
  constexpr int kAccess = PROT_READ | PROT_WRITE;
  const size_t page = page_size();
  if (page == system_page_size()) return ::mmap(nullptr, size, kAccess, MAP_SHARED, fd, 0);
  // Of a page more, what is aligned is kept.
  if (size > SIZE_MAX - page) {
    errno = ENOMEM;
    return MAP_FAILED;
  }
  void* room = ::mmap(nullptr, size + page, PROT_NONE, MAP_PRIVATE | MAP_ANON, -1, 0);
  if (room == MAP_FAILED) return MAP_FAILED;
  const size_t lead = (page - reinterpret_cast<uintptr_t>(room) % page) % page;
  std::byte* const begin = static_cast<std::byte*>(room) + lead;
  void* mapped = ::mmap(begin, size, kAccess, MAP_SHARED | MAP_FIXED, fd, 0);
  if (mapped == MAP_FAILED) {
    const int error = errno;
    ::munmap(room, size + page);
    errno = error;
    return MAP_FAILED;
  }
  if (lead > 0) ::munmap(room, lead);
  if (lead < page) ::munmap(begin + size, page - lead);
  return mapped;
}

SharedMemory::~SharedMemory() {
  if (data_) ::munmap(data_, size_);
}

Result<SharedMemory> SharedMemory::create(size_t size, const char* name) {
  const size_t mapped = round_up(size, page_size());
  // off_t is signed, and a mapping of nothing is an error of mmap.
  if (mapped == 0 || mapped > static_cast<size_t>(PTRDIFF_MAX)) {
    return system_error("cannot create shared memory of " + std::to_string(size) + " bytes",
                        size == 0 ? EINVAL : ENOMEM);
  }
  UniqueFd fd = create_empty(name);
  if (!fd.valid()) {
    return system_error("cannot create shared memory", errno,
                        errno == EMFILE || errno == ENFILE ? "raise the limit on open files (ulimit -n)" : "");
  }
  if (retry([&] { return ::ftruncate(fd.get(), static_cast<off_t>(mapped)); }) < 0) {
    return system_error("cannot create shared memory of " + std::to_string(mapped) + " bytes", errno);
  }
  if (!seal(fd)) return system_error("cannot seal shared memory", errno);
  return map(std::move(fd), mapped);
}

Result<SharedMemory> SharedMemory::open(UniqueFd fd, size_t size) {
  const size_t mapped = round_up(size, page_size());
  if (mapped == 0 || !is_safe_to_map(fd.get(), mapped)) {
    return fail("memory of another process has not " + std::to_string(size) + " bytes for good");
  }
  return map(std::move(fd), mapped);
}

Result<SharedMemory> SharedMemory::map(UniqueFd fd, size_t size) {
  void* data = map_pages(fd.get(), size);
  if (data == MAP_FAILED) {
    return system_error("cannot map " + std::to_string(size) + " bytes of shared memory", errno,
                        "the number of mappings is limited (on Linux by the sysctl vm.max_map_count)");
  }
  SharedMemory memory;
  memory.fd_ = std::move(fd);
  memory.data_ = static_cast<std::byte*>(data);
  memory.size_ = size;
  return memory;
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
