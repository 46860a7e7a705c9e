#include "platform/shared_memory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

namespace pvgpu::platform {
namespace {

TEST(RoundUp, RoundsToMultiplesAndReportsOverflow) {
  EXPECT_EQ(round_up(0, 4096), 0u);
  EXPECT_EQ(round_up(1, 4096), 4096u);
  EXPECT_EQ(round_up(4096, 4096), 4096u);
  EXPECT_EQ(round_up(131268, 4096), 135168u);
  EXPECT_EQ(round_up(SIZE_MAX - 4095, 4096), SIZE_MAX - 4095);
  EXPECT_EQ(round_up(SIZE_MAX - 4094, 4096), 0u);
}

TEST(SharedMemory, IsZeroFilledWholePages) {
  auto memory = SharedMemory::create(page_size() + 1, "test");
  ASSERT_TRUE(memory.has_value());
  EXPECT_EQ(memory->size(), 2 * page_size());
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory->data()) % page_size(), 0u);
  for (size_t i = 0; i < memory->size(); i++) ASSERT_EQ(memory->data()[i], std::byte{0});
}

TEST(SharedMemory, IsSeenThroughASecondMappingOfADuplicatedDescriptor) {
  auto memory = SharedMemory::create(100, "test");
  ASSERT_TRUE(memory.has_value());
  UniqueFd copy = memory->fd().duplicate();
  ASSERT_TRUE(copy.valid());
  EXPECT_NE(::fcntl(copy.get(), F_GETFD) & FD_CLOEXEC, 0);
  void* second = ::mmap(nullptr, memory->size(), PROT_READ | PROT_WRITE, MAP_SHARED, copy.get(), 0);
  ASSERT_NE(second, MAP_FAILED);
  static_cast<std::byte*>(second)[42] = std::byte{7};
  EXPECT_EQ(memory->data()[42], std::byte{7});
  ::munmap(second, memory->size());
}

TEST(SharedMemory, CannotBeShrunkNorGrownByTheOtherSide) {
  if (!kMemoryIsSealed) GTEST_SKIP() << "memory cannot be sealed here";
  auto memory = SharedMemory::create(page_size(), "test");
  ASSERT_TRUE(memory.has_value());
  EXPECT_NE(::ftruncate(memory->fd().get(), 0), 0);
  EXPECT_NE(::ftruncate(memory->fd().get(), static_cast<off_t>(2 * page_size())), 0);
#ifdef F_SEAL_FUTURE_WRITE
  // Nor sealed against writing, which would break a later mapping of ours.
  EXPECT_NE(::fcntl(memory->fd().get(), F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0);
#endif
}

TEST(SharedMemory, ImpossibleSizesAreErrors) {
  EXPECT_FALSE(SharedMemory::create(0, "test").has_value());
  EXPECT_FALSE(SharedMemory::create(SIZE_MAX, "test").has_value());
  auto huge = SharedMemory::create(SIZE_MAX / 2 - page_size(), "test");
  ASSERT_FALSE(huge.has_value());
  EXPECT_NE(huge.error().what.find("bytes"), std::string::npos);
}

TEST(SharedMemory, MovesCarryTheMapping) {
  auto first = SharedMemory::create(1, "first");
  auto second = SharedMemory::create(1, "second");
  ASSERT_TRUE(first && second);
  std::byte* data = first->data();
  *second = std::move(*first);
  EXPECT_EQ(second->data(), data);
  EXPECT_FALSE(first->valid());
  EXPECT_FALSE(first->fd().valid());
  data[0] = std::byte{1};  // still mapped
}

}  // namespace
}  // namespace pvgpu::platform
