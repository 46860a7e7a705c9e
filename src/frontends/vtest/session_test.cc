#include "frontends/vtest/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <future>
#include <mutex>
#include <thread>

#include "frontends/vtest/test_bytes.h"
#include "platform/process.h"
#include "platform/shared_memory.h"
#include "platform/unix_socket.h"

namespace pvgpu::frontends::vtest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using venus::Poison;
using venus::PoisonReason;

// What a renderer saw and what it shall do; shared with the test's thread.
struct Stage {
  std::mutex mutex;
  std::vector<std::vector<uint32_t>> submissions;
  std::vector<uint32_t> blobs, unrefs;
  std::vector<std::pair<uint32_t, std::function<void()>>> fences;
  std::optional<Poison> poison_next_submit, poison_next_blob, poisoned;
  std::string name;
  int destroyed = 0;
};

class FakeRenderer : public Renderer {
 public:
  explicit FakeRenderer(Stage& stage) : stage_(stage) {}
  ~FakeRenderer() override {
    // As a context does: no fence stays uncalled.
    for (auto& [ring, done] : stage_.fences) done();
    stage_.destroyed++;
  }
  std::expected<venus::BlobMemory, Poison> create_blob(
      uint32_t id, const venus::BlobRequest& request) override {
    std::lock_guard lock(stage_.mutex);
    if (stage_.poison_next_blob) return std::unexpected(*stage_.poison_next_blob);
    stage_.blobs.push_back(id);
    auto memory = platform::SharedMemory::create(request.size, "blob");
    memory->data()[0] = std::byte{0x5a};
    return venus::BlobMemory{memory->fd().duplicate(), memory->size()};
  }
  void unref_resource(uint32_t id) override {
    std::lock_guard lock(stage_.mutex);
    stage_.unrefs.push_back(id);
  }
  std::expected<void, Poison> submit(std::span<const std::byte> commands) override {
    std::lock_guard lock(stage_.mutex);
    if (stage_.poison_next_submit) {
      stage_.poisoned = stage_.poison_next_submit;
      return std::unexpected(*stage_.poisoned);
    }
    EXPECT_EQ(reinterpret_cast<uintptr_t>(commands.data()) % 4, 0u);
    std::vector<uint32_t> words(commands.size() / 4);
    std::memcpy(words.data(), commands.data(), commands.size());
    stage_.submissions.push_back(std::move(words));
    return {};
  }
  std::expected<void, Poison> submit_fence(uint32_t ring_idx, std::function<void()> done) override {
    if (ring_idx == 0) {
      done();
      return {};
    }
    std::lock_guard lock(stage_.mutex);
    stage_.fences.emplace_back(ring_idx, std::move(done));
    return {};
  }
  std::optional<Poison> poisoned() const override {
    std::lock_guard lock(stage_.mutex);
    return stage_.poisoned;
  }

 private:
  Stage& stage_;
};

struct End {
  std::optional<Poison> poison;
  bool renderer_poisoned, refused_capset;
};

class SessionTest : public testing::Test {
 protected:
  SessionTest() {
    auto pair = platform::socket_pair();
    guest_ = std::move(pair->first);
    Session::Options options;
    options.make_renderer = [this](const std::string& name) {
      stage_.name = name;
      return std::make_unique<FakeRenderer>(stage_);
    };
    for (size_t i = 0; i < options.capset.size(); i++) options.capset[i] = std::byte(i);
    server_ = std::async(std::launch::async, [socket = std::move(pair->second),
                                              options = std::move(options)]() mutable {
      Session session(std::move(socket), std::move(options));
      auto poison = session.run();
      return End{poison, session.renderer_poisoned(), session.refused_capset()};
    });
  }

  void send(const Bytes& bytes) { ASSERT_TRUE(platform::send_all(guest_.get(), bytes)); }
  std::vector<uint32_t> receive(size_t words) {
    std::vector<uint32_t> out(words);
    EXPECT_TRUE(platform::receive_exactly(guest_.get(), std::as_writable_bytes(std::span(out))));
    return out;
  }
  void start_context() {
    send(name_message("vkcube"));
    send(message(CommandId::kContextInit, {4}));
  }
  // A request with a reply: everything before it has been handled afterwards.
  void round_trip() {
    send(message(CommandId::kPingProtocolVersion, {}));
    EXPECT_THAT(receive(2), ElementsAre(0, 10));
  }
  // The session's end, after the guest has closed.
  std::optional<Poison> close() {
    guest_.reset();
    return end();
  }
  std::optional<Poison> end() {
    ended_ = server_.get();
    return ended_.poison;
  }
  void expect_end(PoisonReason reason, const char* detail) {
    auto poison = end();
    ASSERT_TRUE(poison.has_value());
    EXPECT_EQ(poison->reason, reason);
    EXPECT_THAT(poison->detail, HasSubstr(detail));
    // A guest that waits for whatever reply gets something to read, and then the end.
    auto farewell = receive(kFarewell.size());
    EXPECT_TRUE(std::ranges::equal(farewell, kFarewell));
    std::byte byte[1];
    EXPECT_EQ(platform::receive_some(guest_.get(), byte), 0);
  }

