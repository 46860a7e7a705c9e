#include "virtio_gpu/packed_virtqueue.h"

#include <fmt/format.h>

#include <atomic>
#include <cstring>
#include <utility>

namespace pvgpu::virtio_gpu {
namespace {

struct Descriptor {
  uint64_t address;
  uint32_t length;
  uint16_t id, flags;
};
static_assert(sizeof(Descriptor) == 16);

constexpr uint16_t kNext = 1, kWrite = 2, kIndirect = 4, kAvailable = 1 << 7, kUsed = 1 << 15;
constexpr uint16_t kEventDisable = 1;
constexpr size_t kFlagsOffset = 14;       // in a descriptor
constexpr size_t kEventFlagsOffset = 2;   // in an event suppression structure

std::atomic_ref<uint16_t> shared_u16(const GuestBytes& part, size_t offset) {
  return std::atomic_ref<uint16_t>(*reinterpret_cast<uint16_t*>(part.bytes.data() + offset));
}

std::unexpected<std::string> broken(std::string what) { return std::unexpected(std::move(what)); }

}  // namespace

void PackedVirtqueue::Place::advance(uint16_t count, uint16_t size) {
  const uint32_t next = uint32_t{index} + count;
  wrap ^= next >= size;
  index = static_cast<uint16_t>(next >= size ? next - size : next);
}

std::expected<PackedVirtqueue, std::string> PackedVirtqueue::create(const GuestMemory& memory, QueueMemory layout, uint32_t position,
                                                                    bool indirect) {
  if (layout.size == 0 || layout.size > QueueMemory::kMaxSize) return broken(fmt::format("{} descriptors", layout.size));
  if (layout.descriptors.bytes.size() < QueueMemory::descriptor_bytes(layout.size) ||
      layout.available.bytes.size() < event_bytes() || layout.used.bytes.size() < event_bytes())
    return broken("its ring is not in the guest's memory");
  if (!is_aligned(layout.descriptors, 16) || !is_aligned(layout.available, 4) || !is_aligned(layout.used, 4))
    return broken("its ring is misaligned");
  PackedVirtqueue queue(memory, std::move(layout), position, indirect);
  if (queue.available_.index >= queue.layout_.size || queue.used_.index >= queue.layout_.size)
    return broken(fmt::format("a position of {:#x} in a queue of {}", position, queue.layout_.size));
  return queue;
}

PackedVirtqueue::PackedVirtqueue(const GuestMemory& memory, QueueMemory layout, uint32_t position, bool indirect)
    : memory_(&memory),
      layout_(std::move(layout)),
      available_(static_cast<uint16_t>(position)),
      used_(static_cast<uint16_t>(position >> 16)),
      indirect_(indirect) {}

std::expected<std::optional<Chain>, std::string> PackedVirtqueue::pop() {
  // acquire: pairs with the driver's barrier before it stores the flags of a chain's first descriptor, the last of its stores.
  const uint16_t first = shared_u16(layout_.descriptors, available_.index * sizeof(Descriptor) + kFlagsOffset)
                             .load(std::memory_order_acquire);
  if (((first & kAvailable) != 0) != available_.wrap || ((first & kUsed) != 0) == available_.wrap) return std::nullopt;
  Chain chain;
  chain.descriptors = 0;
  Place place = available_;
  while (true) {
    if (in_flight_ + chain.descriptors >= layout_.size)
      return broken(fmt::format("more than {} descriptors in flight", layout_.size));
    Descriptor descriptor;
    std::memcpy(&descriptor, layout_.descriptors.bytes.data() + place.index * sizeof descriptor, sizeof descriptor);
    place.advance(1, layout_.size);
    chain.descriptors++;
    chain.head = descriptor.id;  // that of the last one counts
    if (descriptor.flags & kIndirect) {
      if (!indirect_) return broken("an indirect descriptor where none is allowed");
      if (descriptor.flags & kNext || chain.descriptors > 1) return broken("an indirect descriptor in a chain");
      auto table = read_indirect_table(*memory_, descriptor.address, descriptor.length);
      if (!table) return broken(table.error());
      for (size_t at = 0; at < table->size(); at += sizeof descriptor) {
        Descriptor part;
        std::memcpy(&part, table->data() + at, sizeof part);
        if (part.flags & kIndirect) return broken("an indirect descriptor where none is allowed");
        if (!chain.add({part.address, part.length}, part.flags & kWrite)) return broken("a readable descriptor behind a writable one");
      }
      break;
    }
    if (!chain.add({descriptor.address, descriptor.length}, descriptor.flags & kWrite))
      return broken("a readable descriptor behind a writable one");
    if (!(descriptor.flags & kNext)) break;
  }
  available_ = place;
  in_flight_ += chain.descriptors;
  return chain;
}

bool PackedVirtqueue::push(const Chain& chain, uint32_t written) {
  std::byte* const at = layout_.descriptors.bytes.data() + used_.index * sizeof(Descriptor);
  std::memcpy(at + 8, &written, sizeof written);
  std::memcpy(at + 12, &chain.head, sizeof chain.head);
  const uint16_t turn = used_.wrap ? kAvailable | kUsed : 0;
  // release: the rest of the entry, and what was written to the buffer, come before the flags that announce them.
  shared_u16(layout_.descriptors, used_.index * sizeof(Descriptor) + kFlagsOffset)
      .store(static_cast<uint16_t>(turn | (written ? kWrite : 0)), std::memory_order_release);
  used_.advance(chain.descriptors, layout_.size);
  in_flight_ -= std::min<uint32_t>(in_flight_, chain.descriptors);  // what was taken before a pause is given back after it
  // The driver turns interrupts on and then looks at the ring; one of us sees the other's store.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  // A driver that waits for a certain descriptor is told of every one, which it must bear.
  return (shared_u16(layout_.available, kEventFlagsOffset).load(std::memory_order_relaxed) & 3) != kEventDisable;
}

}  // namespace pvgpu::virtio_gpu
