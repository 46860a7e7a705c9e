#include "platform/event_loop.h"

#include <gtest/gtest.h>

#include <thread>

#include "platform/doorbell.h"

namespace pvgpu::platform {
namespace {

TEST(EventLoop, CallsWhatIsReadyUntilStopped) {
  auto loop = *EventLoop::create();
  UniqueFd bell = *create_doorbell();
  int calls = 0;
  ASSERT_TRUE(loop->watch(bell.get(), [&] {
    answer_doorbell(bell.get());
    if (++calls == 3) return loop->stop();
    ring_doorbell(bell.get());
  }));
  ring_doorbell(bell.get());
  loop->run();
  EXPECT_EQ(calls, 3);
}

TEST(EventLoop, WhatIsUnwatchedIsNotCalledEvenIfItWasReady) {
  auto loop = *EventLoop::create();
  UniqueFd bells[2] = {*create_doorbell(), *create_doorbell()};
  int calls = 0;
  for (int i = 0; i < 2; i++) {
    ASSERT_TRUE(loop->watch(bells[i].get(), [&, i] {
      calls++;
      loop->unwatch(bells[1 - i].get());
      loop->unwatch(bells[i].get());
      loop->post([&] { loop->stop(); });
    }));
    ring_doorbell(bells[i].get());
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

}  // namespace
}  // namespace pvgpu::platform
