#include "host/pool_allocator.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <span>

#include "host/profile.h"

namespace pvgpu::host {
namespace {

// Lies right before a piece.
struct Header {
  uint32_t units = 0;  // of the piece and its header; 0: a large one
  uint32_t lead = 0;   // of a large one: bytes from the start of its memory to the piece
};
static_assert(sizeof(Header) == 8);

// Lies right before a large one's Header.
using LargeSize = uint64_t;

Header* header_of(void* memory) { return static_cast<Header*>(memory) - 1; }

LargeSize* large_size_of(void* memory) { return reinterpret_cast<LargeSize*>(header_of(memory)) - 1; }

void* large_start_of(void* memory) { return static_cast<std::byte*>(memory) - header_of(memory)->lead; }

PoolAllocator& of(void* user_data) { return *static_cast<PoolAllocator*>(user_data); }

VKAPI_ATTR void* VKAPI_CALL allocate_callback(void* user, size_t size, size_t alignment, VkSystemAllocationScope) {
  return of(user).allocate(size, alignment);
}
VKAPI_ATTR void* VKAPI_CALL reallocate_callback(void* user, void* memory, size_t size, size_t alignment,
                                                VkSystemAllocationScope) {
  return of(user).reallocate(memory, size, alignment);
}
VKAPI_ATTR void VKAPI_CALL free_callback(void* user, void* memory) { of(user).free(memory); }

}  // namespace

bool records_by_allocating(const DriverProfile& profile) { return profile.driver_id == VK_DRIVER_ID_MESA_LLVMPIPE; }

PoolAllocator::PoolAllocator() {
  callbacks_.pUserData = this;
  callbacks_.pfnAllocation = allocate_callback;
  callbacks_.pfnReallocation = reallocate_callback;
  callbacks_.pfnFree = free_callback;
}

PoolAllocator::~PoolAllocator() {
  for (void* chunk : chunks_) std::free(chunk);
}

void* PoolAllocator::allocate(size_t size, size_t alignment) {
  if (size > kMostUnits * kUnit - sizeof(Header) || alignment > kUnit) return allocate_large(size, alignment);
  const size_t units = (size + sizeof(Header) + kUnit - 1) / kUnit;
  if (FreePiece* piece = free_[units]) {
    free_[units] = piece->next;
    return piece;
  }
  return cut(units);
}

void* PoolAllocator::cut(size_t units) {
  if (static_cast<size_t>(end_ - next_) < units * kUnit) {
    // The rest of the chunk before is wasted: less than a piece of at least as many units.
    void* chunk = std::malloc(next_chunk_);
    if (!chunk) return nullptr;
    chunks_.push_back(chunk);
    use(chunk, next_chunk_);
    next_chunk_ = std::min(4 * next_chunk_, kMostChunk);
  }
  auto* header = new (next_) Header{.units = static_cast<uint32_t>(units)};
  next_ += units * kUnit;
  return header + 1;
}

void PoolAllocator::use(void* chunk, size_t size) {
  // Pieces begin at multiples of kUnit, their headers before that.
  next_ = static_cast<std::byte*>(chunk) + kUnit - sizeof(Header);
  end_ = static_cast<std::byte*>(chunk) + size;
}

void PoolAllocator::clear() {
  free_ = {};
  if (chunks_.empty()) return;
  for (void* chunk : std::span(chunks_).subspan(1)) std::free(chunk);
  chunks_.resize(1);
  use(chunks_.front(), kFirstChunk);
  next_chunk_ = 4 * kFirstChunk;
}

void* PoolAllocator::allocate_large(size_t size, size_t alignment) {
  alignment = std::max(alignment, kUnit);
  if (size > SIZE_MAX / 2 || alignment > (size_t{1} << 30)) return nullptr;
  // The header and the size fit into the first alignment's worth of bytes.
  static_assert(sizeof(Header) + sizeof(LargeSize) <= kUnit);
  const size_t whole = (alignment + size + alignment - 1) / alignment * alignment;
  auto* start = static_cast<std::byte*>(std::aligned_alloc(alignment, whole));
  if (!start) return nullptr;
  void* memory = start + alignment;
  new (header_of(memory)) Header{.lead = static_cast<uint32_t>(alignment)};
  new (large_size_of(memory)) LargeSize(size);
  return memory;
}

void* PoolAllocator::reallocate(void* memory, size_t size, size_t alignment) {
  if (!memory) return allocate(size, alignment);
  if (size == 0) {
    free(memory);
    return nullptr;
  }
  const uint32_t units = header_of(memory)->units;
  const size_t room = units != 0 ? units * kUnit - sizeof(Header) : *large_size_of(memory);
  if (size <= room && reinterpret_cast<uintptr_t>(memory) % alignment == 0) return memory;
  void* moved = allocate(size, alignment);
  if (!moved) return nullptr;  // the old piece stays as it is
  std::memcpy(moved, memory, std::min(size, room));
  free(memory);
  return moved;
}

void PoolAllocator::free(void* memory) {
  if (!memory) return;
  const uint32_t units = header_of(memory)->units;
  if (units == 0) {
    std::free(large_start_of(memory));
    return;
  }
  free_[units] = new (memory) FreePiece{free_[units]};
}

}  // namespace pvgpu::host
