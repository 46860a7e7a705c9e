#include "frontends/server/context_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>

#include <chrono>
#include <cstring>

#include "frontends/server/context_messages.h"
#include "platform/packet_socket.h"
#include "platform/shared_memory.h"

namespace pvgpu::frontends::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// The machine's process, with the test itself as the workers of its contexts: it has their sockets, and each has a
// process that does nothing.
class ContextProcessTest : public testing::Test {
 protected:
  void make(ContextProcesses::Options options = {}) {
    processes_.emplace(
        *loop_,
        [this](const std::string&, platform::UniqueFd socket) {
          worker_ = std::move(socket);
          platform::Command command{.program = "/bin/sh", .arguments = {"-c", script_}};
          auto process = platform::ChildProcess::spawn(command);
          pid_ = process ? process->pid() : 0;
          return process;
        },
        options);
    renderers_ = processes_->renderers();
  }
  void start() {
    make();
    renderer_ = renderers_("cube");
    ASSERT_TRUE(renderer_);
  }
  // Runs the loop until `condition` holds.
  template <class Condition>
  void run_until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + seconds(60);
    while (!condition() && std::chrono::steady_clock::now() < deadline) {
      loop_->call_after(milliseconds(1), [&] { loop_->stop(); });
      loop_->run();
    }
    EXPECT_TRUE(condition());
  }

  struct Request {
    ContextRequest message;
    std::vector<std::byte> tail;
    platform::UniqueFd descriptor;
  };
  Request next() {
    std::array<std::byte, 4096> buffer;
    auto packet = platform::receive_packet(worker_.get(), buffer);
    Request request;
    if (!packet || packet->size < sizeof request.message) {
      ADD_FAILURE() << "no request came";
      return request;
    }
    std::memcpy(&request.message, buffer.data(), sizeof request.message);
    request.tail.assign(buffer.begin() + sizeof request.message, buffer.begin() + static_cast<ptrdiff_t>(packet->size));
    request.descriptor = std::move(packet->descriptor);
    return request;
  }
  bool nothing_waits() {
    pollfd entry{worker_.get(), POLLIN, 0};
    return ::poll(&entry, 1, 0) == 0;
  }
  void say(const ContextEvent& event, int fd = -1) {
    ASSERT_TRUE(platform::send_packet(worker_.get(), std::as_bytes(std::span(&event, 1)), {}, fd, platform::Blocking::kYes));
  }
  void answer(bool success) { say({.kind = ContextEventKind::kAnswer, .success = success}); }

  std::unique_ptr<platform::EventLoop> loop_ = *platform::EventLoop::create();
  std::string script_ = "exec sleep 1000";  // exec: a shell that is killed would leave it behind
  platform::UniqueFd worker_;
  pid_t pid_ = 0;
  std::optional<ContextProcesses> processes_;
  virtio_gpu::RendererFactory renderers_;
  std::unique_ptr<virtio_gpu::Renderer> renderer_;
};

