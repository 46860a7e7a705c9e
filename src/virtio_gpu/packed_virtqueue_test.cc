#include "virtio_gpu/packed_virtqueue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "virtio_gpu/testing/driver.h"

namespace pvgpu::virtio_gpu {
namespace {

using ::testing::HasSubstr;
using testing::FakeMemory;
using testing::kIndirect;
using testing::kNext;
using testing::kWrite;
using testing::PackedDriverQueue;
using testing::RawDescriptor;

constexpr uint64_t kData = FakeMemory::kLow + 0x30000;

class PackedVirtqueueTest : public ::testing::Test {
 protected:
  void start(uint32_t position = PackedVirtqueue::kStart, bool indirect = true) {
    queue_.emplace(*PackedVirtqueue::create(memory_, rings_.layout(), position, indirect));
  }
  Chain pop() {
    auto chain = queue_->pop();
    if (!chain || !*chain) {
      ADD_FAILURE() << (chain ? "nothing available" : chain.error());
      return {};
    }
    return **chain;
  }
  std::string error_of(const std::vector<RawDescriptor>& chain, bool indirect = true) {
    start(PackedVirtqueue::kStart, indirect);
    PackedDriverQueue(memory_, FakeMemory::kLow).make_available(1, chain);
    auto popped = queue_->pop();
    return popped ? "none" : popped.error();
  }
  // An indirect table in packed queues: its flags are at the end of each descriptor.
  void table(const std::vector<RawDescriptor>& descriptors) {
    for (size_t i = 0; i < descriptors.size(); i++) {
      std::memcpy(memory_.at(kData + 16 * i), &descriptors[i], 12);
      std::memcpy(memory_.at(kData + 16 * i + 14), &descriptors[i].flags, 2);
    }
  }