  Stage stage_;
  platform::UniqueFd guest_;
  std::future<End> server_;
  End ended_{};
};

TEST_F(SessionTest, TheHandshakeGoesByTheReference) {
  send(name_message("vkcube"));
  send(message(CommandId::kPingProtocolVersion, {}));
  send(message(CommandId::kResourceBusyWait, {0, 0}));
  EXPECT_THAT(receive(5), ElementsAre(0, 10, 1, 7, 0));
  send(message(CommandId::kProtocolVersion, {3}));
  EXPECT_THAT(receive(3), ElementsAre(1, 11, 3));
  send(message(CommandId::kGetParam, {1}));
  EXPECT_THAT(receive(4), ElementsAre(2, 15, 1, 64));
  send(message(CommandId::kGetParam, {2}));
  EXPECT_THAT(receive(4), ElementsAre(2, 15, 0, 0));
  send(message(CommandId::kGetCapset, {4, 0}));
  auto capset = receive(43);
  EXPECT_EQ(capset[0], 41u);
  EXPECT_EQ(capset[1], 16u);
  EXPECT_EQ(capset[2], 1u);
  EXPECT_EQ(capset[3], 0x03020100u);
  EXPECT_EQ(capset[42], 0x9f9e9d9cu);
  send(message(CommandId::kGetCapset, {2, 0}));
  EXPECT_THAT(receive(3), ElementsAre(1, 16, 0));
  send(message(CommandId::kContextInit, {4}));
  round_trip();
  EXPECT_EQ(stage_.name, "vkcube");
  EXPECT_FALSE(close().has_value());
  EXPECT_EQ(stage_.destroyed, 1);
}

TEST_F(SessionTest, AGuestThatReadsTheCapsetAndLeavesIsTakenForAnOlderOne) {
  send(message(CommandId::kGetCapset, {4, 0}));
  receive(3 + venus::kCapsetBytes / 4);
  EXPECT_FALSE(close().has_value());
  EXPECT_TRUE(ended_.refused_capset);
}

TEST_F(SessionTest, AGuestThatSubmitsIsNot) {
  send(message(CommandId::kGetCapset, {4, 0}));
  receive(3 + venus::kCapsetBytes / 4);
  start_context();
  send(submit_message(std::vector<uint32_t>{1, 2, 3}));
  EXPECT_FALSE(close().has_value());
  EXPECT_FALSE(ended_.refused_capset);
}

TEST_F(SessionTest, VersionsAreNegotiatedDown) {
  send(message(CommandId::kProtocolVersion, {4}));
  EXPECT_THAT(receive(3), ElementsAre(1, 11, 3));
  send(message(CommandId::kProtocolVersion, {2}));
  EXPECT_THAT(receive(3), ElementsAre(1, 11, 2));
  EXPECT_FALSE(close().has_value());
}