TEST_F(ContextProcessTest, SubmissionsTravelAndAreAnswered) {
  start();
  std::optional<bool> small, large;
  renderer_->submit(std::vector<std::byte>(12, std::byte{7}), [&](bool success) { small = success; });
  renderer_->submit(std::vector<std::byte>(100'000, std::byte{9}), [&](bool success) { large = success; });
  EXPECT_EQ(next().tail, std::vector<std::byte>(12, std::byte{7}));
  const Request second = next();
  EXPECT_EQ(*platform::read_file(second.descriptor.get()), std::string(100'000, 9));
  EXPECT_FALSE(small);
  answer(true);
  answer(false);
  run_until([&] { return large.has_value(); });
  EXPECT_EQ(small, true);
  EXPECT_EQ(large, false);
}

TEST_F(ContextProcessTest, BlobsBringTheirMemory) {
  start();
  std::vector<std::expected<venus::BlobMemory, venus::Poison>> made;
  for (uint32_t id = 1; id <= 3; id++)
    renderer_->create_blob(id, {.flags = 1, .blob_id = 5, .size = 4096}, [&](auto memory) { made.push_back(std::move(memory)); });
  const ContextRequest request = next().message;
  EXPECT_EQ(request.id, 1u);
  EXPECT_EQ(request.blob_id, 5u);
  EXPECT_EQ(request.size, 4096u);
  auto memory = *platform::SharedMemory::create(4096, "blob");
  say({.kind = ContextEventKind::kAnswer, .success = 1, .size = 4096, .cached = 1}, memory.fd().get());
  answer(false);
  // Memory that could become shorter under the virtual machine's hands is none.
  auto file = *platform::anonymous_file("blob");
  say({.kind = ContextEventKind::kAnswer, .success = 1, .size = 4096}, file.get());
  run_until([&] { return made.size() == 3; });
  ASSERT_TRUE(made[0]);
  EXPECT_TRUE(made[0]->fd.valid());
  EXPECT_TRUE(made[0]->cached);
  EXPECT_FALSE(made[1]);
  ASSERT_TRUE(made[2]);
  EXPECT_FALSE(made[2]->fd.valid());
}

TEST_F(ContextProcessTest, FencesComeInAnyOrder) {
  start();
  std::string done;
  renderer_->submit_fence(1, [&] { done += '1'; });
  renderer_->submit_fence(2, [&] { done += '2'; });
  const uint64_t first = next().message.blob_id, second = next().message.blob_id;
  answer(true);
  answer(true);
  say({.kind = ContextEventKind::kFence, .number = second});
  say({.kind = ContextEventKind::kFence, .number = first});
  say({.kind = ContextEventKind::kFence, .number = 99});
  run_until([&] { return done.size() == 2; });
  EXPECT_EQ(done, "21");
}

TEST_F(ContextProcessTest, HasFewOnTheirWayAndLosesNone) {
  start();
  // The worker is busy: it reads nothing, and nothing blocks.
  size_t done = 0;
  for (int i = 0; i < 2000; i++) renderer_->submit(std::vector<std::byte>(1000), [&](bool success) { done += success; });
  for (int i = 0; i < 2000; i++) {
    next();
    answer(true);
    if (nothing_waits()) run_until([&] { return done == static_cast<size_t>(i) + 1; });
  }
  run_until([&] { return done == 2000; });
}

TEST_F(ContextProcessTest, AWorkerThatEndsFailsWhatIsAskedAndMarksItsRings) {
  start();
  auto ring = *platform::SharedMemory::create(8192, "ring"), gone = *platform::SharedMemory::create(4096, "gone");
  say({.kind = ContextEventKind::kRing, .number = 7, .size = 4096 + 128}, ring.fd().get());
  say({.kind = ContextEventKind::kRing, .number = 8, .size = 128}, gone.fd().get());
  say({.kind = ContextEventKind::kRing, .number = 8});
  // One whose place is outside its file is not believed.
  say({.kind = ContextEventKind::kRing, .number = 9, .size = 1 << 20}, ring.fd().get());
  std::optional<bool> submitted;
  bool fence = false, blob_failed = false;
  renderer_->submit({}, [&](bool success) { submitted = success; });
  renderer_->submit_fence(1, [&] { fence = true; });
  renderer_->create_blob(1, {.size = 4096}, [&](auto memory) { blob_failed = !memory; });
  ::kill(pid_, SIGKILL);
  worker_.reset();
  run_until([&] { return fence; });
  EXPECT_EQ(submitted, false);
  EXPECT_TRUE(blob_failed);
  uint32_t word;
  std::memcpy(&word, ring.data() + 4096 + 128, sizeof word);
  EXPECT_EQ(word, venus::kRingStatusFatal);
  std::memcpy(&word, gone.data() + 128, sizeof word);
  EXPECT_EQ(word, 0u);
  // And from now on at once.
  submitted.reset();
  fence = blob_failed = false;
  renderer_->submit({}, [&](bool success) { submitted = success; });
  renderer_->submit_fence(1, [&] { fence = true; });
  renderer_->create_blob(1, {.size = 4096}, [&](auto memory) { blob_failed = !memory; });
  EXPECT_EQ(submitted, false);
  EXPECT_TRUE(fence && blob_failed);
}

TEST_F(ContextProcessTest, AWorkerThatTalksNonsenseIsLost) {
  start();
  std::optional<bool> submitted;
  renderer_->submit({}, [&](bool success) { submitted = success; });
  say({.kind = static_cast<ContextEventKind>(77)});
  run_until([&] { return submitted.has_value(); });
  EXPECT_EQ(submitted, false);
}

TEST_F(ContextProcessTest, NothingIsCalledOnceTheRendererIsGone) {
  start();
  renderer_->submit({}, [&](bool) { ADD_FAILURE(); });
  renderer_->submit_fence(1, [&] { ADD_FAILURE(); });
  renderer_.reset();
}

TEST_F(ContextProcessTest, WorkersThatDoNotEndAreKilled) {
  make({.grace = milliseconds(1)});
  renderer_ = renderers_("cube");
  renderer_.reset();
  processes_->wait_for_ending(seconds(60));
  EXPECT_EQ(::kill(pid_, 0), -1);
}

TEST_F(ContextProcessTest, ServesSoManyAtATime) {
  make({.max_processes = 2});
  auto first = renderers_("first"), second = renderers_("second");
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(renderers_("third"));
}

}  // namespace
}  // namespace pvgpu::frontends::server
