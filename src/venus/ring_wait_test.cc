#include "venus/ring_wait.h"

#include <gtest/gtest.h>

namespace pvgpu::venus {
namespace {

using namespace std::chrono_literals;
using Action = RingWait::Action;

TEST(RingWait, GoesFromSpinningToIdle) {
  const RingWait wait(5ms, 4);
  EXPECT_EQ(wait.next(0ns), Action::kSpin);
  EXPECT_EQ(wait.next(1us), Action::kSpin);
  EXPECT_EQ(wait.next(50us), Action::kYield);
  EXPECT_EQ(wait.next(2ms), Action::kNap);
  EXPECT_EQ(wait.next(5ms), Action::kIdle);
  EXPECT_EQ(wait.next(1h), Action::kIdle);
}

TEST(RingWait, NeverGoesBackWhileNothingComes) {
  for (const auto timeout : {0ms, 1ms, 5ms, 50ms}) {
    for (const unsigned processors : {1u, 2u, 64u}) {
      const RingWait wait(timeout, processors);
      Action last = Action::kSpin;
      for (auto waited = 0ns; waited < 100ms; waited += 700ns) {
        EXPECT_GE(wait.next(waited), last);
        last = wait.next(waited);
      }
      EXPECT_EQ(last, Action::kIdle);
    }
  }
}

// Guests do not notify twice within their idle timeout: announcing IDLE sooner would lose a
// wake-up.
TEST(RingWait, IsNotIdleBeforeTheGuestsTimeout) {
  for (const auto timeout : {1ms, 5ms, 50ms}) {
    const RingWait wait(timeout, 2);
    for (auto waited = 0ns; waited < timeout; waited += 1us)
      ASSERT_NE(wait.next(waited), Action::kIdle);
  }
}

TEST(RingWait, LeavesTheProcessorToOthersOnceTheyWereSeen) {
  RingWait wait(1ms, 4);
  wait.yielded(1us);
  EXPECT_EQ(wait.next(50us), Action::kYield);
  wait.yielded(1ms);
  EXPECT_EQ(wait.next(50us), Action::kNap);
}

TEST(RingWait, DoesNotSpinWhereOthersNeedTheProcessor) {
  for (const unsigned processors : {1u, 2u}) EXPECT_EQ(RingWait(1ms, processors).next(0ns), Action::kYield);
  EXPECT_EQ(RingWait(1ms, 3).next(0ns), Action::kSpin);
}

TEST(RingWait, NapsStayShort) {
  for (auto waited = 0ns; waited < 100ms; waited += 10us) {
    EXPECT_GE(RingWait::nap(waited), 1us);
    EXPECT_LE(RingWait::nap(waited), 100us);
  }
}

TEST(RingWait, SleepsLongerEachTimeAndNeverForGood) {
  auto last = 0ns;
  for (uint32_t round = 0; round < 10; ++round) {
    EXPECT_GE(RingWait::idle_sleep(round), last);
    last = RingWait::idle_sleep(round);
    EXPECT_LE(last, 1s);
  }
  EXPECT_GE(RingWait::idle_sleep(1000), 500ms);  // quiet when nobody is there
}

}  // namespace
}  // namespace pvgpu::venus