TEST_F(SessionTest, BlobsComeAsAMappableDescriptorAfterTheReply) {
  start_context();
  send(message(CommandId::kResourceCreateBlob, {2, 1, 131268, 0, 0, 0}));
  EXPECT_THAT(receive(3), ElementsAre(1, 18, 1));
  platform::UniqueFd fd = platform::receive_descriptor(guest_.get());
  ASSERT_TRUE(fd.valid());
  void* data = ::mmap(nullptr, 131268, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  ASSERT_NE(data, MAP_FAILED);
  EXPECT_EQ(*static_cast<unsigned char*>(data), 0x5a);
  ::munmap(data, 131268);
  send(message(CommandId::kResourceUnref, {1}));
  send(message(CommandId::kResourceCreateBlob, {2, 1, 1, 0, 0, 0}));
  EXPECT_THAT(receive(3), ElementsAre(1, 18, 2));  // ids are not used twice
  EXPECT_TRUE(platform::receive_descriptor(guest_.get()).valid());
  EXPECT_FALSE(close().has_value());
  EXPECT_THAT(stage_.unrefs, ElementsAre(1));
}

TEST_F(SessionTest, SubmissionsArriveInOrderAndAligned) {
  // A name whose length leaves everything after it at odd addresses.
  send(name_message("ab"));
  send(message(CommandId::kContextInit, {4}));
  const uint32_t notify[] = {0xbe, 0, 1, 0, 0x1000, 0};
  const uint32_t other[] = {7};
  send(submit_message(notify));
  send(submit_message(other));
  send(submit_message({}));
  round_trip();
  ASSERT_EQ(stage_.submissions.size(), 2u);
  EXPECT_THAT(stage_.submissions[0], ElementsAre(0xbe, 0, 1, 0, 0x1000, 0));
  EXPECT_THAT(stage_.submissions[1], ElementsAre(7));
  EXPECT_FALSE(close().has_value());
}

TEST_F(SessionTest, MessagesArriveInAnyPieces) {
  Bytes all = name_message("vkcube");
  std::vector<uint32_t> large(50000);
  for (uint32_t i = 0; i < large.size(); i++) large[i] = i;
  for (const Bytes& part :
       {message(CommandId::kContextInit, {4}), submit_message(large),
        submit_message(std::span(large).first(3)), message(CommandId::kPingProtocolVersion, {})}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  for (size_t at = 0, piece = 1; at < all.size(); at += piece, piece = piece * 3 % 4099 + 1) {
    auto bytes = std::span(all).subspan(at, std::min(piece, all.size() - at));
    ASSERT_TRUE(platform::send_all(guest_.get(), bytes));
  }
  EXPECT_THAT(receive(2), ElementsAre(0, 10));
  ASSERT_EQ(stage_.submissions.size(), 2u);
  EXPECT_EQ(stage_.submissions[0], large);
  EXPECT_THAT(stage_.submissions[1], ElementsAre(0, 1, 2));
  EXPECT_FALSE(close().has_value());
}

TEST_F(SessionTest, SyncsAreSetByTheCpuTimelineAtOnce) {
  start_context();
  send(message(CommandId::kSyncCreate, {0, 0}));
  EXPECT_THAT(receive(3), ElementsAre(1, 19, 1));
  const SyncPoint point{1, 0x1'0000'0001};
  send(submit_message({}, 0, std::span(&point, 1)));
  send(message(CommandId::kSyncRead, {1}));
  EXPECT_THAT(receive(4), ElementsAre(2, 21, 1, 1));
  send(message(CommandId::kSyncWait, {0, 0, 1, 1, 1}));
  EXPECT_THAT(receive(2), ElementsAre(0, 23));
  platform::UniqueFd fd = platform::receive_descriptor(guest_.get());
  pollfd entry{fd.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&entry, 1, 60000), 1);
  send(message(CommandId::kSyncWrite, {1, 9, 0}));
  send(message(CommandId::kSyncRead, {1}));
  EXPECT_THAT(receive(4), ElementsAre(2, 21, 9, 0));
  send(message(CommandId::kSyncUnref, {1}));
  EXPECT_FALSE(close().has_value());
}

TEST_F(SessionTest, SyncsOfAQueueAreSetWhenItsFenceRetires) {
  start_context();
  send(message(CommandId::kSyncCreate, {0, 0}));
  receive(3);
  const SyncPoint point{1, 1};
  send(submit_message({}, 5, std::span(&point, 1)));
  send(message(CommandId::kSyncWait, {1, kWaitForever, 1, 1, 0}));
  EXPECT_THAT(receive(2), ElementsAre(0, 23));
  platform::UniqueFd fd = platform::receive_descriptor(guest_.get());
  pollfd entry{fd.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&entry, 1, 0), 0);
  {
    std::lock_guard lock(stage_.mutex);
    ASSERT_EQ(stage_.fences.size(), 1u);
    EXPECT_EQ(stage_.fences[0].first, 5u);
    stage_.fences[0].second();
    stage_.fences.clear();
  }
  EXPECT_EQ(::poll(&entry, 1, 60000), 1);
  EXPECT_FALSE(close().has_value());
}

TEST_F(SessionTest, FencesMayRetireWhileTheContextIsDestroyed) {
  start_context();
  send(message(CommandId::kSyncCreate, {0, 0}));
  receive(3);
  const SyncPoint point{1, 1};
  send(submit_message({}, 5, std::span(&point, 1)));
  round_trip();
  EXPECT_FALSE(close().has_value());  // the fake calls its fences in its destructor
  EXPECT_EQ(stage_.destroyed, 1);
}

TEST_F(SessionTest, AMistakeOnTheContextStreamEndsTheConnection) {
  stage_.poison_next_submit = Poison{PoisonReason::kUnknownCommand, "command 999"};
  start_context();
  const uint32_t command[] = {999, 0};
  send(submit_message(command));
  expect_end(PoisonReason::kUnknownCommand, "999");
  EXPECT_TRUE(ended_.renderer_poisoned);
  EXPECT_EQ(stage_.destroyed, 1);
}

