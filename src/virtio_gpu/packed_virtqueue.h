// A packed virtqueue, seen from the device: one ring of descriptors, which the driver makes available and the device writes over when
// they are used. Source: virtio 1.3, section 2.8. As with Virtqueue, the ring lies in memory that the guest writes at any moment. One
// thread.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "virtio_gpu/guest_memory.h"
#include "virtio_gpu/virtqueue.h"

namespace pvgpu::virtio_gpu {

class PackedVirtqueue {
 public:
  // What the parts of a layout take: `available` is the driver's event suppression structure, `used` the device's.
  static size_t event_bytes() { return 4; }
  // A new queue's position: both indices 0, both wrap counters 1.
  static constexpr uint32_t kStart = 0x8000'8000;

  // `position`: kStart, or what position() gave.
  static std::expected<PackedVirtqueue, std::string> create(const GuestMemory& memory, QueueMemory layout, uint32_t position,
                                                            bool indirect);

  // As Virtqueue's.
  std::expected<std::optional<Chain>, std::string> pop();
  bool push(const Chain& chain, uint32_t written);
  // Where it is, as vhost-user tells it: bits 0 to 14 the next descriptor to be taken, bit 15 its wrap counter, bits 16 to 31 the
  // same of the next to be given back.
  uint32_t position() const { return available_.word() | uint32_t{used_.word()} << 16; }

 private:
  // A place in the ring, and how often it went round, by its last bit.
  struct Place {
    uint16_t index;
    bool wrap;
    explicit Place(uint16_t word) : index(word & 0x7fff), wrap(word >> 15) {}
    uint16_t word() const { return static_cast<uint16_t>(index | wrap << 15); }
    void advance(uint16_t count, uint16_t size);
  };

  PackedVirtqueue(const GuestMemory& memory, QueueMemory layout, uint32_t position, bool indirect);

  const GuestMemory* memory_;
  QueueMemory layout_;
  Place available_, used_;
  uint32_t in_flight_ = 0;  // descriptors taken and not given back
  bool indirect_;
};

}  // namespace pvgpu::virtio_gpu
