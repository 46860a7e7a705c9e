#include "virtio_gpu/virtqueue.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <utility>

namespace pvgpu::virtio_gpu {

struct Virtqueue::Descriptor {
  uint64_t address;
  uint32_t length;
  uint16_t flags, next;
};

namespace {

constexpr uint16_t kDescriptorNext = 1;
constexpr uint16_t kDescriptorWrite = 2;
constexpr uint16_t kDescriptorIndirect = 4;
constexpr uint16_t kAvailableNoInterrupt = 1;
constexpr size_t kDescriptorBytes = 16;
// Of both rings: u16 flags, u16 idx, then the entries.
constexpr size_t kIndexOffset = 2;
constexpr size_t kEntriesOffset = 4;

static_assert(std::atomic_ref<uint16_t>::is_always_lock_free);

std::atomic_ref<uint16_t> shared_u16(const GuestBytes& part, size_t offset) {
  return std::atomic_ref<uint16_t>(*reinterpret_cast<uint16_t*>(part.bytes.data() + offset));
}

std::unexpected<std::string> broken(std::string what) {
  return std::unexpected(std::move(what));
}

}  // namespace

std::expected<Virtqueue, std::string> Virtqueue::create(const GuestMemory& memory, QueueMemory layout, uint16_t next,
                                                        bool indirect, bool event_index) {
  if (!std::has_single_bit(layout.size) || layout.size > QueueMemory::kMaxSize)
    return broken(fmt::format("{} descriptors", layout.size));
  if (layout.descriptors.bytes.size() < QueueMemory::descriptor_bytes(layout.size) ||
      layout.available.bytes.size() < QueueMemory::available_bytes(layout.size) ||
      layout.used.bytes.size() < QueueMemory::used_bytes(layout.size))
    return broken("its rings are not in the guest's memory");
  if (!is_aligned(layout.descriptors, 16) || !is_aligned(layout.available, 2) || !is_aligned(layout.used, 4))
    return broken("its rings are misaligned");
  return Virtqueue(memory, std::move(layout), next, indirect, event_index);
}

Virtqueue::Virtqueue(const GuestMemory& memory, QueueMemory layout, uint16_t next, bool indirect, bool event_index)
    : memory_(&memory), layout_(std::move(layout)), next_(next), indirect_(indirect), event_index_(event_index) {
  // A queue that goes on after a pause has used entries already; only the device writes this index.
  used_ = shared_u16(layout_.used, kIndexOffset).load(std::memory_order_relaxed);
}

uint16_t Virtqueue::available_or_ask() {
  const auto available = shared_u16(layout_.available, kIndexOffset);
  // acquire: pairs with the driver's barrier between filling an entry and storing the index.
  const uint16_t index = available.load(std::memory_order_acquire);
  if (index != next_ || !event_index_) return index;
  shared_u16(layout_.used, kEntriesOffset + size_t{8} * layout_.size).store(next_, std::memory_order_relaxed);
  // The driver stores its index and then looks at what we ask for; one of us sees the other's store.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return available.load(std::memory_order_acquire);
}

std::expected<std::optional<Chain>, std::string> Virtqueue::pop() {
  const uint16_t index = available_or_ask();
  const uint16_t waiting = static_cast<uint16_t>(index - next_);
  if (waiting == 0) return std::nullopt;
  if (waiting > layout_.size) return broken(fmt::format("{} available entries in a queue of {}", waiting, layout_.size));
  // Only a driver that makes a buffer available twice gets here.
  if (in_flight_ >= layout_.size) return broken(fmt::format("more than {} buffers in flight", layout_.size));
  const size_t slot = next_ % layout_.size;
  Chain chain;
  chain.head = shared_u16(layout_.available, kEntriesOffset + 2 * slot).load(std::memory_order_relaxed);
  if (chain.head >= layout_.size) return broken(fmt::format("descriptor {} of {}", chain.head, layout_.size));
  size_t budget = kMaxDescriptors;
  auto walked = walk(layout_.descriptors.bytes, chain.head, indirect_, budget, chain);
  if (!walked) return std::unexpected(walked.error());
  next_++;
  in_flight_++;
  return chain;
}

std::expected<void, std::string> Virtqueue::walk(std::span<const std::byte> table, uint16_t first, bool indirect_allowed,
                                                 size_t& budget, Chain& chain) const {
  const size_t count = table.size() / kDescriptorBytes;
  size_t index = first;
  // A chain with more links than its table has descriptors goes round in a circle.
  for (size_t links = 0; links < count; links++) {
    if (index >= count) return broken(fmt::format("descriptor {} of {}", index, count));
    if (budget-- == 0) return broken(fmt::format("a chain of more than {} descriptors", kMaxDescriptors));
    Descriptor descriptor;
    static_assert(sizeof descriptor == kDescriptorBytes);
    std::memcpy(&descriptor, table.data() + index * kDescriptorBytes, sizeof descriptor);
    if (descriptor.flags & kDescriptorIndirect) {
      if (!indirect_allowed) return broken("an indirect descriptor where none is allowed");
      if (descriptor.flags & kDescriptorNext) return broken("an indirect descriptor with a successor");
      return walk_indirect(descriptor, budget, chain);
    }
    if (!chain.add({descriptor.address, descriptor.length}, descriptor.flags & kDescriptorWrite))
      return broken("a readable descriptor behind a writable one");
    if (!(descriptor.flags & kDescriptorNext)) return {};
    index = descriptor.next;
  }
  return broken("a chain that has no end");
}

std::expected<void, std::string> Virtqueue::walk_indirect(const Descriptor& descriptor, size_t& budget,
                                                          Chain& chain) const {
  auto table = read_indirect_table(*memory_, descriptor.address, descriptor.length);
  if (!table) return broken(table.error());
  return walk(*table, 0, false, budget, chain);
}

bool Virtqueue::push(const Chain& chain, uint32_t written) {
  const size_t slot = used_ % layout_.size;
  const uint32_t entry[2] = {chain.head, written};
  std::memcpy(layout_.used.bytes.data() + kEntriesOffset + 8 * slot, entry, sizeof entry);
  used_++;
  if (in_flight_ > 0) in_flight_--;  // what was taken before a pause is given back after it
  // release: the entry, and what was written to the buffer, come before the index that announces them.
  shared_u16(layout_.used, kIndexOffset).store(used_, std::memory_order_release);
  // The driver turns interrupts on and then looks at the index; one of us sees the other's store.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!event_index_) return !(shared_u16(layout_.available, 0).load(std::memory_order_relaxed) & kAvailableNoInterrupt);
  const uint16_t wanted = shared_u16(layout_.available, kEntriesOffset + size_t{2} * layout_.size).load(std::memory_order_relaxed);
  return wanted == static_cast<uint16_t>(used_ - 1);
}

bool Chain::add(Segment segment, bool is_writable) {
  if (!is_writable && !writable.empty()) return false;
  (is_writable ? writable : readable).push_back(segment);
  (is_writable ? writable_bytes : readable_bytes) += segment.length;
  return true;
}

bool is_aligned(const GuestBytes& part, size_t alignment) {
  return reinterpret_cast<uintptr_t>(part.bytes.data()) % alignment == 0;
}

std::expected<std::vector<std::byte>, std::string> read_indirect_table(const GuestMemory& memory, uint64_t address, uint32_t bytes) {
  if (bytes == 0 || bytes % kDescriptorBytes != 0 || bytes / kDescriptorBytes > Virtqueue::kMaxDescriptors)
    return broken(fmt::format("an indirect table of {} bytes", bytes));
  std::vector<std::byte> table(bytes);
  if (!copy_from_guest(memory, address, table)) return broken("an indirect table outside the guest's memory");
  return table;
}

std::optional<std::vector<std::byte>> read_chain(const GuestMemory& memory, const Chain& chain, size_t limit) {
  if (chain.readable_bytes > limit) return std::nullopt;
  std::vector<std::byte> bytes(static_cast<size_t>(chain.readable_bytes));
  size_t done = 0;
  for (const Segment& segment : chain.readable) {
    if (!copy_from_guest(memory, segment.address, std::span(bytes).subspan(done, segment.length))) return std::nullopt;
    done += segment.length;
  }
  return bytes;
}

bool write_chain(const GuestMemory& memory, const Chain& chain, std::span<const std::byte> bytes) {
  for (const Segment& segment : chain.writable) {
    const auto part = bytes.first(std::min<size_t>(bytes.size(), segment.length));
    if (!copy_to_guest(memory, segment.address, part)) return false;
    bytes = bytes.subspan(part.size());
    if (bytes.empty()) return true;
  }
  return bytes.empty();
}

}  // namespace pvgpu::virtio_gpu