TEST_F(SessionTest, AMistakeOnARingEndsTheConnectionAtTheNextMessage) {
  start_context();
  round_trip();
  {
    std::lock_guard lock(stage_.mutex);
    stage_.poisoned = Poison{PoisonReason::kUnknownObject, "object 5"};
  }
  const uint32_t command[] = {1};
  send(submit_message(command));
  expect_end(PoisonReason::kUnknownObject, "object 5");
  EXPECT_TRUE(ended_.renderer_poisoned);
  EXPECT_TRUE(stage_.submissions.empty());
}

TEST_F(SessionTest, ABlobThatCannotBeMadeEndsTheConnection) {
  stage_.poison_next_blob = Poison{PoisonReason::kUnknownObject, "blob 7"};
  start_context();
  send(message(CommandId::kResourceCreateBlob, {2, 1, 4096, 0, 7, 0}));
  expect_end(PoisonReason::kUnknownObject, "blob 7");
}

TEST_F(SessionTest, UnknownCommandsEndTheConnection) {
  send(message(1, {}));
  expect_end(PoisonReason::kBadMessage, "command 1 ");
  EXPECT_FALSE(ended_.renderer_poisoned);
}

TEST_F(SessionTest, OversizedMessagesEndTheConnectionBeforeTheyArrive) {
  const uint32_t header[] = {0x3fffffff, 24};
  send(bytes_of(header));
  expect_end(PoisonReason::kBadMessage, "length");
}

TEST_F(SessionTest, CommandsBeforeTheContextEndTheConnection) {
  const uint32_t command[] = {1};
  send(submit_message(command));
  expect_end(PoisonReason::kBadMessage, "before CONTEXT_INIT");
}

TEST_F(SessionTest, BlobsBeforeTheContextEndTheConnection) {
  send(message(CommandId::kResourceCreateBlob, {2, 1, 4096, 0, 0, 0}));
  expect_end(PoisonReason::kBadMessage, "before CONTEXT_INIT");
}

TEST_F(SessionTest, OtherCapsetsEndTheConnection) {
  send(message(CommandId::kContextInit, {1}));
  expect_end(PoisonReason::kBadMessage, "capset 1");
}

TEST_F(SessionTest, ASecondContextEndsTheConnection) {
  start_context();
  send(message(CommandId::kContextInit, {4}));
  expect_end(PoisonReason::kBadMessage, "twice");
}

TEST_F(SessionTest, ASecondNameEndsTheConnection) {
  send(name_message("a"));
  send(name_message("b"));
  expect_end(PoisonReason::kBadMessage, "twice");
}

TEST_F(SessionTest, UnknownResourcesEndTheConnection) {
  start_context();
  send(message(CommandId::kResourceUnref, {1}));
  expect_end(PoisonReason::kUnknownResource, "resource 1");
  EXPECT_TRUE(stage_.unrefs.empty());
}

TEST_F(SessionTest, UnknownSyncsEndTheConnectionBeforeTheCommandsRun) {
  start_context();
  const uint32_t command[] = {1};
  const SyncPoint point{1, 1};
  send(submit_message(command, 0, std::span(&point, 1)));
  expect_end(PoisonReason::kBadMessage, "sync 1");
  EXPECT_TRUE(stage_.submissions.empty());
}

TEST_F(SessionTest, AConnectionThatEndsInsideAMessageIsAMistake) {
  start_context();
  Bytes cut = message(CommandId::kResourceCreateBlob, {2, 1, 4096, 0, 0, 0});
  cut.resize(20);
  send(cut);
  ::shutdown(guest_.get(), SHUT_WR);
  expect_end(PoisonReason::kTruncated, "20 of a message's 32 bytes");
  EXPECT_EQ(stage_.destroyed, 1);
}

TEST_F(SessionTest, AConnectionThatEndsInsideAHeaderIsAMistake) {
  start_context();
  const std::byte part[3] = {};
  ASSERT_TRUE(platform::send_all(guest_.get(), part));
  ::shutdown(guest_.get(), SHUT_WR);
  expect_end(PoisonReason::kTruncated, "3 of a message's 8 bytes");
}

TEST_F(SessionTest, AGuestThatDoesNotTakeItsReplyIsJustGone) {
  start_context();
  send(message(CommandId::kSyncCreate, {0, 0}));
  send(message(CommandId::kSyncWait, {0, 0, 1, 1, 0}));
  EXPECT_FALSE(close().has_value());
}

TEST_F(SessionTest, NamesAreCutAndMadePrintable) {
  send(name_message("\x1b[31m" + std::string(1000, 'x')));
  send(message(CommandId::kContextInit, {4}));
  round_trip();
  EXPECT_EQ(stage_.name.substr(0, 8), "\\x1b[31m");
  EXPECT_LT(stage_.name.size(), 100u);
  EXPECT_FALSE(close().has_value());
}

}  // namespace
}  // namespace pvgpu::frontends::vtest
