#include "venus/object_table.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <thread>

#include "venus/device.h"

namespace pvgpu::venus {
namespace {

TEST(ObjectTable, FindsWhatWasInserted) {
  ObjectTable table;
  const auto inserted = table.insert(17, VK_OBJECT_TYPE_BUFFER, 0xabc, nullptr);
  ASSERT_TRUE(inserted);
  Object* object = table.find(17);
  ASSERT_EQ(object, *inserted);
  EXPECT_EQ(object->type, VK_OBJECT_TYPE_BUFFER);
  EXPECT_EQ(object->handle, 0xabcu);
  for (uint64_t other :
       {uint64_t{16}, uint64_t{18}, uint64_t{17 + 512}, uint64_t{17} + (uint64_t{1} << 25)})
    EXPECT_EQ(table.find(other), nullptr) << other;
}

TEST(ObjectTable, ErasesAndReusesIds) {
  ObjectTable table;
  Object* object = *table.insert(5, VK_OBJECT_TYPE_IMAGE, 1, nullptr);
  table.erase(object);
  EXPECT_EQ(table.find(5), nullptr);
  table.erase(object);  // a racing guest erases twice
  ASSERT_TRUE(table.insert(5, VK_OBJECT_TYPE_FENCE, 2, nullptr));
  EXPECT_EQ(table.find(5)->type, VK_OBJECT_TYPE_FENCE);
}

TEST(ObjectTable, KnowsWhatAnObjectIs) {
  ObjectTable table;
  Device device;
  device.number = 3;
  const Object& buffer = **table.insert(1, VK_OBJECT_TYPE_BUFFER, 1, &device);
  const Object& failed = **table.insert(2, VK_OBJECT_TYPE_BUFFER, 0, &device);
  const Object& instance = **table.insert(3, VK_OBJECT_TYPE_INSTANCE, 1, nullptr);
  EXPECT_TRUE(buffer.is(VK_OBJECT_TYPE_BUFFER, 3));
  EXPECT_FALSE(buffer.is(VK_OBJECT_TYPE_IMAGE, 3));
  EXPECT_FALSE(buffer.is(VK_OBJECT_TYPE_BUFFER, 2)) << "another device's";
  EXPECT_FALSE(failed.is(VK_OBJECT_TYPE_BUFFER, 3));
  EXPECT_TRUE(instance.is(VK_OBJECT_TYPE_INSTANCE, 0));
  EXPECT_TRUE(buffer.is_still(1, VK_OBJECT_TYPE_BUFFER));
  EXPECT_FALSE(failed.is_still(2, VK_OBJECT_TYPE_BUFFER));
  EXPECT_FALSE(Object().is_still(0, VK_OBJECT_TYPE_UNKNOWN));
}

TEST(ObjectTable, AGoneObjectIsNothing) {
  ObjectTable table;
  Device device;
  device.number = 1;
  Object* object = *table.insert(1, VK_OBJECT_TYPE_COMMAND_BUFFER, 1, &device);
  ASSERT_TRUE(table.insert(2, VK_OBJECT_TYPE_BUFFER, 2, &device));  // keeps the page
  table.erase(object);
  EXPECT_FALSE(object->is_still(1, VK_OBJECT_TYPE_COMMAND_BUFFER));
  EXPECT_FALSE(object->is_still(0, VK_OBJECT_TYPE_COMMAND_BUFFER)) << "the free slot's id";
}

// A free slot's id is 0, and so is that of every slot that was never used.
TEST(ObjectTable, TakesNoFreeSlotForTheObjectZero) {
  ObjectTable table;
  Object* erased = *table.insert(1, VK_OBJECT_TYPE_BUFFER, 1, nullptr);
  ASSERT_TRUE(table.insert(2, VK_OBJECT_TYPE_BUFFER, 2, nullptr));  // keeps the page
  EXPECT_EQ(table.find(0), nullptr);
  table.erase(erased);
  EXPECT_EQ(table.find(0), nullptr);
  EXPECT_EQ(table.find(1), nullptr);
}

TEST(ObjectTable, RefusesIdsThatNoGuestChooses) {
  ObjectTable table;
  for (uint64_t id :
       {uint64_t{0}, ObjectTable::kIdLimit, ObjectTable::kIdLimit + 1, ~uint64_t{0}}) {
    const auto inserted = table.insert(id, VK_OBJECT_TYPE_BUFFER, 1, nullptr);
    ASSERT_FALSE(inserted) << id;
    EXPECT_EQ(inserted.error(), PoisonReason::kBadObjectId);
    EXPECT_EQ(table.find(id), nullptr);
  }
  EXPECT_TRUE(table.insert(ObjectTable::kIdLimit - 1, VK_OBJECT_TYPE_BUFFER, 1, nullptr));
  EXPECT_NE(table.find(ObjectTable::kIdLimit - 1), nullptr);
}

TEST(ObjectTable, RefusesDuplicates) {
  ObjectTable table;
  ASSERT_TRUE(table.insert(9, VK_OBJECT_TYPE_BUFFER, 1, nullptr));
  const auto again = table.insert(9, VK_OBJECT_TYPE_IMAGE, 2, nullptr);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error(), PoisonReason::kDuplicateObject);
  EXPECT_EQ(table.find(9)->handle, 1u);
}

// A guest counts its ids up for ever; memory must follow what is alive.
TEST(ObjectTable, AMillionObjectsOneAfterAnotherTakeConstantMemory) {
  ObjectTable table;
  std::vector<Object*> living;
  for (uint64_t id = 1; id <= 1'000'000; ++id) {
    living.push_back(*table.insert(id, VK_OBJECT_TYPE_BUFFER, id, nullptr));
    if (living.size() < 100) continue;
    table.erase(living.front());
    living.erase(living.begin());
  }
  EXPECT_LE(table.page_count(), 3u);
}

TEST(ObjectTable, VisitsEveryObject) {
  ObjectTable table;
  std::set<uint64_t> expected;
  for (uint64_t id : {1ull, 2ull, 511ull, 512ull, 513ull, 100000ull, 50000000ull}) {
    ASSERT_TRUE(table.insert(id, VK_OBJECT_TYPE_BUFFER, id, nullptr));
    expected.insert(id);
  }
  table.erase(table.find(512));
  expected.erase(512);
  std::set<uint64_t> seen;
  table.for_each([&](Object& object) { seen.insert(object.handle); });
  EXPECT_EQ(seen, expected);
}

// Several rings create, use and destroy at once, each its own ids, on pages that they share and
// that die and are used again meanwhile. Run under the thread sanitizer.
TEST(ObjectTable, SharesPagesAmongThreads) {
  ObjectTable table;
  constexpr uint64_t kThreads = 4;
  const auto work = [&](uint64_t thread) {
    std::mt19937_64 random(thread);
    std::vector<uint64_t> mine;
    uint64_t next = thread + 1;  // ids of all threads interleave
    for (int step = 0; step < 20000; ++step) {
      if (mine.size() < 40 && random() % 2) {
        // Skipping ahead now and then leaves pages behind.
        next += kThreads * (random() % 16 == 0 ? 128 : 1);
        const auto inserted = table.insert(next, VK_OBJECT_TYPE_BUFFER, next * 3, nullptr);
        ASSERT_TRUE(inserted);
        mine.push_back(next);
      } else if (!mine.empty()) {
        const size_t at = random() % mine.size();
        Object* object = table.find(mine[at]);
        ASSERT_NE(object, nullptr) << mine[at];
        ASSERT_EQ(object->handle, mine[at] * 3);
        if (random() % 2) {
          table.erase(object);
          ASSERT_EQ(table.find(mine[at]), nullptr);
          mine[at] = mine.back();
          mine.pop_back();
        }
      }
    }
    for (uint64_t id : mine) table.erase(table.find(id));
  };
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < kThreads; ++t) threads.emplace_back(work, t);
  for (std::thread& thread : threads) thread.join();
  size_t left = 0;
  table.for_each([&](Object&) { ++left; });
  EXPECT_EQ(left, 0u);
  EXPECT_LT(table.page_count(), 400u);
}

// Two rings register the same id: one wins, the other is told.
TEST(ObjectTable, OneOfTwoInsertsOfAnIdWins) {
  ObjectTable table;
  for (uint64_t id = 1; id < 3000; ++id) {
    std::atomic<int> won{0};
    const auto insert = [&](uint64_t handle) {
      const auto inserted = table.insert(id, VK_OBJECT_TYPE_BUFFER, handle, nullptr);
      if (inserted) {
        ++won;
      } else {
        EXPECT_EQ(inserted.error(), PoisonReason::kDuplicateObject);
      }
    };
    if (id % 100 != 0) {  // a thread each is dear; most ids are filler that makes pages come and go
      table.erase(*table.insert(id, VK_OBJECT_TYPE_BUFFER, 1, nullptr));
      continue;
    }
    std::thread other(insert, 1);
    insert(2);
    other.join();
    EXPECT_EQ(won, 1);
    table.erase(table.find(id));
  }
}

}  // namespace
}  // namespace pvgpu::venus
