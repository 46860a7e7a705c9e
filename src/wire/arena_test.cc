#include "wire/arena.h"

#include <gtest/gtest.h>

namespace pvgpu::wire {
namespace {

TEST(Arena, AllocationsDoNotOverlapAndAreAligned) {
  Arena arena;
  auto* a = arena.make<uint8_t>(3);
  auto* b = arena.make<uint64_t>(100);
  ASSERT_NE(a, nullptr);
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(b) % Arena::kAlignment, 0u);
  EXPECT_GE(reinterpret_cast<std::byte*>(b), reinterpret_cast<std::byte*>(a) + 3);
}

TEST(Arena, ResetReusesTheSameMemory) {
  Arena arena;
  void* first = arena.allocate(64);
  arena.reset();
  EXPECT_EQ(arena.allocate(64), first);
}

TEST(Arena, SteadyStateKeepsOneBlockThatFits) {
  Arena arena;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 100; ++i) ASSERT_NE(arena.allocate(4096), nullptr);
    arena.reset();
  }
  const size_t capacity = arena.capacity();
  for (int i = 0; i < 60; ++i) ASSERT_NE(arena.allocate(4096), nullptr);
  EXPECT_EQ(arena.capacity(), capacity);
}

TEST(Arena, RefusesMoreThanItsLimit) {
  Arena arena(1 << 20);
  EXPECT_EQ(arena.make<uint64_t>(~uint64_t{0}), nullptr);
  EXPECT_EQ(arena.allocate((1 << 20) + 8), nullptr);
  EXPECT_NE(arena.allocate(1000), nullptr);
}

TEST(Arena, GivesHugeBlocksBack) {
  Arena arena;
  ASSERT_NE(arena.allocate(size_t{64} << 20), nullptr);
  arena.allocate(16);
  arena.reset();
  EXPECT_LE(arena.capacity(), size_t{4} << 20);
}

}  // namespace
}  // namespace pvgpu::wire
