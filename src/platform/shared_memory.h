// Memory that two processes can see: a file descriptor that is mappable from offset 0, and this
// process's mapping of it. Used for rings, reply buffers and, with the host_import strategy, for
// VkDeviceMemory itself. Not synchronized; the bytes are shared with an untrusted guest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "platform/error.h"
#include "platform/fd.h"

namespace pvgpu::platform {

// Size of a page of this host in bytes (4096 or 16384). PVGPU_PAGE_SIZE forces a larger one, to try out on one host what
// another one asks for.
size_t page_size();
// `value` rounded up to a multiple of `alignment`, which is a power of two. Overflow gives 0.
size_t round_up(size_t value, size_t alignment);

// Whether nobody who has its descriptor can shrink or grow what SharedMemory::create made, so that no peer can make our
// accesses fault. Without (a POSIX system of no known kind), a guest that shrinks memory ends its own worker, by SIGBUS.
extern const bool kMemoryIsSealed;

class SharedMemory {
 public:
  // Zero-filled memory of at least `size` bytes, rounded up to whole pages; see kMemoryIsSealed. `name` shows up in
  // /proc/PID/maps where the system has such a thing.
  static Result<SharedMemory> create(size_t size, const char* name);

  // The first `size` bytes (rounded up to whole pages) of memory that another process made. An error unless
  // is_safe_to_map.
  static Result<SharedMemory> open(UniqueFd fd, size_t size);

  SharedMemory() = default;
  SharedMemory(SharedMemory&& other) noexcept;
  SharedMemory& operator=(SharedMemory&& other) noexcept;
  ~SharedMemory();

  bool valid() const { return data_ != nullptr; }
  std::byte* data() const { return data_; }
  // Whole mapped length in bytes: a multiple of the page size, >= the size asked for.
  size_t size() const { return size_; }
  const UniqueFd& fd() const { return fd_; }

 private:
  static Result<SharedMemory> map(UniqueFd fd, size_t size);
  // Memory of no size yet, and what keeps others from changing that which it got; errors are in errno.
  static UniqueFd create_empty(const char* name);
  static bool seal(const UniqueFd& fd);
  // mmap(2) of `size` bytes to where a page of page_size() begins. MAP_FAILED, with errno set.
  static void* map_pages(int fd, size_t size);

  UniqueFd fd_;
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

// Whether `fd`, which another process gave us, has `size` bytes to map and can never have fewer, so that no access faults:
// sealed shared memory, or a dma-buf. Without kMemoryIsSealed: whether it has them now.
bool is_safe_to_map(int fd, uint64_t size);

// An empty file without a name, for a child to write into.
Result<UniqueFd> anonymous_file(const char* name);
// A file of `contents` that nobody can change any more, not even through this descriptor: for
// handing data to a child that is not trusted with the next child's copy.
Result<UniqueFd> sealed_file(std::string_view contents, const char* name);
// What such a file holds, whatever its position is (which its holders share).
Result<std::string> read_file(int fd);
// Everything that can be read from a pipe or socket up to its end.
Result<std::string> read_to_end(int fd);

}  // namespace pvgpu::platform
