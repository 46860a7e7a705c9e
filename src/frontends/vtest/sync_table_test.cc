#include "frontends/vtest/sync_table.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <thread>

#include "platform/process.h"

namespace pvgpu::frontends::vtest {
namespace {

using venus::PoisonReason;

bool readable(const platform::UniqueFd& fd, int timeout_ms = 0) {
  pollfd entry{fd.get(), POLLIN, 0};
  return ::poll(&entry, 1, timeout_ms) == 1;
}

platform::UniqueFd wait_on(SyncTable& table, bool any, std::vector<SyncPoint> points,
                           uint32_t timeout_ms = kWaitForever) {
  auto fd = table.wait({any, timeout_ms, std::move(points)});
  EXPECT_TRUE(fd.has_value());
  return fd ? std::move(*fd) : platform::UniqueFd();
}

TEST(SyncTable, CountersAreReadAndWritten) {
  SyncTable table;
  uint32_t first = table.create(5).value();
  uint32_t second = table.create(0).value();
  EXPECT_NE(first, second);
  EXPECT_GT(first, 0u);
  EXPECT_EQ(table.read(first).value(), 5u);
  ASSERT_TRUE(table.write({first, uint64_t{1} << 40}).has_value());
  EXPECT_EQ(table.read(first).value(), uint64_t{1} << 40);
  ASSERT_TRUE(table.write({first, 1}).has_value());  // a reset
  EXPECT_EQ(table.read(first).value(), 1u);
  EXPECT_EQ(table.read(second).value(), 0u);
}

TEST(SyncTable, UnknownIdsAreMistakes) {
  SyncTable table;
  uint32_t id = table.create(0).value();
  ASSERT_TRUE(table.unref(id).has_value());
  EXPECT_EQ(table.unref(id).error().reason, PoisonReason::kBadMessage);
  EXPECT_EQ(table.read(id).error().reason, PoisonReason::kBadMessage);
  EXPECT_EQ(table.write({id, 1}).error().reason, PoisonReason::kBadMessage);
  EXPECT_EQ(table.wait({false, 0, {{id, 1}}}).error().reason, PoisonReason::kBadMessage);
  const SyncPoint point{id, 1};
  EXPECT_EQ(table.resolve(std::span(&point, 1)).error().reason, PoisonReason::kBadMessage);
  EXPECT_NE(table.create(0).value(), id);  // ids are not used twice
}

TEST(SyncTable, WaitForAllNeedsAll) {
  SyncTable table;
  uint32_t a = table.create(0).value(), b = table.create(0).value();
  auto fd = wait_on(table, false, {{a, 1}, {b, 2}});
  EXPECT_FALSE(readable(fd));
  ASSERT_TRUE(table.write({a, 1}).has_value());
  ASSERT_TRUE(table.write({b, 1}).has_value());
  EXPECT_FALSE(readable(fd));
  ASSERT_TRUE(table.write({b, 3}).has_value());
  EXPECT_TRUE(readable(fd));
}

TEST(SyncTable, WaitForAnyNeedsOne) {
  SyncTable table;
  uint32_t a = table.create(0).value(), b = table.create(0).value();
  auto fd = wait_on(table, true, {{a, 1}, {b, 2}});
  EXPECT_FALSE(readable(fd));
  ASSERT_TRUE(table.write({b, 2}).has_value());
  EXPECT_TRUE(readable(fd));
}

TEST(SyncTable, WhatIsReachedAlreadyIsReadableAtOnceEvenWithoutTimeout) {
  SyncTable table;
  uint32_t a = table.create(7).value();
  EXPECT_TRUE(readable(wait_on(table, false, {{a, 7}}, 0)));
  EXPECT_FALSE(readable(wait_on(table, false, {{a, 8}}, 0)));
  EXPECT_TRUE(readable(wait_on(table, false, {})));
}

TEST(SyncTable, FencesRaiseCountersAndNeverLowerThem) {
  SyncTable table;
  uint32_t a = table.create(0).value();
  const SyncPoint early{a, 1}, late{a, 2};
  auto first = table.resolve(std::span(&early, 1)).value();
  auto second = table.resolve(std::span(&late, 1)).value();
  table.signal(second);
  table.signal(first);
  EXPECT_EQ(table.read(a).value(), 2u);
}

TEST(SyncTable, AFenceOfADroppedCounterStillEndsItsWait) {
  SyncTable table;
  uint32_t a = table.create(0).value();
  const SyncPoint point{a, 1};
  auto targets = table.resolve(std::span(&point, 1)).value();
  auto fd = wait_on(table, false, {point});
  ASSERT_TRUE(table.unref(a).has_value());
  EXPECT_FALSE(readable(fd));
  table.signal(targets);
  EXPECT_TRUE(readable(fd));
}

TEST(SyncTable, AFenceRetiringOnAnotherThreadWakesTheWaiter) {
  SyncTable table;
  for (int round = 0; round < 200; round++) {
    uint32_t id = table.create(0).value();
    const SyncPoint point{id, 1};
    std::thread retires(
        [&, targets = table.resolve(std::span(&point, 1)).value()] { table.signal(targets); });
    auto fd = wait_on(table, false, {point});
    EXPECT_TRUE(readable(fd, 60000));
    retires.join();
    ASSERT_TRUE(table.unref(id).has_value());
  }
}

TEST(SyncTable, AbandonedWaitsAreForgottenAtTheirTimeout) {
  SyncTable table;
  uint32_t id = table.create(0).value();
  size_t before = platform::current_usage().descriptors;
  // Far more than may be pending; each has run out before the next few are made.
  for (size_t i = 0; i < 3 * SyncTable::kMaxPendingWaits; i++) {
    auto fd = table.wait({false, 0, {{id, 1}}});
    while (!fd.has_value()) fd = table.wait({false, 0, {{id, 1}}});  // same clock tick
  }
  EXPECT_LT(platform::current_usage().descriptors, before + SyncTable::kMaxPendingWaits);
}

TEST(SyncTable, WaitsAndSyncsAreLimited) {
  SyncTable table;
  uint32_t id = table.create(0).value();
  std::optional<venus::Poison> poison;
  size_t made = 0;
  for (; made <= SyncTable::kMaxPendingWaits && !poison; made++) {
    auto fd = table.wait({false, kWaitForever, {{id, 1}}});
    if (!fd) poison = fd.error();
  }
  ASSERT_TRUE(poison.has_value());
  EXPECT_EQ(poison->reason, PoisonReason::kLimitExceeded);
  for (size_t i = 1; i < SyncTable::kMaxSyncs; i++) ASSERT_TRUE(table.create(0).has_value());
  EXPECT_EQ(table.create(0).error().reason, PoisonReason::kLimitExceeded);
}

}  // namespace
}  // namespace pvgpu::frontends::vtest
