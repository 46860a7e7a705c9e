// Command buffers that are recorded beside the ring: what the guest may go on with meanwhile, and what it must not see earlier
// than what it sent before.
#include "venus/recording_lanes.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>

#include "venus/testing/session.h"

namespace pvgpu::venus {
namespace {

using namespace testing;
using namespace protocol;

// Writes down the driver's calls, and can hold one up.
class Driver final : public fake_driver::Observer {
 public:
  struct Seen {
    std::string function;
    uint64_t object = 0;  // the first argument
    std::thread::id thread;
  };

  Driver() { fake_driver::observe(this); }
  ~Driver() {
    let_go();
    fake_driver::observe(nullptr);
  }

  // Fills of this value do not return until let_go(). One at a time.
  void hold(uint32_t value) {
    std::lock_guard lock(mutex_);
    held_ = value;
  }
  void let_go() {
    {
      std::lock_guard lock(mutex_);
      held_.reset();
    }
    changed_.notify_all();
  }
  bool wait_until_held() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kDeadline, [this] { return holding_; });
  }

  // Where the function was called for the n-th time among all calls.
  size_t place(const char* function, size_t n = 0) {
    std::lock_guard lock(mutex_);
    for (size_t i = 0; i < seen_.size(); ++i)
      if (seen_[i].function == function && n-- == 0) return i;
    ADD_FAILURE() << function << " was not called so often";
    return seen_.size();
  }
  Seen call(const char* function, size_t n = 0) {
    const size_t at = place(function, n);
    std::lock_guard lock(mutex_);
    return at < seen_.size() ? seen_[at] : Seen{};
  }

  void called(const char* function, void* arguments) override {
    std::unique_lock lock(mutex_);
    uint64_t object;
    std::memcpy(&object, arguments, sizeof object);
    const bool fills = std::string_view(function) == "vkCmdFillBuffer";
    if (fills) ++fills_;
    if (!fills || fills_ % 100 == 0) seen_.push_back({function, object, std::this_thread::get_id()});
    if (!fills || held_ != static_cast<CmdFillBufferArgs*>(arguments)->data) return;
    holding_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !held_; });
    holding_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Seen> seen_;
  uint64_t fills_ = 0;
  std::optional<uint32_t> held_;
  bool holding_ = false;
};

constexpr unsigned kLanes = 3;

class RecordingLanesTest : public OnFakeDriver {
 protected:
  // What a test records into, with a driver that it watches.
  struct Scene {
    explicit Scene(unsigned lanes = kLanes)
        : guest(Session::Stage::kQueue, {}, {}, {.name = "guest", .recording_lanes = lanes}) {
      buffer = guest.create_buffer(4096);
      memory = guest.allocate(4096);
      guest.ring().send(BindBufferMemoryArgs{guest.device, buffer, memory, 0, VK_SUCCESS});
      fence = guest.create_fence();
      pool = guest.create_command_pool();
      other_pool = guest.create_command_pool();
      commands = guest.allocate_command_buffer(pool);
      other = guest.allocate_command_buffer(other_pool);
      EXPECT_TRUE(guest.ring().wait(guest.ring().tail()));
    }
    ~Scene() {
      driver.let_go();
      if (guest.context().poisoned()) return;
      wait_idle();
      guest.ring().send(DestroyCommandPoolArgs{guest.device, pool, nullptr});
      guest.ring().send(DestroyCommandPoolArgs{guest.device, other_pool, nullptr});
      guest.ring().send(DestroyFenceArgs{guest.device, fence, nullptr});
      if (buffer) guest.ring().send(DestroyBufferArgs{guest.device, buffer, nullptr});
      EXPECT_TRUE(guest.ring().run(FreeMemoryArgs{guest.device, memory, nullptr}));
    }

