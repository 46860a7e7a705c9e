#include "platform/parking.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "platform/testing/ping_pong.h"

namespace pvgpu::platform {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Long enough that only a lost wake-up can reach it.
constexpr auto kDeadline = seconds(60);

TEST(ParkingSpot, UnparkBetweenPrepareAndParkIsNotLost) {
  ParkingSpot spot;
  uint32_t ticket = spot.prepare();
  spot.unpark();
  EXPECT_TRUE(spot.park(ticket));
}

TEST(ParkingSpot, AnEarlierUnparkDoesNotCount) {
  ParkingSpot spot;
  spot.unpark();
  EXPECT_FALSE(spot.park(spot.prepare(), milliseconds(1)));
}

TEST(ParkingSpot, TimesOut) {
  ParkingSpot spot;
  auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(spot.park(spot.prepare(), milliseconds(5)));
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(5));
  EXPECT_FALSE(spot.park(spot.prepare(), milliseconds(0)));
}

TEST(ParkingSpot, NoWakeUpIsLostBetweenTwoThreads) {
  ParkingSpot ping, pong;
  EXPECT_TRUE(testing::take_turns(ping, pong, 20'000, kDeadline));
}

TEST(ParkingSpot, DataWrittenBeforeUnparkIsSeenAfterPark) {
  // `data` is no atomic: the thread sanitizer checks that the spot alone orders it.
  ParkingSpot spot;
  for (int round = 1; round <= 1000; round++) {
    int data = 0;
    uint32_t ticket = spot.prepare();
    std::thread waker([&] {
      data = round;
      spot.unpark();
    });
    ASSERT_TRUE(spot.park(ticket, kDeadline));
    ASSERT_EQ(data, round);
    waker.join();
  }
}

TEST(ParkingSpot, WakesAllSleepers) {
  ParkingSpot spot;
  uint32_t ticket = spot.prepare();
  std::atomic<int> woken{0};
  std::vector<std::thread> sleepers;
  for (int i = 0; i < 8; i++) {
    sleepers.emplace_back([&] { woken += spot.park(ticket, kDeadline) ? 1 : 0; });
  }
  spot.unpark();
  for (auto& sleeper : sleepers) sleeper.join();
  EXPECT_EQ(woken, 8);
}

}  // namespace
}  // namespace pvgpu::platform
