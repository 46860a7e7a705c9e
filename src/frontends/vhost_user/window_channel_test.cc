#include "frontends/vhost_user/window_channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <future>

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
  // The next request; the front-end reads it in a thread, as it needs the loop to get it whole.
  Message next() {
    auto message = std::async(std::launch::async, [this] { return std::move(**frontend_->receive()); });
    while (message.wait_for(std::chrono::seconds(0)) != std::future_status::ready) turn();
    return message.get();
  }
  // Whether something has reached the front-end.
  bool asks() {
    pollfd poll{frontend_->fd(), POLLIN, 0};
    return ::poll(&poll, 1, 0) == 1;
  }
  void answer(uint64_t code) {
    const MessageHeader header{9, kVersion | kFlagReply, sizeof code};
    ASSERT_TRUE(frontend_->send(header, std::as_bytes(std::span(&code, 1))));
  }

  std::unique_ptr<platform::EventLoop> loop_ = *platform::EventLoop::create();
  std::vector<int> done_;  // outlives the window, which answers what is open as it goes
  WindowChannel window_{*loop_};
  std::optional<Channel> frontend_;
  platform::SharedMemory blob_ = *platform::SharedMemory::create(4096, "blob");
};

TEST_F(WindowChannelTest, PairsAnswersInOrder) {
  open();
  window_.map(1, 0, 4096, blob_.fd().get(), 0, note(1));
  window_.map(1, 4096, 4096, blob_.fd().get(), 0, note(2));
  window_.unmap(1, 0, 4096, note(3));
  for (const uint64_t code : {0u, 1u, 0u}) {
    next();
    answer(code);
  }
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
  // Many more than may be unanswered.
  std::vector<int> expected;
  for (int i = 1; i <= 300; i++) {
    window_.unmap(1, 4096 * static_cast<uint64_t>(i), 4096, note(i));
    expected.push_back(i);
  }
  for (int i = 1; i <= 300; i++) {
    next();
    answer(0);
    if (i % 16 == 0)
      for (int turns = 0; turns < 16; turns++) turn();
  }
  while (done_.size() < 300) turn();
  EXPECT_EQ(done_, expected);
}

TEST_F(WindowChannelTest, ADeviceThatIsStoppedMeanwhileIsAskedNothing) {
  open();
  window_.map(1, 0x300, 4096, blob_.fd().get(), 0, note(1));
  for (int i = 0; i < 3; i++) turn();
  ASSERT_TRUE(asks());
  window_.pause();
  const Message withdrawn = next();
  EXPECT_GT(withdrawn.header.request, 1000u);
  EXPECT_EQ(withdrawn.header.flags, kVersion);
  EXPECT_TRUE(withdrawn.payload.empty());
  for (int i = 0; i < 3; i++) turn();
  EXPECT_FALSE(asks());
  window_.resume();
  const Message request = next();
  EXPECT_EQ(request.header.request, 9u);
  EXPECT_EQ(request.payload.size(), sizeof(ShmemMap));
  EXPECT_EQ(request.descriptors.size(), 1u);
  answer(0);
  turn();
  EXPECT_THAT(done_, ElementsAre(1));
}

// QEMU, which has read the beginning, waits for the rest and cannot stop the device meanwhile.
TEST_F(WindowChannelTest, ARequestIsSentWhenItsBeginningWasRead) {
  open();
  window_.unmap(1, 0x300, 4096, note(1));
  for (int i = 0; i < 3; i++) turn();
  std::byte bytes[64];
  EXPECT_EQ(::recv(frontend_->fd(), bytes, sizeof bytes, MSG_DONTWAIT), 1);
  while (!asks()) turn();
  EXPECT_EQ(::recv(frontend_->fd(), bytes, sizeof bytes, MSG_DONTWAIT), ssize_t{sizeof(MessageHeader) + sizeof(ShmemMap) - 1});
}

TEST_F(WindowChannelTest, WithoutRepliesSendingIsSuccess) {
  open(false);
  window_.map(1, 0, 4096, blob_.fd().get(), 0, note(1));
  EXPECT_EQ(next().header.flags & kFlagNeedReply, 0u);
  EXPECT_THAT(done_, ElementsAre(1));
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
