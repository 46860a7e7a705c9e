// A split virtqueue, seen from the device: takes the chains that the driver made available and gives them back
// used. Source: virtio 1.3, section 2.7. The rings lie in memory that the guest writes at any moment; each
// value is read once and checked. One thread.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "virtio_gpu/guest_memory.h"

namespace pvgpu::virtio_gpu {

// A part of a buffer, in guest-physical memory. Not checked to be there yet.
struct Segment {
  uint64_t address;
  uint32_t length;
};

// A buffer of the driver's: what the device may read, then what it may write.
struct Chain {
  uint16_t head = 0;         // of a split queue; the buffer's id, of a packed one
  uint16_t descriptors = 1;  // of a packed queue's ring that it takes
  std::vector<Segment> readable, writable;
  uint64_t readable_bytes = 0, writable_bytes = 0;

  // False: what may be read comes first.
  bool add(Segment segment, bool is_writable);
};

// Where the parts of a queue lie. Each span covers exactly what its part needs (the *_bytes below).
struct QueueMemory {
  uint16_t size = 0;  // descriptors, a power of two
  GuestBytes descriptors, available, used;

  static constexpr uint16_t kMaxSize = 32768;
  static size_t descriptor_bytes(uint16_t size) { return size_t{16} * size; }
  static size_t available_bytes(uint16_t size) { return 6 + size_t{2} * size; }
  static size_t used_bytes(uint16_t size) { return 6 + size_t{8} * size; }
};

class Virtqueue {
 public:
  // Of one chain, also where they come from an indirect table. Linux makes such tables longer than the queue.
  static constexpr size_t kMaxDescriptors = 4096;

  // `next` is the index of the first available entry that is still to be taken: 0 for a new queue. The error
  // says what is wrong with the layout. `memory` outlives the queue and is where indirect tables are read.
  // `event_index`: each side tells by which entry it wants to be notified.
  static std::expected<Virtqueue, std::string> create(const GuestMemory& memory, QueueMemory layout, uint16_t next,
                                                      bool indirect, bool event_index = false);

  // The next chain; nullopt if the driver has made no further one available. An error means that the driver
  // broke the rules: the queue is of no use until it is set up anew.
  std::expected<std::optional<Chain>, std::string> pop();
  // Gives a chain back after `written` bytes were written to it. True if the driver wants an interrupt.
  bool push(const Chain& chain, uint32_t written);
  // The index of the available entry that pop() would take next.
  uint32_t position() const { return next_; }

 private:
  struct Descriptor;
  Virtqueue(const GuestMemory& memory, QueueMemory layout, uint16_t next, bool indirect, bool event_index);
  // The driver's index, after it has been told to notify us of the entry behind.
  uint16_t available_or_ask();
  std::expected<void, std::string> walk(std::span<const std::byte> table, uint16_t first, bool indirect_allowed,
                                        size_t& budget, Chain& chain) const;
  std::expected<void, std::string> walk_indirect(const Descriptor& descriptor, size_t& budget, Chain& chain) const;

  const GuestMemory* memory_;
  QueueMemory layout_;
  uint16_t next_;
  uint16_t used_;
  uint32_t in_flight_ = 0;  // taken and not given back
  bool indirect_, event_index_;
};

bool is_aligned(const GuestBytes& part, size_t alignment);
// A copy of an indirect table, or what is wrong with it.
std::expected<std::vector<std::byte>, std::string> read_indirect_table(const GuestMemory& memory, uint64_t address, uint32_t bytes);

// All readable bytes of a chain. nullopt if there are more than `limit`, or if they are not in the guest's memory.
std::optional<std::vector<std::byte>> read_chain(const GuestMemory& memory, const Chain& chain, size_t limit);
// Writes `bytes` to the front of what is writable. False: too little room, or not in the guest's memory.
bool write_chain(const GuestMemory& memory, const Chain& chain, std::span<const std::byte> bytes);

}  // namespace pvgpu::virtio_gpu
