// What was recorded is executed again: all of it, in the same order, and nothing else.
#include "replay.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <optional>

#include "platform/temporary_folder.h"
#include "venus/testing/session.h"

namespace pvgpu::bench {
namespace {

using namespace protocol;
using namespace venus::testing;

class Replays : public OnFakeDriver {
 protected:
  void SetUp() override {
    OnFakeDriver::SetUp();
    auto made = platform::TemporaryFolder::create();
    ASSERT_TRUE(made) << made.error().what;
    folder_.emplace(std::move(*made));
  }
  void TearDown() override {
    fake_driver::reset();  // what a replay leaves to the fake driver is no misuse
    OnFakeDriver::TearDown();
  }
  std::string path() const { return folder_->path() + "/recording"; }

  // A guest that uses all there is to record: a ring, replies, streams in shared memory, the context stream.
  void record(const std::function<void(Session&)>& more) {
    auto recorder = observe::Recorder::create(path());
    ASSERT_TRUE(recorder) << recorder.error().what;
    Session guest(Session::Stage::kQueue, {}, {}, {.name = "guest", .recorder = std::move(*recorder)});
    const VkFence fence = guest.create_fence();
    const auto pieces = guest.create_blob(4096);
    const Bytes reset = request_bytes(ResetFencesArgs{guest.device, 1, &fence, VK_SUCCESS});
    for (int i = 0; i < 3; ++i) std::memcpy(pieces->data() + i * 256, reset.data(), reset.size());
    const VkCommandStreamDescriptionMESA streams[] = {
        {pieces->id(), 0, reset.size()}, {pieces->id(), 64, 0}, {pieces->id(), 256, reset.size()}};
    guest.ring().run(ExecuteCommandStreamsMESAArgs{3, streams, nullptr, 0, nullptr, 0});
    const VkCommandStreamDescriptionMESA last[] = {{pieces->id(), 512, reset.size()}};
    EXPECT_TRUE(guest.submit(ExecuteCommandStreamsMESAArgs{1, last, nullptr, 0, nullptr, 0}));
    const auto status = guest.ring().call(GetFenceStatusArgs{guest.device, fence, VK_SUCCESS});
    EXPECT_EQ(status.args.ret, VK_NOT_READY);
    // What would wait for another stream.
    guest.ring().send(WaitVirtqueueSeqnoMESAArgs{1});
    EXPECT_TRUE(guest.submit(SubmitVirtqueueSeqnoMESAArgs{Session::kRing, 1}));
    guest.context().unref_resource(pieces->id());
    if (more) more(guest);
  }

  std::optional<platform::TemporaryFolder> folder_;
};

TEST_F(Replays, ExecuteWhatWasRecorded) {
  record({});
  const auto replay = Replay::load(path());
  ASSERT_TRUE(replay) << replay.error().what;
  const Replay::Counts counts = replay->count();
  EXPECT_EQ(counts.by_name.at("vkResetFences"), 3u);
  EXPECT_EQ(counts.by_name.at("vkExecuteCommandStreamsMESA"), 2u);

  fake_driver::reset();
  int measured = 0;
  const auto whole = replay->run({.begin = [&] { ++measured; }, .end = [&] { ++measured; }});
  EXPECT_TRUE(whole) << whole.error().what;
  EXPECT_GE(measured, 10);
  EXPECT_EQ(measured % 2, 0);
  EXPECT_EQ(fake_driver::calls("vkCreateFence"), 1u);
  EXPECT_EQ(fake_driver::calls("vkResetFences"), 0u);  // it has nothing to tell, so it is never called

  std::map<std::string, uint64_t> seen;
  const auto each = replay->run_each([&](const std::string& name, const std::function<void()>& execute) {
    ++seen[name];
    execute();
  });
  EXPECT_TRUE(each) << each.error().what;
  EXPECT_EQ(seen.at("vkResetFences"), 3u);
  EXPECT_FALSE(seen.contains("vkExecuteCommandStreamsMESA"));
}

TEST_F(Replays, EndWhereTheGuestWasWrong) {
  record([](Session& guest) {
    guest.ring().send(ResetEventArgs{guest.device, id<VkEvent>(0xbad), VK_SUCCESS});
    EXPECT_EQ(guest.wait_for_poison().reason, venus::PoisonReason::kUnknownObject);
  });
  const auto replay = Replay::load(path());
  ASSERT_TRUE(replay) << replay.error().what;
  const auto done = replay->run({});
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().what, ::testing::HasSubstr("vkResetEvent: object 2989 does not exist"));
}

TEST_F(Replays, RefuseWhatHasNoDevice) {
  {
    auto recorder = observe::Recorder::create(path());
    ASSERT_TRUE(recorder);
    Session guest(Session::Stage::kPhysicalDevice, {}, {}, {.name = "guest", .recorder = std::move(*recorder)});
  }
  const auto replay = Replay::load(path());
  ASSERT_FALSE(replay);
  EXPECT_THAT(replay.error().what, ::testing::HasSubstr("before the guest has a device"));
}

// Those that the repository keeps, of programs that people run.
TEST_F(Replays, ExecuteTheStoredRecordings) {
  int found = 0;
  for (const auto& entry : std::filesystem::directory_iterator(PVGPU_RECORDINGS)) {
    SCOPED_TRACE(entry.path());
    ++found;
    const auto replay = Replay::load(entry.path());
    ASSERT_TRUE(replay) << replay.error().what;
    EXPECT_TRUE(replay->whole());
    EXPECT_GT(replay->count().commands, 10'000u);
    const auto done = replay->run({});
    EXPECT_TRUE(done) << done.error().what;
    fake_driver::reset();
  }
  EXPECT_EQ(found, 3);
}

}  // namespace
}  // namespace pvgpu::bench