  FakeMemory memory_;
  PackedDriverQueue rings_{memory_, FakeMemory::kLow};
  std::optional<PackedVirtqueue> queue_;
};

TEST_F(PackedVirtqueueTest, GivesChainsAndTakesThemBack) {
  start();
  EXPECT_FALSE(queue_->pop()->has_value());
  rings_.make_available(77, {{kData, 10, 0, 0}, {kData + 64, 20, 0, 0}, {kData + 128, 30, kWrite, 0}});
  const Chain chain = pop();
  EXPECT_EQ(chain.head, 77);
  EXPECT_EQ(chain.descriptors, 3);
  EXPECT_EQ(chain.readable_bytes, 30u);
  EXPECT_EQ(chain.writable_bytes, 30u);
  EXPECT_FALSE(queue_->pop()->has_value());
  EXPECT_FALSE(rings_.take_used(3));
  EXPECT_TRUE(queue_->push(chain, 7));
  EXPECT_EQ(rings_.take_used(3), std::pair(uint16_t{77}, 7u));
}

TEST_F(PackedVirtqueueTest, GoesRoundAndGivesBackInAnyOrder) {
  start();
  for (uint16_t i = 0; i < 1000; i++) {
    rings_.make_available(i, {{kData, 4, 0, 0}, {kData, 4, kWrite, 0}});
    rings_.make_available(static_cast<uint16_t>(i + 1), {{kData, 4, 0, 0}, {kData, 4, 0, 0}, {kData, 4, kWrite, 0}});
    const Chain first = pop(), second = pop();
    EXPECT_EQ(first.head, i);
    queue_->push(second, 1);
    queue_->push(first, 2);
    ASSERT_EQ(rings_.take_used(3), std::pair(static_cast<uint16_t>(i + 1), 1u));
    ASSERT_EQ(rings_.take_used(2), std::pair(i, 2u));
  }
}

TEST_F(PackedVirtqueueTest, GoesOnWhereItWas) {
  start();
  for (int i = 0; i < 7; i++) {
    rings_.make_available(1, {{kData, 4, 0, 0}, {kData, 4, kWrite, 0}});
    queue_->push(pop(), 0);
    ASSERT_TRUE(rings_.take_used(2));
  }
  rings_.make_available(5, {{kData, 4, 0, 0}});
  const Chain chain = pop();
  start(queue_->position());
  EXPECT_FALSE(queue_->pop()->has_value());
  queue_->push(chain, 0);
  EXPECT_EQ(rings_.take_used(1), std::pair(uint16_t{5}, 0u));
}

TEST_F(PackedVirtqueueTest, HeedsInterruptSuppression) {
  start();
  rings_.suppress_interrupts(true);
  rings_.make_available(0, {{kData, 4, 0, 0}});
  EXPECT_FALSE(queue_->push(pop(), 0));
  rings_.suppress_interrupts(false);
  rings_.make_available(0, {{kData, 4, 0, 0}});
  EXPECT_TRUE(queue_->push(pop(), 0));
}

TEST_F(PackedVirtqueueTest, FollowsIndirectTables) {
  start();
  std::vector<RawDescriptor> descriptors(100, {kData, 1, 0, 0});
  descriptors.back().flags = kWrite;
  table(descriptors);
  rings_.make_available(3, {{kData, 1600, kIndirect, 0}});
  const Chain chain = pop();
  EXPECT_EQ(chain.readable_bytes, 99u);
  EXPECT_EQ(chain.writable_bytes, 1u);
  EXPECT_EQ(chain.descriptors, 1);
}

TEST_F(PackedVirtqueueTest, RefusesWhatBreaksTheRules) {
  EXPECT_THAT(error_of({{kData, 4, kWrite, 0}, {kData, 4, 0, 0}}), HasSubstr("readable"));
  EXPECT_THAT(error_of({{kData, 16, kIndirect, 0}}, false), HasSubstr("none is allowed"));
  EXPECT_THAT(error_of({{kData, 16, kIndirect, 0}, {kData, 4, 0, 0}}), HasSubstr("in a chain"));
  EXPECT_THAT(error_of({{kData, 17, kIndirect, 0}}), HasSubstr("17 bytes"));
  EXPECT_THAT(error_of({{kData, 0xfffffff0, kIndirect, 0}}), HasSubstr("4294967280 bytes"));
  EXPECT_THAT(error_of({{0x10, 16, kIndirect, 0}}), HasSubstr("outside"));
  table({{kData, 4, kIndirect, 0}});
  EXPECT_THAT(error_of({{kData, 16, kIndirect, 0}}), HasSubstr("none is allowed"));
  // As long as the ring, and never ending.
  EXPECT_THAT(error_of(std::vector<RawDescriptor>(PackedDriverQueue::kSize, {kData, 4, kNext, 0})), HasSubstr("more than 12"));
}

TEST_F(PackedVirtqueueTest, RefusesMoreThanTheQueueHolds) {
  start();
  for (int i = 0; i < PackedDriverQueue::kSize; i++) {
    rings_.make_available(0, {{kData, 4, 0, 0}});
    pop();
  }
  rings_.make_available(0, {{kData, 4, 0, 0}});
  const auto chain = queue_->pop();
  ASSERT_FALSE(chain);
  EXPECT_THAT(chain.error(), HasSubstr("in flight"));
}

TEST_F(PackedVirtqueueTest, RefusesBadLayouts) {
  const auto create = [&](auto change, uint32_t position = PackedVirtqueue::kStart) {
    QueueMemory layout = rings_.layout();
    change(layout);
    return PackedVirtqueue::create(memory_, layout, position, true).has_value();
  };
  EXPECT_TRUE(create([](QueueMemory&) {}));
  EXPECT_FALSE(create([](QueueMemory& layout) { layout.size = 0; }));
  EXPECT_FALSE(create([](QueueMemory& layout) { layout.size = 32; }));
  EXPECT_FALSE(create([](QueueMemory& layout) { layout.used = {}; }));
  EXPECT_FALSE(create([&](QueueMemory& layout) { layout.available = memory_.find(kData + 2, 4); }));
  EXPECT_FALSE(create([](QueueMemory&) {}, 0x8000'800c));
  EXPECT_FALSE(create([](QueueMemory&) {}, 0x800c'8000));
}

}  // namespace
}  // namespace pvgpu::virtio_gpu
