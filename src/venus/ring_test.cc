// Rings as a guest sees them: order, wrap-around, idling and waking, the order between streams,
// liveness, and the end.
#include "venus/ring.h"

#include <gmock/gmock.h>

#include <random>

#include "venus/testing/session.h"

namespace pvgpu::venus {
namespace {

using namespace testing;
using namespace protocol;

class Rings : public OnFakeDriver {};

uint32_t ask_version(GuestRing& ring) {
  uint32_t version = 0;
  const auto reply = ring.call(EnumerateInstanceVersionArgs{&version, VK_SUCCESS});
  return reply.failed ? 0 : *reply.args.pApiVersion;
}

TEST_F(Rings, AnswerCommands) {
  Session guest(Session::Stage::kNothing);
  EXPECT_EQ(ask_version(guest.ring()), uint32_t{VK_API_VERSION_1_4});
  EXPECT_EQ(guest.ring().head(), guest.ring().tail());
}

// A call is 36 + 16 bytes, so that in a ring of 64 every word of it is split somewhere, u64s
// included.
TEST_F(Rings, WrapAnywhere) {
  Session guest(Session::Stage::kNothing);
  for (const uint32_t size : {64u, 128u, 4096u}) {
    GuestRing ring(guest, size, {.buffer_size = size});
    for (int i = 0; i < 500; ++i) ASSERT_EQ(ask_version(ring), uint32_t{VK_API_VERSION_1_4}) << i;
  }
}

// The counters are free-running: they pass 2^32 and go on.
TEST_F(Rings, ExecuteManySmallCommandsOfOneSubmission) {
  Session guest;
  const VkFence fence = guest.create_fence();
  Bytes many;
  for (int i = 0; i < 1000; ++i)
    append(many, request_bytes(ResetFencesArgs{guest.device, 1, &fence, VK_SUCCESS}));
  ASSERT_TRUE(guest.ring().wait(guest.ring().write(many)));
  EXPECT_EQ(fake_driver::calls("vkResetFences"), 1000u);
}

TEST_F(Rings, FillUpAndGoOn) {
  Session guest;
  GuestRing ring(guest, 7, {.buffer_size = 256});
  const VkFence fence = guest.create_fence();
  ASSERT_TRUE(guest.ring().wait(guest.ring().tail()));
  uint32_t seqno = 0;
  for (int i = 0; i < 2000; ++i)
    seqno = ring.send(ResetFencesArgs{guest.device, 1, &fence, VK_SUCCESS});
  EXPECT_TRUE(ring.wait(seqno));
  EXPECT_EQ(fake_driver::calls("vkResetFences"), 2000u);
}

TEST_F(Rings, SayThatTheyIdleAndWakeUp) {
  Session guest(Session::Stage::kNothing);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(wait_until([&] { return guest.ring().status() & GuestRing::kIdle; })) << i;
    ASSERT_EQ(ask_version(guest.ring()), uint32_t{VK_API_VERSION_1_4}) << i;
  }
}

// The guest sends around the moment at which the ring goes to sleep. A lost wake-up would be found
// by the ring's bounded sleep alone, which grows to a second.
TEST_F(Rings, LoseNoWakeUp) {
  Session guest(Session::Stage::kNothing);
  std::mt19937_64 random(1);
  int late = 0;
  for (int i = 0; i < 400; ++i) {
    const auto until =
        std::chrono::steady_clock::now() + std::chrono::microseconds(900 + random() % 400);
    while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
    const auto start = std::chrono::steady_clock::now();
    ASSERT_EQ(ask_version(guest.ring()), uint32_t{VK_API_VERSION_1_4}) << i;
    late += std::chrono::steady_clock::now() - start > std::chrono::milliseconds(700);
  }
  EXPECT_LE(late, 2);  // a loaded machine may stall us now and then
}

TEST_F(Rings, WorkAtOnce) {
  Session guest;
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&guest, t] {
      GuestRing ring(guest, 100 + t, {.buffer_size = 16 << 10});
      for (uint64_t i = 0; i < 200; ++i) {
        const VkFenceCreateInfo info{VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
        auto fence = id<VkFence>(1000 + i * 4 + t);
        const auto created =
            ring.call(CreateFenceArgs{guest.device, &info, nullptr, &fence, VK_SUCCESS});
        ASSERT_EQ(created.args.ret, VK_SUCCESS);
        ASSERT_EQ(*created.args.pFence, fence);
        ASSERT_TRUE(ring.run(DestroyFenceArgs{guest.device, fence, nullptr}));
      }
      EXPECT_TRUE(guest.submit(DestroyRingMESAArgs{100 + t}));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(guest.context().poisoned());
}

// -- order between streams --

TEST_F(Rings, WaitForTheContextStream) {
  Session guest;
  const VkFence fence = guest.create_fence();
  for (uint64_t seqno = 1; seqno <= 100; ++seqno) {
    guest.ring().send(WaitVirtqueueSeqnoMESAArgs{seqno});
    const uint32_t after = guest.ring().send(ResetFencesArgs{guest.device, 1, &fence, VK_SUCCESS});
    EXPECT_EQ(fake_driver::calls("vkResetFences"), seqno - 1);
    ASSERT_TRUE(guest.submit(SubmitVirtqueueSeqnoMESAArgs{Session::kRing, seqno}));
    ASSERT_TRUE(guest.ring().wait(after));
    EXPECT_EQ(fake_driver::calls("vkResetFences"), seqno);
  }
}

TEST_F(Rings, MakeTheContextStreamWait) {
  Session guest;
  for (int i = 0; i < 100; ++i) {
    const VkDeviceMemory memory = guest.allocate(4096);
    // What Mesa does before it asks for the bytes of a memory that it has just allocated.
    ASSERT_TRUE(guest.submit(WaitRingSeqnoMESAArgs{Session::kRing, guest.ring().tail()}));
    const auto blob = guest.create_blob(4096, std::bit_cast<uint64_t>(memory));
    ASSERT_NE(blob, nullptr);
    guest.ring().send(FreeMemoryArgs{guest.device, memory, nullptr});
  }
}

TEST_F(Rings, WakeForTheContextStream) {
  Session guest;
  const VkFence fence = guest.create_fence();
  ASSERT_TRUE(guest.ring().wait(guest.ring().tail()));
  ASSERT_TRUE(wait_until([&] { return guest.ring().status() & GuestRing::kIdle; }));
  // As if the notification were queued behind the wait, on the same socket.
  const Bytes reset = request_bytes(ResetFencesArgs{guest.device, 1, &fence, VK_SUCCESS});
  const uint32_t tail = guest.ring().tail();
  for (size_t i = 0; i < reset.size(); ++i) guest.ring().blob()->data()[192 + tail + i] = reset[i];
  const uint32_t seqno = tail + static_cast<uint32_t>(reset.size());
  guest.ring().blob()->word(64).store(seqno);
  EXPECT_TRUE(guest.submit(WaitRingSeqnoMESAArgs{Session::kRing, seqno}));
  EXPECT_EQ(fake_driver::calls("vkResetFences"), 1u);
}

TEST_F(Rings, WriteTheExtraWord) {
  Session guest(Session::Stage::kNothing);
  ASSERT_TRUE(guest.submit(WriteRingExtraMESAArgs{Session::kRing, 0, 0x1234}));
  EXPECT_EQ(guest.ring().blob()->word(192 + (128 << 10)).load(), 0x1234u);
}

// -- liveness --

TEST_F(Rings, AreReportedAliveWhileACommandBlocks) {
  Session guest(Session::Stage::kNothing, {.monitor_period_us = 20'000});
  GuestRing second(guest, 7, {.monitor_period_us = 20'000});
  const uint32_t seqno = guest.ring().send(WaitVirtqueueSeqnoMESAArgs{1});  // blocks
  for (int i = 0; i < 10; ++i) {
    for (GuestRing* ring : {&guest.ring(), &second}) {
      ring->clear_status(GuestRing::kAlive);
      ASSERT_TRUE(wait_until([&] { return ring->status() & GuestRing::kAlive; })) << i;
    }
  }
  ASSERT_TRUE(guest.submit(SubmitVirtqueueSeqnoMESAArgs{Session::kRing, 1}));
  EXPECT_TRUE(guest.ring().wait(seqno));
}

TEST_F(Rings, AreNotReportedAliveUnlessAskedFor) {
  Session guest(Session::Stage::kNothing);
  for (int i = 0; i < 20; ++i) ask_version(guest.ring());
  EXPECT_EQ(guest.ring().status() & GuestRing::kAlive, 0u);
}

// -- the end --

// Mesa 25 destroys a ring without waiting and uses its memory for the next one at once.
TEST_F(Rings, GiveTheirMemoryBack) {
  Session guest(Session::Stage::kNothing);
  std::shared_ptr<Blob> blob = guest.create_blob(192 + 4096 + 4);
  for (uint64_t i = 0; i < 100; ++i) {
    GuestRing ring(guest, 7, {.buffer_size = 4096}, blob);
    ASSERT_EQ(ask_version(ring), uint32_t{VK_API_VERSION_1_4}) << i;
    if (i % 3 == 0) {
      ASSERT_TRUE(wait_until([&] { return ring.status() & GuestRing::kIdle; }));
    }
    ASSERT_TRUE(guest.submit(DestroyRingMESAArgs{7}));
    // Nobody may write there any more.
    std::memset(blob->data(), 0x5a, blob->size());
    ASSERT_EQ(ask_version(guest.ring()), uint32_t{VK_API_VERSION_1_4});
    ASSERT_TRUE(std::all_of(blob->data(), blob->data() + blob->size(), [](std::byte b) {
      return b == std::byte{0x5a};
    })) << i;
  }
}

TEST_F(Rings, KeepTheirMemoryWhenItsIdGoes) {
  Session guest(Session::Stage::kNothing);
  guest.context().unref_resource(guest.ring().blob()->id());
  guest.context().unref_resource(guest.ring().replies().id());
  EXPECT_EQ(ask_version(guest.ring()), 0u);  // the reply stream's id is gone
  EXPECT_EQ(guest.wait_for_poison().reason, PoisonReason::kUnknownResource);
}

TEST_F(Rings, EndWhileBusy) {
  for (int i = 0; i < 30; ++i) {
    Session guest;
    const VkFence fence = guest.create_fence();
    for (int n = 0; n < 50 * (i % 4); ++n)
      guest.ring().send(ResetFencesArgs{guest.device, 1, &fence, VK_SUCCESS});
    if (i % 2) {
      EXPECT_TRUE(guest.submit(DestroyRingMESAArgs{Session::kRing}));
    }
  }
}

TEST_F(Rings, EndWhileTheyWaitForTheContextStream) {
  Session guest(Session::Stage::kNothing);
  guest.ring().send(WaitVirtqueueSeqnoMESAArgs{1});
  guest.close();
}

TEST_F(Rings, EndWhileTheyWaitForWorkThatNeverEnds) {
  for (const bool poisoned : {false, true}) {
    Session guest;
    const VkFence fence = guest.create_fence();
    const uint64_t before = fake_driver::calls("vkWaitForFences");
    guest.ring().send(
        WaitForFencesArgs{guest.device, 1, &fence, VK_TRUE, ~uint64_t{0}, VK_SUCCESS});
    ASSERT_TRUE(wait_until([&] { return fake_driver::calls("vkWaitForFences") > before; }));
    if (poisoned) {
      EXPECT_FALSE(guest.submit(NotifyRingMESAArgs{0xdead, 0, 0}));
      EXPECT_TRUE(guest.ring().status() & GuestRing::kFatal);
    }
    guest.close();
  }
}

// Garbage is there before the ring is, so that its thread may be faster than its registration.
TEST_F(Rings, AreFatalHoweverEarlyTheyAreWrong) {
  for (int i = 0; i < 50; ++i) {
    Guest guest(fake_host());
    const auto blob = guest.create_blob(192 + 4096 + 4);
    std::memset(blob->data(), 0, blob->size());
    blob->word(192).store(9999);
    blob->word(64).store(8);
    const VkRingCreateInfoMESA info = ring_info(blob->id(), {.buffer_size = 4096});
    (void)guest.submit(CreateRingMESAArgs{7, &info});
    EXPECT_EQ(guest.wait_for_poison().reason, PoisonReason::kUnknownCommand);
    ASSERT_TRUE(wait_until([&] { return blob->word(128).load() & GuestRing::kFatal; })) << i;
  }
}

}  // namespace
}  // namespace pvgpu::venus
