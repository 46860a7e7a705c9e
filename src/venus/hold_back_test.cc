#include "venus/hold_back.h"

#include <gtest/gtest.h>

namespace pvgpu::venus {
namespace {

using namespace std::chrono_literals;
using Clock = HoldBack::Clock;

// A guest as Mesa's: asks 15 times in a row and then sleeps before each question; within one it looks for `patience` and then sleeps.
struct Guest {
  explicit Guest(Clock::duration patience) : patience(patience) {}

  // Waits for a fence that is signalled after `takes`; returns how late it learns of it.
  Clock::duration wait(uint64_t fence, Clock::duration takes) {
    const auto signalled = now + takes;
    for (int asked = 1;; ++asked) {
      const auto asked_at = now;
      const auto held = hold_back.asked(fence, now);
      longest = std::max(longest, held);
      const bool arrives = now + held >= signalled;
      now = arrives ? std::max(now, signalled) : now + held;
      arrives ? hold_back.arrived() : hold_back.not_yet(now, true);
      if (now - asked_at > patience) {
        const auto wakes = asked_at + patience + kSleep;
        now = std::max(now, wakes);
        ++overslept;
      }
      now += 1us;
      if (arrives) return now - signalled;
      if (asked >= 15) now += kSleep;
      if (interrupted_every != 0 && ++questions % interrupted_every == 0) now += 500us;
    }
  }

  static constexpr Clock::duration kSleep = 230us;
  HoldBack hold_back{4};
  Clock::duration patience;
  Clock::time_point now{1h};
  Clock::duration longest{};
  int overslept = 0, questions = 0, interrupted_every = 0;
};

TEST(HoldBack, LearnsHowLongAGuestLooksForAnAnswer) {
  for (const auto patience : {20us, 40us, 100us}) {
    Guest guest(patience);
    for (int i = 0; i < 10'000; ++i) guest.wait(1 + i % 3, 10 * patience);
    // A quarter more is tried now and then, and costs two sleeps.
    EXPECT_LE(guest.overslept, 100) << patience;
    int late = 0;
    for (int i = 0; i < 1000; ++i) late += guest.wait(1 + i % 3, 10 * patience) > 10us;
    EXPECT_LE(late, 10) << patience;
  }
}

TEST(HoldBack, DoesNotKeepAGuestLongerThanItMay) {
  Guest guest(1h);
  for (int i = 0; i < 1000; ++i) guest.wait(1, 10ms);
  EXPECT_EQ(guest.longest, HoldBack::kMost);
}

TEST(HoldBack, KeepsWhoLooksForALittleAsBefore) {
  Guest guest(5us);  // less than what everyone is kept
  for (int i = 0; i < 1000; ++i) guest.wait(1, 200us);
  EXPECT_LE(guest.longest, HoldBack::kLeast * 5 / 4);
}

TEST(HoldBack, LearnsAgainWhenAGuestBecomesLessPatient) {
  Guest guest(100us);
  for (int i = 0; i < 1000; ++i) guest.wait(1, 1ms);
  guest.patience = 20us;
  for (int i = 0; i < 100; ++i) guest.wait(1, 1ms);
  guest.longest = 0us;
  for (int i = 0; i < 100; ++i) guest.wait(1, 1ms);
  EXPECT_LE(guest.longest, 20us * 5 / 4);
}

TEST(HoldBack, IsNotMisledByInterruptions) {
  Guest guest(40us);
  guest.interrupted_every = 50;
  for (int i = 0; i < 10'000; ++i) guest.wait(1, 400us);
  guest.longest = 0us;
  for (int i = 0; i < 10; ++i) guest.wait(1, 400us);
  EXPECT_GE(guest.longest, 25us);
}

// A program that looks in between whether it could go on is not kept from its work.
TEST(HoldBack, KeepsWhoDoesNotWaitForAMomentOnly) {
  Guest guest(100us);
  for (int i = 0; i < 1000; ++i) guest.wait(1, 1ms);
  ASSERT_GT(guest.longest, 60us);
  auto now = guest.now;
  HoldBack& hold_back = guest.hold_back;
  for (uint64_t i = 0; i < 1000; ++i) {  // many fences in turn
    const auto held = hold_back.asked(100 + i % 2, now);
    ASSERT_EQ(held, HoldBack::kLeast);
    hold_back.not_yet(now += held, true);
  }
  for (int i = 0; i < 1000; ++i) {  // work after each question
    const auto held = hold_back.asked(7, now);
    ASSERT_EQ(held, HoldBack::kLeast);
    hold_back.not_yet(now += held, true);
    now += 30us;
  }
}

// Once it sleeps between questions it does so until the fence has been signalled; what is held back then says nothing of its patience.
TEST(HoldBack, HoldsBackFromAGuestThatHasAskedForLong) {
  Guest guest(100us);
  for (int i = 0; i < 1000; ++i) guest.wait(1, 1ms);
  const auto before = guest.longest;
  for (int i = 0; i < 100; ++i) guest.wait(1, 20ms);
  EXPECT_EQ(guest.longest, before);
  EXPECT_EQ(guest.hold_back.asked(2, guest.now), HoldBack::kLeast);
}

}  // namespace
}  // namespace pvgpu::venus
