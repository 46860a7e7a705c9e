// The guest's own memory, as a device reaches it: by guest-physical address, every access checked. The guest
// writes it at any moment, so what is read is copied first and judged afterwards. One thread (the device's).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace pvgpu::virtio_gpu {

// Bytes of guest memory and what keeps them mapped here.
struct GuestBytes {
  std::span<std::byte> bytes;
  std::shared_ptr<const void> keeper;
};

class GuestMemory {
 public:
  virtual ~GuestMemory() = default;
  // What lies at `address`: at most `length` bytes, fewer if what is contiguous here ends before, none if the
  // guest has no memory there.
  virtual GuestBytes find(uint64_t address, uint64_t length) const = 0;
};

// Exactly as many bytes as `out` or `bytes` have. False, with nothing promised about how far it came: the range
// leaves the guest's memory.
bool copy_from_guest(const GuestMemory& memory, uint64_t address, std::span<std::byte> out);
bool copy_to_guest(const GuestMemory& memory, uint64_t address, std::span<const std::byte> bytes);

}  // namespace pvgpu::virtio_gpu