    Bytes recording(VkCommandBuffer into, uint32_t value, int fills = 300) {
      const VkCommandBufferBeginInfo begin{VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
      Bytes bytes = request_bytes(BeginCommandBufferArgs{into, &begin, VK_SUCCESS});
      for (int i = 0; i < fills; ++i) append(bytes, request_bytes(CmdFillBufferArgs{into, buffer, 0, VK_WHOLE_SIZE, value}));
      append(bytes, request_bytes(EndCommandBufferArgs{into, VK_SUCCESS}));
      return bytes;
    }
    // As a guest sends what is too long for its ring, in one or two pieces. Returns when the ring has taken it.
    void send_stream(const Bytes& bytes, size_t first_piece = 0) {
      const auto& stream = streams.emplace_back(guest.create_blob(bytes.size()));
      std::ranges::copy(bytes, stream->data());
      const VkCommandStreamDescriptionMESA pieces[] = {{stream->id(), 0, first_piece},
                                                       {stream->id(), first_piece, bytes.size() - first_piece}};
      guest.ring().send(ExecuteCommandStreamsMESAArgs{2, pieces, nullptr, 0, nullptr, 0});
    }
    // Sends a recording of `commands` that the driver does not get done with.
    bool hold_a_recording() {
      driver.hold(1);
      send_stream(recording(commands, 1));
      return driver.wait_until_held();
    }
    void submit(VkCommandBuffer what) {
      VkSubmitInfo info{VK_STRUCTURE_TYPE_SUBMIT_INFO};
      info.commandBufferCount = 1;
      info.pCommandBuffers = &what;
      guest.ring().send(QueueSubmitArgs{guest.queue, 1, &info, fence, VK_SUCCESS});
    }
    // Until the lanes are done, too.
    void wait_idle() { EXPECT_EQ(guest.ring().call(DeviceWaitIdleArgs{guest.device, VK_SUCCESS}).args.ret, VK_SUCCESS); }
    VkResult fence_status() { return guest.ring().call(GetFenceStatusArgs{guest.device, fence, VK_SUCCESS}).args.ret; }

    Driver driver;
    std::vector<std::unique_ptr<Blob>> streams;
    Session guest;
    VkBuffer buffer;
    VkDeviceMemory memory;
    VkFence fence;
    VkCommandPool pool, other_pool;
    VkCommandBuffer commands, other;
  };
};

TEST_F(RecordingLanesTest, AnswerAndSubmitAsIfNothingWereLeft) {
  Scene scene;
  scene.driver.hold(1);
  scene.send_stream(scene.recording(scene.commands, 1));
  scene.submit(scene.commands);
  ASSERT_TRUE(scene.driver.wait_until_held());
  EXPECT_EQ(scene.fence_status(), VK_NOT_READY);
  EXPECT_EQ(fake_driver::calls("vkGetFenceStatus"), 0u);  // the fence will be in use by vkQueueSubmit, whenever that comes
  EXPECT_EQ(scene.guest.ring().head(), scene.guest.ring().tail());
  EXPECT_EQ(fake_driver::calls("vkQueueSubmit"), 0u);
  scene.driver.let_go();
  EXPECT_TRUE(wait_until([&] { return scene.fence_status() == VK_SUCCESS; }));
  scene.wait_idle();
  EXPECT_LT(scene.driver.place("vkEndCommandBuffer"), scene.driver.place("vkQueueSubmit"));
  EXPECT_EQ(fake_driver::calls("vkCmdFillBuffer"), 300u);
}

// The guest may use memory again that it has sent commands in, and pieces of a recording may lie anywhere.
TEST_F(RecordingLanesTest, ReadAllBeforeTheRingGoesOn) {
  Scene scene;
  scene.driver.hold(1);
  const Bytes bytes = scene.recording(scene.commands, 1);
  scene.send_stream(bytes, bytes.size() - 16);
  ASSERT_TRUE(scene.driver.wait_until_held());
  ASSERT_TRUE(scene.guest.ring().wait(scene.guest.ring().tail()));
  std::memset(scene.streams.back()->data(), 0xff, scene.streams.back()->size());
  scene.driver.let_go();
  scene.wait_idle();
  EXPECT_EQ(fake_driver::calls("vkCmdFillBuffer"), 300u);
  EXPECT_FALSE(scene.guest.context().poisoned());
}

TEST_F(RecordingLanesTest, RecordPoolsAtTheSameTimeAndOnePoolInOrder) {
  Scene scene;
  const VkCommandBuffer next = scene.guest.allocate_command_buffer(scene.pool);
  ASSERT_TRUE(scene.hold_a_recording());
  scene.send_stream(scene.recording(next, 2));
  scene.send_stream(scene.recording(scene.other, 3));
  EXPECT_TRUE(wait_until([] { return fake_driver::calls("vkEndCommandBuffer") == 1; }));  // of the other pool
  EXPECT_EQ(fake_driver::calls("vkBeginCommandBuffer"), 2u);
  scene.driver.let_go();
  scene.wait_idle();
  EXPECT_EQ(scene.driver.call("vkBeginCommandBuffer", 0).thread, scene.driver.call("vkBeginCommandBuffer", 2).thread);
  EXPECT_NE(scene.driver.call("vkBeginCommandBuffer", 0).thread, scene.driver.call("vkBeginCommandBuffer", 1).thread);
}

TEST_F(RecordingLanesTest, SubmitInOrder) {
  Scene scene;
  ASSERT_TRUE(scene.hold_a_recording());
  VkSubmitInfo info{VK_STRUCTURE_TYPE_SUBMIT_INFO};
  info.commandBufferCount = 1;
  info.pCommandBuffers = &scene.commands;
  scene.guest.ring().send(QueueSubmitArgs{scene.guest.queue, 1, &info, VK_NULL_HANDLE, VK_SUCCESS});
  scene.send_stream(scene.recording(scene.other, 2));  // on the other lane, which has nothing else to do
  scene.submit(scene.other);
  EXPECT_TRUE(wait_until([] { return fake_driver::calls("vkEndCommandBuffer") == 1; }));
  EXPECT_EQ(fake_driver::calls("vkQueueSubmit"), 0u);
  scene.driver.let_go();
  EXPECT_TRUE(wait_until([&] { return scene.fence_status() == VK_SUCCESS; }));
  scene.wait_idle();
  EXPECT_EQ(fake_driver::calls("vkQueueSubmit"), 2u);
  EXPECT_LT(scene.driver.place("vkQueueSubmit", 0), scene.driver.place("vkQueueSubmit", 1));
}

TEST_F(RecordingLanesTest, WaitForAFenceThatIsStillToBeSubmitted) {
  Scene scene;
  scene.driver.hold(1);
  scene.send_stream(scene.recording(scene.commands, 1));
  scene.submit(scene.commands);
  ASSERT_TRUE(scene.driver.wait_until_held());
  const VkFence other = scene.guest.create_fence();
  EXPECT_TRUE(scene.guest.ring().run(ResetFencesArgs{scene.guest.device, 1, &other, VK_SUCCESS}));  // nothing to do with it
  scene.guest.ring().send(WaitForFencesArgs{scene.guest.device, 1, &scene.fence, VK_TRUE, ~uint64_t{0}, VK_SUCCESS});
  scene.guest.ring().send(ResetFencesArgs{scene.guest.device, 1, &scene.fence, VK_SUCCESS});
  scene.driver.let_go();
  EXPECT_EQ(scene.fence_status(), VK_NOT_READY);
  EXPECT_LT(scene.driver.place("vkQueueSubmit"), scene.driver.place("vkWaitForFences"));
  EXPECT_LT(scene.driver.place("vkWaitForFences"), scene.driver.place("vkResetFences", 1));
  scene.guest.ring().send(DestroyFenceArgs{scene.guest.device, other, nullptr});
}

// A submission whose result the guest wants is made before it is answered.
TEST_F(RecordingLanesTest, AnswerASubmissionWhenItIsMade) {
  Scene scene;
  scene.send_stream(scene.recording(scene.commands, 1));
  fake_driver::fail("vkQueueSubmit", VK_ERROR_OUT_OF_DEVICE_MEMORY, 1);
  const auto submitted = scene.guest.ring().call(QueueSubmitArgs{scene.guest.queue, 0, nullptr, scene.fence, VK_SUCCESS});
  EXPECT_EQ(submitted.args.ret, VK_ERROR_OUT_OF_DEVICE_MEMORY);
  EXPECT_LT(scene.driver.place("vkEndCommandBuffer"), scene.driver.place("vkQueueSubmit"));
}

TEST_F(RecordingLanesTest, DestroyNothingThatARecordingNames) {
  Scene scene;
  ASSERT_TRUE(scene.hold_a_recording());
  const uint32_t destroyed = scene.guest.ring().send(DestroyBufferArgs{scene.guest.device, scene.buffer, nullptr});
  EXPECT_NE(scene.guest.ring().head(), destroyed);
  scene.driver.let_go();
  EXPECT_TRUE(scene.guest.ring().wait(destroyed));
  EXPECT_LT(scene.driver.place("vkEndCommandBuffer"), scene.driver.place("vkDestroyBuffer"));
  scene.buffer = VK_NULL_HANDLE;
}

TEST_F(RecordingLanesTest, ResetPoolsWhenTheyAreDone) {
  Scene scene;
  ASSERT_TRUE(scene.hold_a_recording());
  EXPECT_TRUE(scene.guest.ring().run(ResetCommandPoolArgs{scene.guest.device, scene.other_pool, 0, VK_SUCCESS}));
  scene.guest.ring().send(ResetCommandPoolArgs{scene.guest.device, scene.pool, 0, VK_SUCCESS});
  scene.driver.let_go();
  EXPECT_TRUE(scene.guest.ring().wait(scene.guest.ring().tail()));
  EXPECT_LT(scene.driver.place("vkResetCommandPool", 0), scene.driver.place("vkEndCommandBuffer"));
  EXPECT_LT(scene.driver.place("vkEndCommandBuffer"), scene.driver.place("vkResetCommandPool", 1));
}

// Short command buffers come within the ring.
TEST_F(RecordingLanesTest, TakeShortOnesThatWouldWaitForTheirPool) {
  Scene scene;
  const VkCommandBuffer next = scene.guest.allocate_command_buffer(scene.pool);
  ASSERT_TRUE(scene.hold_a_recording());
  scene.guest.ring().write(scene.recording(scene.other, 2, 3));
  scene.guest.ring().write(scene.recording(next, 3, 3));
  ASSERT_TRUE(scene.guest.ring().wait(scene.guest.ring().tail()));
  EXPECT_EQ(fake_driver::calls("vkBeginCommandBuffer"), 2u);
  scene.driver.let_go();
  scene.wait_idle();
  EXPECT_LT(scene.driver.place("vkEndCommandBuffer", 1), scene.driver.place("vkBeginCommandBuffer", 2));
  EXPECT_EQ(scene.driver.call("vkBeginCommandBuffer", 0).thread, scene.driver.call("vkBeginCommandBuffer", 2).thread);
  EXPECT_NE(scene.driver.call("vkBeginCommandBuffer", 0).thread, scene.driver.call("vkBeginCommandBuffer", 1).thread);
}

// A lane that sleeps is only woken up by what is too short to be worth the wait for it.
TEST_F(RecordingLanesTest, TakeWhatComesInTheRingWhileTheyLookForWork) {
  Scene scene;
  ASSERT_TRUE(scene.guest.ring().run(ResetFencesArgs{scene.guest.device, 1, &scene.fence, VK_SUCCESS}));
  const auto ring = scene.driver.call("vkResetFences").thread;
  const Bytes bytes = scene.recording(scene.commands, 1, 20);
  size_t sent = 0;
  const auto by_a_lane = [&](const char* function, size_t n) { return scene.driver.call(function, n).thread != ring; };
  EXPECT_TRUE(wait_until([&] {
    scene.guest.ring().write(bytes);
    scene.submit(scene.commands);
    scene.wait_idle();
    ++sent;
    return by_a_lane("vkBeginCommandBuffer", sent - 1) && by_a_lane("vkQueueSubmit", sent - 1);
  }));
  EXPECT_FALSE(by_a_lane("vkBeginCommandBuffer", 0));
  EXPECT_EQ(fake_driver::calls("vkCmdFillBuffer"), sent * 20);
}

// Of what comes in the ring: whole, of one command buffer, and of nothing unusual.
TEST_F(RecordingLanesTest, LeaveInTheRingWhatIsNoUsualRecording) {
  Scene scene;
  ASSERT_TRUE(scene.guest.ring().run(ResetFencesArgs{scene.guest.device, 1, &scene.fence, VK_SUCCESS}));
  const auto ring = scene.driver.call("vkResetFences").thread;
  const Bytes whole = scene.recording(scene.commands, 1, 200);  // long enough to be taken at once
  const Bytes begin_and_fills(whole.begin(), whole.end() - 16), end(whole.end() - 16, whole.end());
  size_t recorded = 0;
  const auto recorded_by = [&] {
    scene.wait_idle();
    return scene.driver.call("vkBeginCommandBuffer", recorded++).thread;
  };
  scene.guest.ring().write(whole);
  EXPECT_NE(recorded_by(), ring);
  scene.guest.ring().write(begin_and_fills);
  ASSERT_TRUE(scene.guest.ring().wait(scene.guest.ring().tail()));
  scene.guest.ring().write(end);
  EXPECT_EQ(recorded_by(), ring);
  Bytes mixed = begin_and_fills;
  append(mixed, request_bytes(ResetFencesArgs{scene.guest.device, 1, &scene.fence, VK_SUCCESS}));
  append(mixed, end);
  scene.guest.ring().write(mixed);
  EXPECT_EQ(recorded_by(), ring);
  const VkDeviceGroupCommandBufferBeginInfo group{VK_STRUCTURE_TYPE_DEVICE_GROUP_COMMAND_BUFFER_BEGIN_INFO, nullptr, 1};
  const VkCommandBufferBeginInfo begin{VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO, &group};
  Bytes chained = request_bytes(BeginCommandBufferArgs{scene.commands, &begin, VK_SUCCESS});
  append(chained, end);
  scene.guest.ring().write(chained);
  EXPECT_EQ(recorded_by(), ring);
  scene.guest.ring().write(whole);
  EXPECT_NE(recorded_by(), ring);
}

TEST_F(RecordingLanesTest, PoisonForWhatIsWrongInTheRing) {
  Scene scene;
  Bytes wrong = scene.recording(scene.commands, 1, 200);
  const Bytes end(wrong.end() - 16, wrong.end());
  wrong.resize(wrong.size() - 16);
  append(wrong, request_bytes(CmdFillBufferArgs{scene.commands, id<VkBuffer>(9999), 0, VK_WHOLE_SIZE, 1}));
  append(wrong, end);
  scene.guest.ring().write(wrong);
  EXPECT_EQ(scene.guest.wait_for_poison().reason, PoisonReason::kUnknownObject);
}

TEST_F(RecordingLanesTest, ExecuteSecondaryCommandBuffersWhenTheyAreRecorded) {
  Scene scene;
  const VkCommandBufferAllocateInfo info{VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO, nullptr, scene.other_pool,
                                         VK_COMMAND_BUFFER_LEVEL_SECONDARY, 1};
  auto secondary = scene.guest.new_object<VkCommandBuffer>();
  scene.guest.ring().send(AllocateCommandBuffersArgs{scene.guest.device, &info, &secondary, VK_SUCCESS});
  for (const bool on_a_lane : {true, false}) {
    SCOPED_TRACE(on_a_lane);
    const size_t before = fake_driver::calls("vkCmdExecuteCommands");
    const size_t ended = fake_driver::calls("vkEndCommandBuffer");
    scene.driver.hold(1);
    scene.send_stream(scene.recording(secondary, 1));
    ASSERT_TRUE(scene.driver.wait_until_held());
    const VkCommandBufferBeginInfo begin{VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    Bytes primary = request_bytes(BeginCommandBufferArgs{scene.commands, &begin, VK_SUCCESS});
    for (int i = 0; i < (on_a_lane ? 400 : 1); ++i)
      append(primary, request_bytes(CmdExecuteCommandsArgs{scene.commands, 1, &secondary}));
    append(primary, request_bytes(EndCommandBufferArgs{scene.commands, VK_SUCCESS}));
    on_a_lane ? scene.send_stream(primary) : (void)scene.guest.ring().write(primary);
    EXPECT_EQ(fake_driver::calls("vkCmdExecuteCommands"), before);
    scene.driver.let_go();
    scene.wait_idle();
    EXPECT_LT(scene.driver.place("vkEndCommandBuffer", ended), scene.driver.place("vkCmdExecuteCommands", before));
  }
}

// What other streams and the transport wait for is that all has been done.
TEST_F(RecordingLanesTest, ReachTheRingsNumberWhenTheyAreDone) {
  Scene scene;
  scene.driver.hold(1);
  scene.send_stream(scene.recording(scene.commands, 1));
  scene.submit(scene.commands);
  ASSERT_TRUE(scene.driver.wait_until_held());
  const uint32_t seqno = scene.guest.ring().tail();
  ASSERT_TRUE(scene.guest.ring().wait(seqno));
  EXPECT_EQ(scene.fence_status(), VK_NOT_READY);
  EXPECT_EQ(fake_driver::calls("vkQueueSubmit"), 0u);
  // Nothing of the ring's until it is let go: waking a ring up goes by the stream that waits.
  std::thread control([&] {
    EXPECT_TRUE(scene.guest.submit(WaitRingSeqnoMESAArgs{Session::kRing, seqno}));
    EXPECT_EQ(fake_driver::calls("vkQueueSubmit"), 1u);
  });
  scene.driver.let_go();
  control.join();
}

TEST_F(RecordingLanesTest, TakeOnlyWholeRecordings) {
  Scene scene;
  ASSERT_TRUE(scene.guest.ring().run(ResetFencesArgs{scene.guest.device, 1, &scene.fence, VK_SUCCESS}));
  const auto ring = scene.driver.call("vkResetFences").thread;
  const Bytes whole = scene.recording(scene.commands, 1);
  const Bytes begin_and_fills(whole.begin(), whole.end() - 16), end(whole.end() - 16, whole.end());
  size_t recorded = 0;
  const auto recorded_by = [&] {
    scene.wait_idle();
    return scene.driver.call("vkBeginCommandBuffer", recorded++).thread;
  };
  scene.send_stream(begin_and_fills);  // goes on in the ring
  scene.guest.ring().write(end);
  EXPECT_EQ(recorded_by(), ring);
  scene.guest.ring().write(scene.recording(scene.other, 1, 1));
  EXPECT_EQ(recorded_by(), ring);
  scene.send_stream(scene.recording(scene.commands, 1, 100));  // short
  EXPECT_EQ(recorded_by(), ring);
  Bytes later = request_bytes(ResetFencesArgs{scene.guest.device, 1, &scene.fence, VK_SUCCESS});
  append(later, whole);
  scene.send_stream(later);  // begins with something else
  EXPECT_EQ(recorded_by(), ring);
  scene.send_stream(whole);
  EXPECT_NE(recorded_by(), ring);
}

// While a guest has a command buffer open in its ring, others of the same pool may not be recorded elsewhere.
TEST_F(RecordingLanesTest, KeepToTheRingWhileOneIsOpenThere) {
  Scene scene;
  const VkCommandBuffer next = scene.guest.allocate_command_buffer(scene.pool);
  const VkCommandBufferBeginInfo begin{VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
  scene.guest.ring().send(BeginCommandBufferArgs{next, &begin, VK_SUCCESS});
  scene.send_stream(scene.recording(scene.commands, 1));
  scene.guest.ring().send(EndCommandBufferArgs{next, VK_SUCCESS});
  ASSERT_TRUE(scene.guest.ring().wait(scene.guest.ring().tail()));
  EXPECT_EQ(scene.driver.call("vkBeginCommandBuffer", 0).thread, scene.driver.call("vkBeginCommandBuffer", 1).thread);
}

TEST_F(RecordingLanesTest, PoisonForWhatIsWrongInARecording) {
  Scene scene;
  const Bytes bytes = scene.recording(scene.commands, 1);
  Bytes wrong(bytes.begin(), bytes.end() - 16);
  append(wrong, request_bytes(CmdFillBufferArgs{scene.commands, id<VkBuffer>(9999), 0, VK_WHOLE_SIZE, 1}));
  append(wrong, Bytes(bytes.end() - 16, bytes.end()));
  scene.send_stream(wrong);
  EXPECT_EQ(scene.guest.wait_for_poison().reason, PoisonReason::kUnknownObject);
}

TEST_F(RecordingLanesTest, LeaveNothingUndoneWhenTheRingGoes) {
  Scene scene;
  GuestRing ring(scene.guest, 77);
  const auto stream = scene.guest.create_blob(1 << 20);
  const Bytes bytes = scene.recording(scene.commands, 1);
  std::ranges::copy(bytes, stream->data());
  const VkCommandStreamDescriptionMESA piece{stream->id(), 0, bytes.size()};
  uint32_t sent = 0;
  for (int i = 0; i < 200; ++i) sent = ring.send(ExecuteCommandStreamsMESAArgs{1, &piece, nullptr, 0, nullptr, 0});
  ASSERT_TRUE(ring.wait(sent));
  EXPECT_TRUE(scene.guest.submit(DestroyRingMESAArgs{77}));
  EXPECT_EQ(fake_driver::calls("vkEndCommandBuffer"), 200u);
  EXPECT_EQ(fake_driver::calls("vkCmdFillBuffer"), 200u * 300);
}

// What is copied is limited, however fast a guest sends and however slow the driver is.
TEST_F(RecordingLanesTest, HoldNoMoreThanTheyMay) {
  Scene scene;
  const std::vector<std::byte> data(65536);
  const VkCommandBufferBeginInfo begin{VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
  Bytes bytes = request_bytes(BeginCommandBufferArgs{scene.commands, &begin, VK_SUCCESS});
  append(bytes, request_bytes(CmdFillBufferArgs{scene.commands, scene.buffer, 0, VK_WHOLE_SIZE, 1}));
  const Bytes update = request_bytes(CmdUpdateBufferArgs{scene.commands, scene.buffer, 0, data.size(), data.data()});
  while (bytes.size() < (6u << 20)) append(bytes, update);
  append(bytes, request_bytes(EndCommandBufferArgs{scene.commands, VK_SUCCESS}));
  scene.driver.hold(1);
  scene.send_stream(bytes);
  ASSERT_TRUE(scene.driver.wait_until_held());
  const Blob& stream = *scene.streams.back();
  const VkCommandStreamDescriptionMESA piece{stream.id(), 0, bytes.size()};
  const Bytes execute = request_bytes(ExecuteCommandStreamsMESAArgs{1, &piece, nullptr, 0, nullptr, 0});
  uint32_t last = 0;
  for (int i = 0; i < 12; ++i) last = scene.guest.ring().write(execute);
  const uint32_t left = 3 * static_cast<uint32_t>(execute.size());  // 64 MiB are ten of them
  EXPECT_TRUE(wait_until([&] { return last - scene.guest.ring().head() <= left; }));
  GuestRing other(scene.guest, 78);  // is served meanwhile
  for (int i = 0; i < 200; ++i)
    EXPECT_FALSE(other.call(GetFenceStatusArgs{scene.guest.device, scene.fence, VK_SUCCESS}).failed);
  EXPECT_EQ(last - scene.guest.ring().head(), left);
  scene.driver.let_go();
  EXPECT_TRUE(scene.guest.ring().wait(last));
  EXPECT_TRUE(scene.guest.submit(DestroyRingMESAArgs{78}));
  scene.wait_idle();
  EXPECT_EQ(fake_driver::calls("vkEndCommandBuffer"), 13u);
}

// Several threads of a guest, each with a pool and a buffer of its own, through one ring: every submission does what was recorded for it.
TEST_F(RecordingLanesTest, RecordForManyPools) {
  constexpr uint32_t kPools = 5, kFrames = 40;
  Scene scene(4);
  Session& guest = scene.guest;
  struct Part {
    VkCommandPool pool;
    VkCommandBuffer commands;
    VkBuffer buffer;
    VkDeviceMemory memory;
    VkFence fence;
    std::unique_ptr<Blob> mapped;
  };
  std::vector<Part> parts(kPools);
  const VkBuffer shared_buffer = scene.buffer;
  for (Part& part : parts) {
    part.pool = guest.create_command_pool();
    part.commands = guest.allocate_command_buffer(part.pool);
    part.buffer = guest.create_buffer(4096);
    part.memory = guest.allocate(4096);
    part.fence = guest.create_fence();
    ASSERT_TRUE(guest.ring().run(BindBufferMemoryArgs{guest.device, part.buffer, part.memory, 0, VK_SUCCESS}));
    part.mapped = guest.create_blob(4096, std::bit_cast<uint64_t>(part.memory));
  }
  for (uint32_t frame = 1; frame <= kFrames; ++frame) {
    for (uint32_t i = 0; i < kPools; ++i) {
      Part& part = parts[i];
      if (frame > 1) {
        ASSERT_TRUE(wait_until([&] {
          return guest.ring().call(GetFenceStatusArgs{guest.device, part.fence, VK_SUCCESS}).args.ret == VK_SUCCESS;
        }));
        EXPECT_EQ(part.mapped->word(1024).load(), (frame - 1) * 16 + i);
      }
      guest.ring().send(ResetFencesArgs{guest.device, 1, &part.fence, VK_SUCCESS});
      guest.ring().send(ResetCommandPoolArgs{guest.device, part.pool, 0, VK_SUCCESS});
      scene.buffer = part.buffer;
      const Bytes bytes = scene.recording(part.commands, frame * 16 + i, i == 0 ? 20 : 300);
      i == 0 ? (void)guest.ring().write(bytes) : scene.send_stream(bytes);
      VkSubmitInfo info{VK_STRUCTURE_TYPE_SUBMIT_INFO};
      info.commandBufferCount = 1;
      info.pCommandBuffers = &part.commands;
      guest.ring().send(QueueSubmitArgs{guest.queue, 1, &info, part.fence, VK_SUCCESS});
    }
    if (scene.streams.size() > 100) {
      ASSERT_TRUE(guest.ring().wait(guest.ring().tail()));
      scene.streams.clear();
    }
  }
  scene.buffer = shared_buffer;
  scene.wait_idle();
  for (uint32_t i = 0; i < kPools; ++i) {
    EXPECT_EQ(parts[i].mapped->word(1024).load(), kFrames * 16 + i);
    guest.ring().send(DestroyFenceArgs{guest.device, parts[i].fence, nullptr});
    guest.ring().send(DestroyCommandPoolArgs{guest.device, parts[i].pool, nullptr});
    guest.ring().send(DestroyBufferArgs{guest.device, parts[i].buffer, nullptr});
    guest.ring().send(FreeMemoryArgs{guest.device, parts[i].memory, nullptr});
  }
}

// -- answers that are held back --

TEST_F(RecordingLanesTest, HoldNotYetBack) {
  for (const unsigned lanes : {0u, kLanes}) {
    SCOPED_TRACE(lanes);
    Scene scene(lanes);
    fake_driver::hold_queues(true);
    scene.submit(scene.commands);
    EXPECT_TRUE(wait_until([&] {
      const uint64_t before = fake_driver::calls("vkGetFenceStatus");
      EXPECT_EQ(scene.fence_status(), VK_NOT_READY);
      return fake_driver::calls("vkGetFenceStatus") > before + 1;
    }));
    fake_driver::hold_queues(false);
    EXPECT_TRUE(wait_until([&] { return scene.fence_status() == VK_SUCCESS; }));
  }
}

TEST_F(RecordingLanesTest, HoldACounterBackUntilItChanges) {
  Scene scene;
  const VkSemaphoreTypeCreateInfo type{VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO, nullptr, VK_SEMAPHORE_TYPE_TIMELINE, 5};
  const VkSemaphoreCreateInfo info{VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, &type};
  auto semaphore = scene.guest.new_object<VkSemaphore>();
  scene.guest.ring().send(CreateSemaphoreArgs{scene.guest.device, &info, nullptr, &semaphore, VK_SUCCESS});
  uint64_t value = 0;
  const auto ask = [&] {
    const auto reply = scene.guest.ring().call(GetSemaphoreCounterValueArgs{scene.guest.device, semaphore, &value, VK_SUCCESS});
    EXPECT_EQ(reply.args.ret, VK_SUCCESS);
    return *reply.args.pValue;
  };
  EXPECT_EQ(ask(), 5u);
  EXPECT_GT(fake_driver::calls("vkGetSemaphoreCounterValue"), 1u);
  const VkSemaphoreSignalInfo signal{VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO, nullptr, semaphore, 6};
  scene.guest.ring().send(SignalSemaphoreArgs{scene.guest.device, &signal, VK_SUCCESS});
  EXPECT_EQ(ask(), 6u);
  scene.guest.ring().send(DestroySemaphoreArgs{scene.guest.device, semaphore, nullptr});
}

TEST(RecordingLanesCount, LeavesProcessorsForOthers) {
  for (const unsigned few : {1u, 2u, 3u}) EXPECT_EQ(RecordingLanes::count_for(few), 0u) << few;
  EXPECT_EQ(RecordingLanes::count_for(4), 1u);
  EXPECT_EQ(RecordingLanes::count_for(8), 3u);
  for (const unsigned many : {10u, 16u, 256u}) EXPECT_EQ(RecordingLanes::count_for(many), RecordingLanes::kMostLanes) << many;
}

}  // namespace
}  // namespace pvgpu::venus
