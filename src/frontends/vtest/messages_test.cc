#include "frontends/vtest/messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "frontends/vtest/test_bytes.h"

namespace pvgpu::frontends::vtest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using venus::Poison;
using venus::PoisonReason;

std::expected<Request, Poison> parse_bytes(const Bytes& bytes) {
  Header header = parse_header(std::span(bytes).first<kHeaderBytes>());
  auto length = payload_bytes(header);
  if (!length) return std::unexpected(length.error());
  EXPECT_EQ(*length, bytes.size() - kHeaderBytes);
  return parse(header, std::span(bytes).subspan(kHeaderBytes));
}

template <class T>
T parse_as(const Bytes& bytes) {
  auto request = parse_bytes(bytes);
  EXPECT_TRUE(request.has_value()) << (request ? "" : request.error().detail);
  return request ? std::get<T>(*request) : T{};
}

void expect_poison(const Bytes& bytes, PoisonReason reason, const char* detail) {
  auto request = parse_bytes(bytes);
  ASSERT_FALSE(request.has_value());
  EXPECT_EQ(request.error().reason, reason);
  EXPECT_THAT(request.error().detail, HasSubstr(detail));
}

TEST(Messages, TheHandshakeOfTheReferenceParses) {
  EXPECT_EQ(parse_as<CreateRenderer>(name_message("vkcube")).name, "vkcube");
  parse_as<PingProtocolVersion>(message(10, {}));
  parse_as<ResourceBusyWait>(message(7, {0, 0}));
  EXPECT_EQ(parse_as<ProtocolVersion>(message(11, {3})).version, 3u);
  EXPECT_EQ(parse_as<GetParam>(message(15, {1})).param, kParamMaxTimelineCount);
  EXPECT_EQ(parse_as<GetCapset>(message(16, {4, 0})).id, 4u);
  EXPECT_EQ(parse_as<ContextInit>(message(17, {4})).capset_id, 4u);
}

TEST(Messages, WideValuesAreLowWordFirst) {
  auto blob = parse_as<ResourceCreateBlob>(message(18, {2, 3, 0x100, 0x1, 0x7, 0x2}));
  EXPECT_EQ(blob.request.flags, 3u);
  EXPECT_EQ(blob.request.size, 0x1'0000'0100u);
  EXPECT_EQ(blob.request.blob_id, 0x2'0000'0007u);
  EXPECT_EQ(parse_as<SyncCreate>(message(19, {5, 6})).value, 0x6'0000'0005u);
  EXPECT_EQ(parse_as<SyncWrite>(message(22, {9, 1, 2})).point, (SyncPoint{9, 0x2'0000'0001}));
  EXPECT_EQ(parse_as<ResourceUnref>(message(3, {8})).resource_id, 8u);
  EXPECT_EQ(parse_as<SyncUnref>(message(20, {8})).id, 8u);
  EXPECT_EQ(parse_as<SyncRead>(message(21, {8})).id, 8u);
}

TEST(Messages, ANotifyOfTheReferenceParses) {
  // Protocol reference, 1.6: vkNotifyRingMESA on ring_idx 0.
  const uint32_t words[] = {13, 24,   1, 1,          7,          6,      13, 0,
                            0,  0xbe, 0, 0x89abcdef, 0x01234567, 0x1000, 0};
  Bytes bytes = bytes_of(words);
  auto submit = parse_as<SubmitCmd2>(bytes);
  EXPECT_EQ(submit.ring_idx, 0u);
  ASSERT_EQ(submit.commands.size(), 24u);
  EXPECT_EQ(submit.commands.data(), bytes.data() + 36);
  EXPECT_TRUE(submit.syncs.empty());
}

TEST(Messages, SubmissionsCarrySyncs) {
  const uint32_t commands[] = {1, 2};
  const SyncPoint syncs[] = {{3, 0x1'0000'0002}, {4, 5}};
  auto submit = parse_as<SubmitCmd2>(submit_message(commands, 63, syncs));
  EXPECT_EQ(submit.ring_idx, 63u);
  EXPECT_EQ(submit.commands.size(), 8u);
  EXPECT_THAT(submit.syncs, ElementsAre(syncs[0], syncs[1]));
  auto sync_only = parse_as<SubmitCmd2>(submit_message({}, 1, syncs));
  EXPECT_TRUE(sync_only.commands.empty());
  EXPECT_EQ(sync_only.syncs.size(), 2u);
  EXPECT_TRUE(parse_as<SubmitCmd2>(message(24, {0})).commands.empty());
  // Without the flag, the ring_idx means nothing.
  EXPECT_EQ(parse_as<SubmitCmd2>(message(24, {1, 0, 7, 0, 7, 0, 99})).ring_idx, 0u);
}

TEST(Messages, WaitsAreForAllOrAny) {
  auto all = parse_as<SyncWait>(message(23, {0, 100, 1, 2, 0, 3, 4, 0}));
  EXPECT_FALSE(all.any);
  EXPECT_EQ(all.timeout_ms, 100u);
  EXPECT_THAT(all.points, ElementsAre(SyncPoint{1, 2}, SyncPoint{3, 4}));
  auto any = parse_as<SyncWait>(message(23, {1, kWaitForever}));
  EXPECT_TRUE(any.any);
  EXPECT_TRUE(any.points.empty());
}

