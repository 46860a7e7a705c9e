// Memory for what a driver allocates on behalf of one VkCommandPool. Software drivers record by allocating: lavapipe keeps each
// command in a piece of its own, so that most of the time of recording is malloc's. A pool's pieces are of few sizes, come by the
// thousand and go all at once, and Vulkan has only one thread use a pool at a time: here a piece is taken from a list of its size
// or cut off a large chunk, without a lock, and chunks are kept until the pool is destroyed.
//
// Owned by whoever owns the pool; outlives it. Calls as for the pool: one thread at a time (Vulkan, 3.6 "Threading Behavior" and
// 11.1 "Host Memory": callbacks come from the thread that called the command).
#pragma once

#include <vulkan/vulkan_core.h>

#include <array>
#include <cstddef>
#include <vector>

namespace pvgpu::host {

struct DriverProfile;

// Whether a pool of this driver gains by it: only where it was seen to, since drivers' use of callbacks is seldom tried.
bool records_by_allocating(const DriverProfile& profile);

class PoolAllocator {
 public:
  PoolAllocator();
  ~PoolAllocator();
  PoolAllocator(const PoolAllocator&) = delete;
  PoolAllocator& operator=(const PoolAllocator&) = delete;

  // Once its pool is destroyed, and with it all pieces freed: gives back most of the memory and is as new for another pool.
  void clear();

  // For vkCreateCommandPool and vkDestroyCommandPool.
  const VkAllocationCallbacks* callbacks() const { return &callbacks_; }

  // As VkAllocationCallbacks has them: nullptr if there is no memory. 0 bytes are a piece too, as of malloc: lavapipe takes nullptr
  // for a failure there.
  void* allocate(size_t size, size_t alignment);
  void* reallocate(void* memory, size_t size, size_t alignment);
  void free(void* memory);

 private:
  static constexpr size_t kUnit = 16;  // bytes by which sizes differ, and the alignment of all pieces
  static constexpr size_t kMostUnits = 64;
  static constexpr size_t kFirstChunk = size_t{4} << 10;
  static constexpr size_t kMostChunk = size_t{1} << 20;

  struct FreePiece {
    FreePiece* next;
  };

  void* cut(size_t units);
  void use(void* chunk, size_t size);
  void* allocate_large(size_t size, size_t alignment);

  VkAllocationCallbacks callbacks_{};
  std::array<FreePiece*, kMostUnits + 1> free_{};  // by units, the last freed first
  std::byte* next_ = nullptr;  // what is left of the newest chunk
  std::byte* end_ = nullptr;
  size_t next_chunk_ = kFirstChunk;  // bytes of the next one
  std::vector<void*> chunks_;
};

}  // namespace pvgpu::host
