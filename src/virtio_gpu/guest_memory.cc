#include "virtio_gpu/guest_memory.h"

#include <cstring>

namespace pvgpu::virtio_gpu {
namespace {

// Calls `copy(bytes of the guest, bytes done so far)` for each contiguous part.
template <class Copy>
bool for_each_part(const GuestMemory& memory, uint64_t address, size_t length, Copy copy) {
  for (size_t done = 0; done < length;) {
    if (done > UINT64_MAX - address) return false;
    const GuestBytes part = memory.find(address + done, length - done);
    if (part.bytes.empty()) return false;
    copy(part.bytes, done);
    done += part.bytes.size();
  }
  return true;
}

}  // namespace

bool copy_from_guest(const GuestMemory& memory, uint64_t address, std::span<std::byte> out) {
  return for_each_part(memory, address, out.size(), [&](std::span<std::byte> part, size_t done) {
    std::memcpy(out.data() + done, part.data(), part.size());
  });
}

bool copy_to_guest(const GuestMemory& memory, uint64_t address, std::span<const std::byte> bytes) {
  return for_each_part(memory, address, bytes.size(), [&](std::span<std::byte> part, size_t done) {
    std::memcpy(part.data(), bytes.data() + done, part.size());
  });
}

}  // namespace pvgpu::virtio_gpu