TEST(Messages, EveryOtherCommandIsRefused) {
  for (uint32_t id : {0u, 1u, 2u, 4u, 5u, 6u, 9u, 12u, 13u, 14u, 25u, 38u, 0xffffffffu}) {
    auto length = payload_bytes(Header{0, id});
    ASSERT_FALSE(length.has_value()) << id;
    EXPECT_EQ(length.error().reason, PoisonReason::kBadMessage);
  }
}

TEST(Messages, LengthsAreCheckedBeforeAnythingIsRead) {
  const uint32_t ids[] = {3, 7, 8, 10, 11, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24};
  for (uint32_t id : ids) {
    EXPECT_FALSE(payload_bytes(Header{0xffffffff, id}).has_value()) << id;
    EXPECT_FALSE(payload_bytes(Header{0x40000001, id}).has_value()) << id;  // * 4 would overflow
    EXPECT_EQ(payload_bytes(Header{0, id}).has_value(), id == 10) << id;
  }
  EXPECT_FALSE(payload_bytes(Header{1, 10}).has_value());
  EXPECT_FALSE(payload_bytes(Header{5, 18}).has_value());
  EXPECT_FALSE(payload_bytes(Header{7, 18}).has_value());
  EXPECT_FALSE(payload_bytes(Header{kMaxNameBytes + 1, 8}).has_value());
  EXPECT_EQ(payload_bytes(Header{kMaxNameBytes, 8}), kMaxNameBytes);
  EXPECT_EQ(payload_bytes(Header{kMaxSubmitBytes / 4, 24}), kMaxSubmitBytes);
  EXPECT_FALSE(payload_bytes(Header{kMaxSubmitBytes / 4 + 1, 24}).has_value());
}

TEST(Messages, ANameNeedsItsEnd) {
  Bytes bytes = name_message("abc");
  bytes.back() = std::byte{'d'};
  expect_poison(bytes, PoisonReason::kBadMessage, "no end");
}

TEST(Messages, BlobsOfOtherKindsAreRefused) {
  expect_poison(message(18, {1, 1, 4096, 0, 0, 0}), PoisonReason::kBadMessage, "type 1");
  expect_poison(message(18, {3, 1, 4096, 0, 0, 0}), PoisonReason::kBadMessage, "type 3");
  expect_poison(message(18, {2, 8, 4096, 0, 0, 0}), PoisonReason::kBadMessage, "flags 0x8");
  expect_poison(message(18, {2, 1, 0, 0, 0, 0}), PoisonReason::kBadMessage, "size 0");
}

TEST(Messages, WaitsOfPartialPointsAreRefused) {
  expect_poison(message(23, {0, 0, 1}), PoisonReason::kBadMessage, "4 bytes");
  expect_poison(message(23, {2, 0}), PoisonReason::kBadMessage, "flags 0x2");
}

TEST(Messages, SubmissionsThatLeaveTheirMessageAreRefused) {
  auto refused = [](std::vector<uint32_t> words) {
    expect_poison(message(24, std::move(words)), PoisonReason::kBadMessage, "SUBMIT_CMD2");
  };
  refused({1, 1, 7, 1, 7, 0});                       // description cut
  refused({2, 1, 7, 0, 7, 0, 0, 1, 7, 0, 7, 0, 0});  // a second batch
  refused({0xffffffff});
  refused({1, 1, 7, 2, 9, 0, 0, 0});  // one word of two
  refused({1, 1, 8, 1, 8, 0, 0, 0});  // begins at the end
  refused({1, 1, 0xffffffff, 1, 7, 0, 0, 0});
  refused({1, 1, 7, 0xffffffff, 7, 0, 0, 0});
  refused({1, 1, 6, 1, 7, 0, 0, 0});                 // inside the description
  refused({1, 1, 7, 0, 7, 1, 0, 0, 0});              // two thirds of a sync
  refused({1, 1, 7, 0, 7, 0x55555556, 0, 0, 0, 0});  // * 3 would overflow
  refused({1, 1, 7, 0, 0xfffffffe, 1, 0, 0, 0, 0});
  refused({1, 2, 7, 0, 7, 0, 0});  // IN_FENCE_FD of version 4
  expect_poison(message(24, {1, 1, 7, 0, 7, 0, 64}), PoisonReason::kBadTimeline, "ring_idx 64");
}

TEST(Messages, GarbageNeverLeavesItsBytes) {
  // The address sanitizer watches; what comes back must lie inside the message.
  std::mt19937 random(1);
  for (int round = 0; round < 20000; round++) {
    std::vector<uint32_t> words(random() % 24);
    for (uint32_t& word : words) word = random() % 4 ? random() % 24 : random();
    // Mostly the messages of variable length; the others are hit by chance.
    Header header{static_cast<uint32_t>(words.size()),
                  static_cast<uint32_t>(random() % 2 ? 23 + random() % 2 : random() % 40)};
    Bytes payload = bytes_of(words);
    if (payload_bytes(header) != payload.size()) continue;
    auto request = parse(header, payload);
    if (!request) continue;
    if (auto* submit = std::get_if<SubmitCmd2>(&*request)) {
      EXPECT_LE(submit->commands.size(), words.size() * 4);
      EXPECT_LE(submit->syncs.size() * 3, words.size());
    }
  }
}

}  // namespace
}  // namespace pvgpu::frontends::vtest
