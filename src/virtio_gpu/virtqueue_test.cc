#include "virtio_gpu/virtqueue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "virtio_gpu/testing/driver.h"

namespace pvgpu::virtio_gpu {
namespace {

using ::testing::HasSubstr;
using testing::DriverQueue;
using testing::FakeMemory;
using testing::kIndirect;
using testing::kNext;
using testing::kWrite;
using testing::RawDescriptor;

constexpr uint64_t kData = FakeMemory::kLow + 0x30000;

class VirtqueueTest : public ::testing::Test {
 protected:
  void start(bool indirect = true, bool event_index = false) {
    queue_.emplace(*Virtqueue::create(memory_, rings_.layout(), 0, indirect, event_index));
  }
  Chain pop() {
    auto chain = queue_->pop();
    if (!chain || !*chain) {
      ADD_FAILURE() << (chain ? "nothing available" : chain.error());
      return {};
    }
    return **chain;
  }
  std::string pop_error() {
    auto chain = queue_->pop();
    return chain ? "none" : chain.error();
  }
  void table(uint64_t address, const std::vector<RawDescriptor>& descriptors) {
    std::memcpy(memory_.at(address), descriptors.data(), descriptors.size() * sizeof(RawDescriptor));
  }

  FakeMemory memory_;
  DriverQueue rings_{memory_, FakeMemory::kLow};
  std::optional<Virtqueue> queue_;
};

TEST_F(VirtqueueTest, GivesChainsAndTakesThemBack) {
  start();
  EXPECT_FALSE(queue_->pop()->has_value());
  rings_.set_descriptor(3, {kData, 10, kNext, 4});
  rings_.set_descriptor(4, {kData + 64, 20, kNext, 5});
  rings_.set_descriptor(5, {kData + 128, 30, kWrite, 0});
  rings_.make_available(3);
  Chain chain = pop();
  EXPECT_EQ(chain.head, 3);
  EXPECT_EQ(chain.readable_bytes, 30u);
  EXPECT_EQ(chain.writable_bytes, 30u);
  EXPECT_FALSE(queue_->pop()->has_value());
  EXPECT_TRUE(queue_->push(chain, 7));
  EXPECT_EQ(rings_.used_index(), 1);
  EXPECT_EQ(rings_.used(0), std::pair(3u, 7u));
}

TEST_F(VirtqueueTest, WrapsAround) {
  start();
  rings_.set_descriptor(0, {kData, 4, 0, 0});
  for (int i = 0; i < 70000; i++) {
    rings_.make_available(0);
    queue_->push(pop(), 0);
  }
  EXPECT_EQ(rings_.used_index(), static_cast<uint16_t>(70000));
}

TEST_F(VirtqueueTest, HeedsInterruptSuppression) {
  start();
  rings_.set_descriptor(0, {kData, 4, 0, 0});
  rings_.suppress_interrupts(true);
  rings_.make_available(0);
  EXPECT_FALSE(queue_->push(pop(), 0));
  rings_.suppress_interrupts(false);
  rings_.make_available(0);
  EXPECT_TRUE(queue_->push(pop(), 0));
}

TEST_F(VirtqueueTest, InterruptsByTheEntryThatTheDriverNames) {
  start(true, true);
  rings_.set_descriptor(0, {kData, 4, 0, 0});
  rings_.suppress_interrupts(true);  // is not heeded then
  std::vector<int> interrupts;
  for (int i = 0; i < 70000; i++) {
    if (i == 3) rings_.ask_for_interrupt(5);
    if (i == 6) rings_.ask_for_interrupt(65535);
    rings_.make_available(0);
    if (queue_->push(pop(), 0)) interrupts.push_back(i);
  }
  EXPECT_THAT(interrupts, ::testing::ElementsAre(0, 5, 65535));
}

TEST_F(VirtqueueTest, NamesTheEntryThatItWantsToBeToldOf) {
  start(true, true);
  rings_.set_descriptor(0, {kData, 4, 0, 0});
  for (uint16_t i = 0; i < 40; i++) {
    EXPECT_FALSE(queue_->pop()->has_value());
    EXPECT_EQ(rings_.wanted_entry(), i);
    rings_.make_available(0);
    queue_->push(pop(), 0);
  }
  EXPECT_EQ(rings_.wanted_entry(), 39) << "not before it has come to the end";
}

TEST_F(VirtqueueTest, FollowsIndirectTablesLongerThanTheQueue) {
  start();
  std::vector<RawDescriptor> descriptors;
  for (uint16_t i = 0; i < 100; i++) descriptors.push_back({kData, 1, kNext, static_cast<uint16_t>(i + 1)});
  descriptors.back().flags = kWrite;
  table(kData, descriptors);
  rings_.set_descriptor(0, {kData, 1600, kIndirect, 0});
  rings_.make_available(0);
  EXPECT_EQ(pop().readable_bytes, 99u);
}

TEST_F(VirtqueueTest, RefusesIndirectTablesThatWereNotNegotiated) {
  start(false);
  rings_.set_descriptor(0, {kData, 16, kIndirect, 0});
  rings_.make_available(0);
  EXPECT_THAT(pop_error(), HasSubstr("indirect"));
}

TEST_F(VirtqueueTest, RefusesBadIndirectTables) {
  start();
  table(kData, {{kData, 16, kIndirect, 0}});
  const RawDescriptor bad[] = {
      {kData, 16, kIndirect, 0},                        // a table in a table
      {kData, 0, kIndirect, 0},                         // nothing
      {kData, 17, kIndirect, 0},                        // not whole descriptors
      {kData, 0xfffffff0, kIndirect, 0},                // 4 GiB
      {kData, 16, kIndirect | kNext, 1},                // with a successor
      {0x10, 16, kIndirect, 0},                         // not in memory
      {UINT64_MAX - 4, 16, kIndirect, 0},               // past the end of all addresses
  };
  uint16_t index = 0;
  for (const RawDescriptor& descriptor : bad) {
    rings_.set_descriptor(0, descriptor);
    rings_.make_available(0);
    EXPECT_NE(pop_error(), "none") << index;
    // As a driver would after a reset: the bad entry is the next one again.
    rings_.set_available_index(0);
    index++;
  }
}

TEST_F(VirtqueueTest, EndsLoops) {
  start();
  rings_.set_descriptor(0, {kData, 4, kNext, 1});
  rings_.set_descriptor(1, {kData, 4, kNext, 0});
  rings_.make_available(0);
  EXPECT_THAT(pop_error(), HasSubstr("no end"));
}

TEST_F(VirtqueueTest, EndsLoopsInIndirectTables) {
  start();
  table(kData, {{kData, 4, kNext, 1}, {kData, 4, kNext, 1}});
  rings_.set_descriptor(0, {kData, 32, kIndirect, 0});
  rings_.make_available(0);
  EXPECT_THAT(pop_error(), HasSubstr("no end"));
}

TEST_F(VirtqueueTest, RefusesIndicesOutsideTheQueue) {
  start();
  rings_.make_available(DriverQueue::kSize);
  EXPECT_THAT(pop_error(), HasSubstr("descriptor 16 of 16"));
  rings_.set_available_index(0);
  rings_.set_descriptor(0, {kData, 4, kNext, 999});
  rings_.make_available(0);
  EXPECT_THAT(pop_error(), HasSubstr("descriptor 999 of 16"));
}

TEST_F(VirtqueueTest, RefusesReadableBehindWritable) {
  start();
  rings_.set_descriptor(0, {kData, 4, kWrite | kNext, 1});
  rings_.set_descriptor(1, {kData, 4, 0, 0});
  rings_.make_available(0);
  EXPECT_THAT(pop_error(), HasSubstr("readable"));
}

TEST_F(VirtqueueTest, RefusesMoreThanTheQueueHolds) {
  start();
  rings_.set_available_index(DriverQueue::kSize + 1);
  EXPECT_THAT(pop_error(), HasSubstr("17 available"));
}

TEST_F(VirtqueueTest, RefusesBuffersMadeAvailableTwice) {
  start();
  rings_.set_descriptor(0, {kData, 4, 0, 0});
  for (int i = 0; i < DriverQueue::kSize; i++) {
    rings_.make_available(0);
    pop();
  }
  rings_.make_available(0);
  EXPECT_THAT(pop_error(), HasSubstr("in flight"));
}

TEST_F(VirtqueueTest, RefusesBadLayouts) {
  QueueMemory odd = rings_.layout();
  odd.size = 12;
  EXPECT_FALSE(Virtqueue::create(memory_, odd, 0, true));
  QueueMemory none = rings_.layout();
  none.size = 0;
  EXPECT_FALSE(Virtqueue::create(memory_, none, 0, true));
  QueueMemory small = rings_.layout();
  small.size = 32;
  EXPECT_FALSE(Virtqueue::create(memory_, small, 0, true));
  QueueMemory skewed = rings_.layout();
  skewed.used = memory_.find(FakeMemory::kLow + 0x2001, QueueMemory::used_bytes(16));
  EXPECT_FALSE(Virtqueue::create(memory_, skewed, 0, true));
}

TEST_F(VirtqueueTest, ReadsAndWritesAcrossSegmentsAndRefusesHoles) {
  Chain chain;
  chain.readable = {{kData, 3}, {FakeMemory::kHigh, 2}};
  chain.readable_bytes = 5;
  std::memcpy(memory_.at(kData), "abc", 3);
  std::memcpy(memory_.at(FakeMemory::kHigh), "de", 2);
  auto bytes = read_chain(memory_, chain, 5);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(std::memcmp(bytes->data(), "abcde", 5), 0);
  EXPECT_FALSE(read_chain(memory_, chain, 4));

  // The second segment begins in memory and ends in the hole behind it.
  chain.readable = {{FakeMemory::kHigh + FakeMemory::kHighBytes - 2, 5}};
  EXPECT_FALSE(read_chain(memory_, chain, 5));

  chain.writable = {{kData, 2}, {FakeMemory::kHigh, 10}};
  EXPECT_TRUE(write_chain(memory_, chain, std::as_bytes(std::span("wxyz", 4))));
  EXPECT_EQ(std::memcmp(memory_.at(kData), "wxc", 3), 0);
  EXPECT_EQ(std::memcmp(memory_.at(FakeMemory::kHigh), "yz", 2), 0);
  chain.writable = {{0x10, 4}};
  EXPECT_FALSE(write_chain(memory_, chain, std::as_bytes(std::span("wxyz", 4))));
}

}  // namespace
}  // namespace pvgpu::virtio_gpu
