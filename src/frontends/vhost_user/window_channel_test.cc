#include "frontends/vhost_user/window_channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/shared_memory.h"
#include "platform/unix_socket.h"

namespace pvgpu::frontends::vhost_user {
namespace {

using ::testing::ElementsAre;

class WindowChannelTest : public ::testing::Test {
 protected:
  void open(bool replies = true, bool shared_objects = false) {
    auto pair = platform::socket_pair();
    frontend_.emplace(std::move(pair->first));
    window_.open(std::move(pair->second), replies, shared_objects);
  }
  WindowChannel::Done note(int number) {
    return [this, number](bool success) { done_.push_back(success ? number : -number); };
  }
  // Has the loop read what is there.
  void turn() {
    loop_->post([this] { loop_->post([this] { loop_->stop(); }); });
    loop_->run();
  }
  Message next() { return std::move(**frontend_->receive()); }
  void answer(uint64_t code) {
    const MessageHeader header{9, kVersion | kFlagReply, sizeof code};
    ASSERT_TRUE(frontend_->send(header, std::as_bytes(std::span(&code, 1))));
  }

  std::unique_ptr<platform::EventLoop> loop_ = *platform::EventLoop::create();
  WindowChannel window_{*loop_};
  std::optional<Channel> frontend_;
  std::vector<int> done_;
  platform::SharedMemory blob_ = *platform::SharedMemory::create(4096, "blob");
};

TEST_F(WindowChannelTest, PairsAnswersInOrder) {
  open();
  window_.map(1, 0, 4096, blob_.fd().get(), 0, note(1));
  window_.map(1, 4096, 4096, blob_.fd().get(), 0, note(2));
  window_.unmap(1, 0, 4096, note(3));
  answer(0);
  answer(1);
  answer(0);
  turn();
  turn();
  turn();
  EXPECT_THAT(done_, ElementsAre(1, -2, 3));
}

TEST_F(WindowChannelTest, AMappingIsThereWhenTheFrontendHasSeenTheNextRequest) {
  open(true, true);
  for (const bool mapped : {true, false}) {
    done_.clear();
    window_.map(1, 0, 4096, blob_.fd().get(), 0, note(1));
    EXPECT_EQ(next().header.request, 9u);
    const Message confirmation = next();
    EXPECT_EQ(confirmation.header.request, 7u);
    EXPECT_EQ(confirmation.payload, std::vector<std::byte>(16));
    answer(mapped ? 0 : 1);
    turn();
    EXPECT_TRUE(done_.empty());
    answer(1);  // there is no such object
    turn();
    EXPECT_THAT(done_, ElementsAre(mapped ? 1 : -1));
  }
}

TEST_F(WindowChannelTest, HasFewOnTheirWayAndLosesNone) {
  open();
  // More than a socket's buffer would hold.
  std::vector<int> expected;
  for (int i = 1; i <= 3000; i++) {
    window_.unmap(1, 4096 * static_cast<uint64_t>(i), 4096, note(i));
    expected.push_back(i);
  }
  for (int i = 1; i <= 3000; i++) {
    next();
    answer(0);
    if (i % 16 == 0)
      for (int turns = 0; turns < 16; turns++) turn();
  }
  while (done_.size() < 3000) turn();
  EXPECT_EQ(done_, expected);
}

TEST_F(WindowChannelTest, WithoutRepliesSendingIsSuccess) {
  open(false);
  window_.map(1, 0, 4096, blob_.fd().get(), 0, note(1));
  EXPECT_THAT(done_, ElementsAre(1));
  EXPECT_EQ(next().header.flags & kFlagNeedReply, 0u);
}

TEST_F(WindowChannelTest, WithoutAChannelEverythingFails) {
  window_.map(1, 0, 4096, blob_.fd().get(), 0, note(1));
  EXPECT_THAT(done_, ElementsAre(-1));
}

TEST_F(WindowChannelTest, WhatWaitsFailsWhenTheFrontendGoes) {
  open();
  window_.map(1, 0, 4096, blob_.fd().get(), 0, note(1));
  window_.unmap(1, 0, 4096, note(2));
  frontend_.reset();
  turn();
  EXPECT_THAT(done_, ElementsAre(-1, -2));
}

TEST_F(WindowChannelTest, AnswersToNothingCloseIt) {
  open();
  answer(0);
  turn();
  window_.map(1, 0, 4096, blob_.fd().get(), 0, note(1));
  EXPECT_THAT(done_, ElementsAre(-1));
}

TEST_F(WindowChannelTest, KnowsTheFilesThatAreMapped) {
  open();
  auto other = *platform::SharedMemory::create(4096, "other");
  window_.map(1, 0, 4096, blob_.fd().get(), 0, note(1));
  platform::UniqueFd copy = blob_.fd().duplicate();
  EXPECT_TRUE(window_.is_mapped(copy.get()));
  EXPECT_FALSE(window_.is_mapped(other.fd().get()));
  window_.unmap(1, 0, 4096, note(2));
  EXPECT_FALSE(window_.is_mapped(copy.get()));
}

}  // namespace
}  // namespace pvgpu::frontends::vhost_user
