#include "platform/event_loop.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "platform/doorbell.h"

namespace pvgpu::platform {
namespace {

TEST(EventLoop, CallsWhatIsReadyUntilStopped) {
  auto loop = *EventLoop::create();
  Doorbell bell = *Doorbell::create();
  int calls = 0;
  ASSERT_TRUE(loop->watch(bell.fd().get(), [&] {
    answer_doorbell(bell.fd().get());
    if (++calls == 3) return loop->stop();
    ring_doorbell(bell.button().get());
  }));
  ring_doorbell(bell.button().get());
  loop->run();
  EXPECT_EQ(calls, 3);
}

TEST(EventLoop, WhatIsUnwatchedIsNotCalledEvenIfItWasReady) {
  auto loop = *EventLoop::create();
  Doorbell bells[2] = {*Doorbell::create(), *Doorbell::create()};
  int calls = 0;
  for (int i = 0; i < 2; i++) {
    ASSERT_TRUE(loop->watch(bells[i].fd().get(), [&, i] {
      calls++;
      loop->unwatch(bells[1 - i].fd().get());
      loop->unwatch(bells[i].fd().get());
      loop->post([&] { loop->stop(); });
    }));
    ring_doorbell(bells[i].button().get());
  }
  loop->run();
  EXPECT_EQ(calls, 1);
}

TEST(EventLoop, TakesPostsFromOtherThreadsInOrder) {
  auto loop = *EventLoop::create();
  std::vector<int> seen;
  std::thread other([&] {
    for (int i = 0; i < 1000; i++) loop->post([&seen, i] { seen.push_back(i); });
    loop->post([&] { loop->stop(); });
  });
  loop->run();
  other.join();
  ASSERT_EQ(seen.size(), 1000u);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

TEST(EventLoop, CallsTimersInTheirOrder) {
  using std::chrono::milliseconds;
  auto loop = *EventLoop::create();
  std::vector<int> seen;
  const auto start = std::chrono::steady_clock::now();
  loop->call_after(milliseconds(20), [&] { loop->stop(); });
  loop->call_after(milliseconds(10), [&] { seen.push_back(2); });
  loop->call_after(milliseconds(0), [&] {
    seen.push_back(1);
    loop->call_after(milliseconds(5), [&] { seen.push_back(3); });
  });
  loop->run();
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(20));
  ASSERT_FALSE(seen.empty());
  EXPECT_EQ(seen.front(), 1);
  EXPECT_EQ(seen.size(), 3u);
}

}  // namespace
}  // namespace pvgpu::platform
