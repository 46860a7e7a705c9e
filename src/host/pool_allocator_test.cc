#include "host/pool_allocator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "host/profile.h"

namespace pvgpu::host {
namespace {

bool is_aligned(const void* memory, size_t alignment) { return reinterpret_cast<uintptr_t>(memory) % alignment == 0; }

struct Piece {
  unsigned char* memory;
  size_t size;
  unsigned char filling;
};

bool holds_its_filling(const Piece& piece) {
  return std::all_of(piece.memory, piece.memory + piece.size, [&](unsigned char byte) { return byte == piece.filling; });
}

TEST(PoolAllocator, PiecesDoNotOverlapWhateverComesAndGoes) {
  PoolAllocator allocator;
  const VkAllocationCallbacks& driver = *allocator.callbacks();
  std::mt19937 random(1);
  std::vector<Piece> pieces;
  for (int step = 0; step < 20'000; ++step) {
    const size_t alignment = size_t{1} << random() % 8;
    const size_t size = 1 + random() % (random() % 16 == 0 ? 5000 : 300);
    const auto filling = static_cast<unsigned char>(random());
    const auto scope = VK_SYSTEM_ALLOCATION_SCOPE_OBJECT;
    switch (pieces.empty() ? 0 : random() % 5) {
      case 0:
      case 1: {
        auto* memory = static_cast<unsigned char*>(driver.pfnAllocation(driver.pUserData, size, alignment, scope));
        ASSERT_NE(memory, nullptr);
        ASSERT_TRUE(is_aligned(memory, alignment));
        std::memset(memory, filling, size);
        pieces.push_back({memory, size, filling});
        break;
      }
      case 2: {
        Piece& piece = pieces[random() % pieces.size()];
        ASSERT_TRUE(holds_its_filling(piece));
        auto* memory = static_cast<unsigned char*>(driver.pfnReallocation(driver.pUserData, piece.memory, size, alignment, scope));
        ASSERT_TRUE(is_aligned(memory, alignment));
        ASSERT_TRUE(holds_its_filling({memory, std::min(size, piece.size), piece.filling}));
        std::memset(memory, filling, size);
        piece = {memory, size, filling};
        break;
      }
      default: {
        std::swap(pieces[random() % pieces.size()], pieces.back());
        ASSERT_TRUE(holds_its_filling(pieces.back()));
        driver.pfnFree(driver.pUserData, pieces.back().memory);
        pieces.pop_back();
      }
    }
  }
  for (const Piece& piece : pieces) {
    ASSERT_TRUE(holds_its_filling(piece));
    allocator.free(piece.memory);
  }
}

TEST(PoolAllocator, GivesAgainWhatWasFreed) {
  PoolAllocator allocator;
  std::vector<void*> first, second;
  for (int i = 0; i < 10'000; ++i) first.push_back(allocator.allocate(100, 8));
  for (void* piece : first) allocator.free(piece);
  for (int i = 0; i < 10'000; ++i) second.push_back(allocator.allocate(97, 8));
  std::ranges::sort(first);
  std::ranges::sort(second);
  EXPECT_EQ(first, second);
}

TEST(PoolAllocator, BeginsAnewWhenCleared) {
  PoolAllocator allocator;
  allocator.clear();
  void* first = allocator.allocate(100, 8);
  for (int i = 0; i < 10'000; ++i) allocator.allocate(100, 8);  // of chunks, so that clear() takes them back
  allocator.clear();
  EXPECT_EQ(allocator.allocate(100, 8), first);
  std::vector<unsigned char*> pieces;
  for (int i = 0; i < 1000; ++i) {
    pieces.push_back(static_cast<unsigned char*>(allocator.allocate(100, 8)));
    std::memset(pieces.back(), i % 251, 100);
  }
  for (int i = 0; i < 1000; ++i)
    EXPECT_TRUE(holds_its_filling({pieces[static_cast<size_t>(i)], 100, static_cast<unsigned char>(i % 251)}));
}

TEST(PoolAllocator, NothingIsAPieceToo) {
  PoolAllocator allocator;
  EXPECT_NE(allocator.allocate(0, 8), nullptr);
  allocator.free(nullptr);
  void* piece = allocator.reallocate(nullptr, 10, 8);
  EXPECT_NE(piece, nullptr);
  EXPECT_EQ(allocator.reallocate(piece, 0, 8), nullptr);
}

TEST(PoolAllocator, RefusesWhatThereCannotBe) {
  PoolAllocator allocator;
  EXPECT_EQ(allocator.allocate(SIZE_MAX - 8, 8), nullptr);
  EXPECT_EQ(allocator.allocate(8, size_t{1} << 40), nullptr);
  auto* piece = static_cast<unsigned char*>(allocator.allocate(10, 8));
  std::memset(piece, 7, 10);
  EXPECT_EQ(allocator.reallocate(piece, SIZE_MAX - 8, 8), nullptr);
  EXPECT_TRUE(holds_its_filling({piece, 10, 7}));
}

TEST(PoolAllocator, IsForLavapipeOnly) {
  DriverProfile profile;
  profile.driver_id = VK_DRIVER_ID_NVIDIA_PROPRIETARY;
  EXPECT_FALSE(records_by_allocating(profile));
  profile.driver_id = VK_DRIVER_ID_MESA_LLVMPIPE;
  EXPECT_TRUE(records_by_allocating(profile));
}

}  // namespace
}  // namespace pvgpu::host
