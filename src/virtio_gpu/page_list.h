// The guest's pages that hold a resource, as one run of bytes. One thread (the device's).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "virtio_gpu/guest_memory.h"
#include "virtio_gpu/protocol.h"

namespace pvgpu::virtio_gpu {

uint64_t bytes_of(const std::vector<MemEntry>& pages);

// Reads from a page list, cheapest from the front to the back: it goes on where it was. The list and the memory outlive it.
class PageReader {
 public:
  PageReader(const GuestMemory& memory, const std::vector<MemEntry>& pages) : memory_(memory), pages_(pages) {}

  // The bytes from `offset` on, as many as `out` has. False, with nothing promised about `out`: the list is shorter, or a page of
  // it is not in the guest's memory.
  bool read(uint64_t offset, std::span<std::byte> out);

 private:
  const GuestMemory& memory_;
  const std::vector<MemEntry>& pages_;
  size_t entry_ = 0;
  uint64_t entry_offset_ = 0;  // where that entry begins in the run
};

}  // namespace pvgpu::virtio_gpu
