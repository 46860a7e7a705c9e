#include "frontends/vhost_user/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "frontends/vhost_user/testing/frontend.h"
#include "frontends/vhost_user/testing/plain_renderer.h"
#include "platform/process.h"

namespace pvgpu::frontends::vhost_user {
namespace {

using ::testing::HasSubstr;
using testing::Frontend;
using testing::PlainRenderer;
using testing::wait_readable;
using virtio_gpu::Command;
using virtio_gpu::Response;

// What tells of one region of memory.
struct OneRegion {
  uint64_t padding;
  MemoryRegion region;
};

class SessionTest : public ::testing::Test {
 protected:
  SessionTest() {
    auto pair = platform::socket_pair();
    frontend_.emplace(std::move(pair->first));
    session_ = std::async(std::launch::async, [socket = std::move(pair->second)]() mutable {
      auto loop = platform::EventLoop::create();
      Session::Options options;
      options.device.make_renderer = [](const std::string&) { return std::make_unique<PlainRenderer>(); };
      options.device.window_bytes = 1 << 20;
      options.memory_slots = true;
      Session session(**loop, std::move(socket), std::move(options));
      return session.run();
    });
  }
  ~SessionTest() override {
    if (session_.valid()) end();
  }
  std::expected<void, std::string> end() {
    frontend_.reset();
    return session_.get();
  }
  void expect_broken(const char* why) {
    EXPECT_TRUE(frontend_->closed());
    const auto end = session_.get();
    ASSERT_FALSE(end);
    EXPECT_THAT(end.error(), HasSubstr(why));
  }
  void create_context() {
    EXPECT_EQ(frontend_->call(Command::kCtxCreate, virtio_gpu::CtxCreate{.context_init = 4}, 1), Response::kOkNoData);
  }
  void create_blob(uint32_t id) {
    EXPECT_EQ(frontend_->call(Command::kResourceCreateBlob, virtio_gpu::ResourceCreateBlob{id, 2, 1, 0, 0, 4096}, 1),
              Response::kOkNoData);
  }
  // A driver with context 1 and its blob 1.
  void start_with_blob() {
    frontend_->start();
    create_context();
    create_blob(1);
  }
  // Has the driver map blob 1; returns what the session asks for then.
  Message map_blob(uint64_t window_offset) {
    frontend_->put_request(Command::kResourceMapBlob, virtio_gpu::ResourceMapBlob{1, 0, window_offset});
    platform::ring_doorbell(frontend_->kick_button());
    return frontend_->window_request();
  }

