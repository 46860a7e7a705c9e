#include "platform/arrival_spot.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <thread>
#include <tuple>

#include "platform/testing/ping_pong.h"
#include "platform/unix_socket.h"

namespace pvgpu::platform {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

// Long enough that only a lost wake-up can reach it.
constexpr auto kDeadline = seconds(60);

struct Sockets {
  Sockets() {
    std::tie(guest, host) = socket_pair().value();
  }
  void send() const { EXPECT_EQ(::write(guest.get(), "x", 1), 1); }
  UniqueFd guest, host;
};

Clock::duration time_to_park(ArrivalSpot& spot, std::chrono::nanoseconds timeout) {
  const auto start = Clock::now();
  EXPECT_FALSE(spot.park(spot.prepare(), timeout));
  return Clock::now() - start;
}

TEST(ArrivalSpot, TimesOut) {
  const Sockets sockets;
  for (int descriptor : {-1, sockets.host.get()}) {
    ArrivalSpot spot(descriptor);
    EXPECT_GE(time_to_park(spot, milliseconds(5)), milliseconds(5));
  }
}

TEST(ArrivalSpot, UnparkBetweenPrepareAndParkIsNotLost) {
  const Sockets sockets;
  for (int descriptor : {-1, sockets.host.get()}) {
    ArrivalSpot spot(descriptor);
    const uint32_t ticket = spot.prepare();
    spot.unpark();
    EXPECT_TRUE(spot.park(ticket, kDeadline));
  }
}

TEST(ArrivalSpot, AnArrivalWakesOnceAndIsLeftToItsReader) {
  const Sockets sockets;
  ArrivalSpot spot(sockets.host.get());
  if (!spot.watches()) GTEST_SKIP() << "this system does not tell what has come anew";
  std::thread guest([&] { sockets.send(); });
  EXPECT_LT(time_to_park(spot, kDeadline), kDeadline);
  guest.join();
  // Nobody has read it, and still the next sleep is one.
  EXPECT_GE(time_to_park(spot, milliseconds(5)), milliseconds(5));
  sockets.send();
  EXPECT_LT(time_to_park(spot, kDeadline), kDeadline);
  std::array<char, 8> bytes;
  EXPECT_EQ(::read(sockets.host.get(), bytes.data(), bytes.size()), 2);
}

TEST(ArrivalSpot, NoWakeUpIsLostBetweenTwoThreads) {
  const Sockets sockets;
  ArrivalSpot ping(sockets.host.get()), pong(sockets.host.get());
  EXPECT_TRUE(testing::take_turns(ping, pong, 20'000, kDeadline));
}

TEST(ArrivalSpot, DataWrittenBeforeUnparkIsSeenAfterPark) {
  const Sockets sockets;
  ArrivalSpot spot(sockets.host.get());
  for (int round = 1; round <= 1000; round++) {
    int data = 0;  // no atomic: the thread sanitizer checks that the spot alone orders it
    const uint32_t ticket = spot.prepare();
    std::thread waker([&] {
      data = round;
      spot.unpark();
    });
    while (spot.prepare() == ticket) spot.park(ticket, kDeadline);
    ASSERT_EQ(data, round);
    waker.join();
  }
}

}  // namespace
}  // namespace pvgpu::platform
