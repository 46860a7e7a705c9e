#include "platform/packet_socket.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "platform/event.h"

namespace pvgpu::platform {
namespace {

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

class PacketSocketTest : public testing::Test {
 protected:
  // "gone" at the end; "error" with errno set.
  std::string receive(size_t room = kMaxPacket) {
    std::vector<std::byte> buffer(room);
    auto packet = receive_packet(second_.get(), buffer);
    if (!packet) return "error";
    descriptor_ = std::move(packet->descriptor);
    return packet->size == 0 ? "gone" : std::string(reinterpret_cast<const char*>(buffer.data()), packet->size);
  }
  bool send(std::string_view head, std::string_view tail = {}, int descriptor = -1, Blocking blocking = Blocking::kYes) {
    return send_packet(first_.get(), bytes(head), bytes(tail), descriptor, blocking);
  }

  std::pair<UniqueFd, UniqueFd> pair_ = packet_socket_pair().value();
  UniqueFd& first_ = pair_.first;
  UniqueFd& second_ = pair_.second;
  UniqueFd descriptor_;
};

TEST_F(PacketSocketTest, KeepsMessagesApart) {
  ASSERT_TRUE(send("one"));
  ASSERT_TRUE(send("t", "wo"));
  ASSERT_TRUE(send("three", {}, -1, Blocking::kNo));
  EXPECT_EQ(receive(), "one");
  EXPECT_EQ(receive(), "two");
  EXPECT_EQ(receive(), "three");
}

TEST_F(PacketSocketTest, EachDescriptorComesWithItsMessage) {
  auto event = *Event::create();
  ASSERT_TRUE(send("none"));
  ASSERT_TRUE(send("with", "one", event.fd().get()));
  ASSERT_TRUE(send("none again"));
  EXPECT_EQ(receive(), "none");
  EXPECT_FALSE(descriptor_.valid());
  EXPECT_EQ(receive(), "withone");
  ASSERT_TRUE(descriptor_.valid());
  UniqueFd copy = std::move(descriptor_);
  EXPECT_EQ(receive(), "none again");
  EXPECT_FALSE(descriptor_.valid());
  event.set();
  pollfd entry{copy.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&entry, 1, 60000), 1);
}

TEST_F(PacketSocketTest, WhatWasSentIsReadBeforeTheEnd) {
  ASSERT_TRUE(send("last"));
  ASSERT_TRUE(send_packet(second_.get(), bytes("never read"), {}, -1, Blocking::kYes));
  first_.reset();
  EXPECT_EQ(receive(), "last");
  EXPECT_EQ(receive(), "gone");
  EXPECT_FALSE(send_packet(second_.get(), bytes("nobody"), {}, -1, Blocking::kYes));
}

TEST_F(PacketSocketTest, AMessageLongerThanTheRoomIsAnErrorAndTheNextIsNot) {
  ASSERT_TRUE(send(std::string(3000, 'x')));
  ASSERT_TRUE(send("next"));
  EXPECT_EQ(receive(100), "error");
  EXPECT_EQ(errno, EMSGSIZE);
  EXPECT_EQ(receive(100), "next");
}

TEST_F(PacketSocketTest, AFullSocketIsToldAndLosesNothing) {
  const std::string text(1000, 'y');
  int sent = 0;
  while (send(text, {}, -1, Blocking::kNo)) ASSERT_LT(++sent, 1'000'000);
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_GE(sent, 64);  // what a virtual machine's process may have sent without an answer
  for (int i = 0; i < sent; i++) ASSERT_EQ(receive(), text);
  ASSERT_TRUE(send("more", {}, -1, Blocking::kNo));
  EXPECT_EQ(receive(), "more");
}

TEST_F(PacketSocketTest, ManyThreadsSendWholeMessages) {
  constexpr int kThreads = 4, kMessages = 500;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; thread++) {
    threads.emplace_back([&, thread] {
      const std::string text(1000, static_cast<char>('a' + thread));
      for (int i = 0; i < kMessages; i++) EXPECT_TRUE(send(text));
    });
  }
  std::map<std::string, int> seen;
  for (int i = 0; i < kThreads * kMessages; i++) seen[receive()]++;
  for (auto& thread : threads) thread.join();
  ASSERT_EQ(seen.size(), static_cast<size_t>(kThreads));
  for (const auto& [text, count] : seen) EXPECT_EQ(count, kMessages) << text[0];
}

}  // namespace
}  // namespace pvgpu::platform