  std::optional<Frontend> frontend_;
  std::future<std::expected<void, std::string>> session_;
};

TEST_F(SessionTest, ServesADriver) {
  frontend_->start();
  EXPECT_EQ(frontend_->call(Command::kGetCapsetInfo, virtio_gpu::GetCapsetInfo{}), Response::kOkCapsetInfo);
  EXPECT_TRUE(end());
}

TEST_F(SessionTest, OffersWhatQemuNeeds) {
  frontend_->negotiate();
  // The numbers of the "Vhost-user Protocol" document, and what QEMU 11.1 acknowledged when it was tried.
  EXPECT_EQ(frontend_->protocol_features() & 0x40a629u, 0x40a629u);
  const auto config = frontend_->ask<ShmemConfig>(FrontendRequest::kGetShmemConfig);
  EXPECT_EQ(config.count, 1u);
  EXPECT_EQ(config.sizes[1], 1u << 20);
  EXPECT_EQ(config.sizes[0], 0u);
}

TEST_F(SessionTest, TakesUpWhatWasAvailableBeforeItStarted) {
  frontend_->negotiate();
  frontend_->send(FrontendRequest::kSetFeatures, frontend_->features());
  frontend_->add_memory();
  frontend_->put_request(Command::kGetCapsetInfo, virtio_gpu::GetCapsetInfo{});
  frontend_->start_queue();
  EXPECT_EQ(frontend_->answer(), Response::kOkCapsetInfo);
}

TEST_F(SessionTest, ConfigSpace) {
  frontend_->negotiate();
  struct {
    ConfigHeader header{0, sizeof(virtio_gpu::Config), 0};
    virtio_gpu::Config config{};
  } read;
  read = frontend_->ask<decltype(read)>(FrontendRequest::kGetConfig, read);
  EXPECT_EQ(read.config.num_capsets, 1u);
  read.header.size = 300;
  frontend_->send(FrontendRequest::kGetConfig, read);
  expect_broken("300 bytes of the config space");
}

TEST_F(SessionTest, MapsBlobsWhileTheFrontendAsksSomething) {
  start_with_blob();
  Message map = map_blob(0x3000);
  EXPECT_EQ(map.header.request, 9u);
  ShmemMap body;
  ASSERT_EQ(map.payload.size(), sizeof body);
  std::memcpy(&body, map.payload.data(), sizeof body);
  EXPECT_EQ(body.region_id, 1);
  EXPECT_EQ(body.window_offset, 0x3000u);
  EXPECT_EQ(body.length, 4096u);
  EXPECT_EQ(body.flags, 1u);
  ASSERT_EQ(map.descriptors.size(), 1u);
  // QEMU tells of the new region and waits for our reply before it answers. A session that waited for the answer
  // would hang it for good.
  OneRegion one{0, {0xe000'3000, 4096, 0x7e00'0000'0000, 0}};
  frontend_->acknowledged(FrontendRequest::kAddMemReg, one, map.descriptors[0].get());
  frontend_->answer_window(map, 0);
  EXPECT_EQ(frontend_->answer(), Response::kOkMapInfo);

  frontend_->put_request(Command::kResourceUnmapBlob, virtio_gpu::ResourceId{1, 0});
  platform::ring_doorbell(frontend_->kick_button());
  Message unmap = frontend_->window_request();
  EXPECT_EQ(unmap.header.request, 10u);
  frontend_->acknowledged(FrontendRequest::kRemMemReg, one);
  frontend_->answer_window(unmap, 0);
  EXPECT_EQ(frontend_->answer(), Response::kOkNoData);
}

TEST_F(SessionTest, TellsTheDriverThatAMappingWasRefused) {
  start_with_blob();
  frontend_->answer_window(map_blob(0), 1);
  EXPECT_EQ(frontend_->answer(), Response::kErrUnspec);
}

TEST_F(SessionTest, DoesNotKeepDescriptorsOfTheWindowsRegions) {
  start_with_blob();
  Message map = map_blob(0);
  OneRegion one{0, {0xe000'0000, 4096, 0x7e00'0000'0000, 0}};
  size_t after_the_first = 0;
  for (int i = 0; i < 100; i++) {
    one.region.guest_address += 4096;
    frontend_->acknowledged(FrontendRequest::kAddMemReg, one, map.descriptors[0].get());
    if (i == 0) after_the_first = platform::current_usage().descriptors;
  }
  EXPECT_EQ(platform::current_usage().descriptors, after_the_first);
  frontend_->answer_window(map, 0);
  EXPECT_EQ(frontend_->answer(), Response::kOkMapInfo);
}

TEST_F(SessionTest, PausesAndGoesOn) {
  frontend_->start();
  EXPECT_EQ(frontend_->call(Command::kGetCapsetInfo, virtio_gpu::GetCapsetInfo{}), Response::kOkCapsetInfo);
  create_context();
  const auto state = frontend_->ask<VringState>(FrontendRequest::kGetVringBase, VringState{0, 0});
  EXPECT_EQ(state.num, 2u);
  frontend_->start_queue(0, static_cast<uint16_t>(state.num));
  // The context is still there.
  EXPECT_EQ(frontend_->call(Command::kCtxDestroy, 0, 1), Response::kOkNoData);
}

TEST_F(SessionTest, ResetsTheDevice) {
  frontend_->start();
  create_context();
  frontend_->send(FrontendRequest::kResetDevice, std::span<const std::byte>());
  frontend_->send(FrontendRequest::kSetFeatures, frontend_->features());
  frontend_->start_queue(0, frontend_->available());
  create_context();
}

TEST_F(SessionTest, ANewDriverFindsANewDevice) {
  start_with_blob();
  frontend_->answer_window(map_blob(0x3000), 0);
  EXPECT_EQ(frontend_->answer(), Response::kOkMapInfo);
  // A reboot, as QEMU lets us see it.
  frontend_->ask<VringState>(FrontendRequest::kGetVringBase, VringState{0, 0});
  frontend_->forget_queue();
  frontend_->start_queue();
  // What was mapped goes, now that the device runs again.
  const Message unmap = frontend_->window_request();
  EXPECT_EQ(unmap.header.request, 10u);
  frontend_->answer_window(unmap, 0);
  create_context();
  create_blob(1);
}

TEST_F(SessionTest, AsksForNothingWhileTheDeviceIsStopped) {
  start_with_blob();
  frontend_->answer_window(map_blob(0x3000), 0);
  EXPECT_EQ(frontend_->answer(), Response::kOkMapInfo);
  frontend_->ask<VringState>(FrontendRequest::kGetVringBase, VringState{0, 0});
  frontend_->send(FrontendRequest::kResetDevice, std::span<const std::byte>());
  frontend_->acknowledged(FrontendRequest::kSetOwner, uint64_t{0});
  EXPECT_FALSE(frontend_->window_asks());
  frontend_->forget_queue();
  frontend_->start_queue();
  EXPECT_EQ(frontend_->window_request().header.request, 10u);
}

TEST_F(SessionTest, TellsOfABrokenQueue) {
  frontend_->start();
  // The driver claims more than the queue holds.
  const uint16_t index = 1000;
  std::memcpy(frontend_->at(0x1002), &index, sizeof index);
  platform::ring_doorbell(frontend_->kick_button());
  EXPECT_TRUE(wait_readable(frontend_->error_fd()));
}

TEST_F(SessionTest, TellsAtItsEndHowOftenTheDeviceRefused) {
  frontend_->start();
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 3; i++)
    EXPECT_EQ(frontend_->call(Command::kResourceUnref, virtio_gpu::ResourceId{7, 0}), Response::kErrInvalidResourceId);
  EXPECT_TRUE(end());
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("resource 7 does not exist (and 2 more like it)\n"));
}

TEST_F(SessionTest, SurvivesMemoryThatGoes) {
  frontend_->start();
  OneRegion one{0, {Frontend::kGuestAddress, Frontend::kMemoryBytes, Frontend::kUserAddress, 0}};
  frontend_->acknowledged(FrontendRequest::kRemMemReg, one);
  frontend_->put_request(Command::kGetCapsetInfo, virtio_gpu::GetCapsetInfo{});
  platform::ring_doorbell(frontend_->kick_button());
  EXPECT_TRUE(wait_readable(frontend_->call_fd()));  // the buffer comes back, without an answer
}

TEST_F(SessionTest, RefusesMemoryThatItsFileDoesNotHave) {
  frontend_->negotiate();
  OneRegion one{0, {0, Frontend::kMemoryBytes * 2, 0, 0}};
  frontend_->send(FrontendRequest::kAddMemReg, one, frontend_->memory_fd().get());
  expect_broken("its file has");
}

TEST_F(SessionTest, EndsOnUnknownRequests) {
  frontend_->send(static_cast<FrontendRequest>(99), VringState{});
  expect_broken("request 99");
}

TEST_F(SessionTest, EndsOnQueuesThatDoNotExist) {
  frontend_->send(FrontendRequest::kSetVringNum, VringState{2, 8});
  expect_broken("queue 2 of 2");
}

TEST_F(SessionTest, EndsOnFeaturesThatWereNotOffered) {
  frontend_->send(FrontendRequest::kSetFeatures, uint64_t{1} << 60);
  expect_broken("not offered");
}

TEST_F(SessionTest, EndsOnCutOffMessages) {
  frontend_->send(FrontendRequest::kSetVringAddr, VringState{0, 0});
  expect_broken("only 8 bytes");
}

TEST_F(SessionTest, EndsOnMemoryTablesThatLie) {
  struct {
    MemoryTableHeader header{8, 0};
    MemoryRegion region;
  } table{};
  frontend_->send(FrontendRequest::kSetMemTable, table);
  expect_broken("8 regions and 0 descriptors");
}

}  // namespace
}  // namespace pvgpu::frontends::vhost_user
