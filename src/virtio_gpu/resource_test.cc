// Blobs, their places in the window, and contexts that share them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "virtio_gpu/testing/driver.h"

namespace pvgpu::virtio_gpu {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using testing::FakeMemory;
using testing::FakeRenderer;
using testing::Machine;

class ResourceTest : public ::testing::Test {
 protected:
  explicit ResourceTest(ControlOptions options = {.map_alignment = kSmallestPage}) : machine_(std::move(options)) {
    machine_.probe();
    machine_.create_context(1);
  }
  FakeRenderer& context(size_t index = 0) { return *machine_.renderers[index]; }
  Machine::Sent send_map(uint32_t resource, uint64_t offset) {
    return machine_.send(Machine::request(Command::kResourceMapBlob, ResourceMapBlob{resource, 0, offset}));
  }
  Machine::Sent send_blob(uint32_t resource) {
    return machine_.send(Machine::request(
        Command::kResourceCreateBlob, ResourceCreateBlob{resource, kBlobMemHost3d, venus::kBlobMappable, 0, 0, 4096}, 1));
  }
  Response with_id(Command command, uint32_t resource, uint32_t ctx = 0) {
    return machine_.call(command, ResourceId{resource, 0}, ctx);
  }

  Machine machine_;
};

TEST_F(ResourceTest, HostBlobIsMappedAndUnmapped) {
  EXPECT_EQ(machine_.create_blob(1, 1, 5000, 77), Response::kOkNoData);
  ASSERT_EQ(context().blobs.size(), 1u);
  EXPECT_EQ(context().blobs[0].blob_id, 77u);
  EXPECT_EQ(context().blobs[0].size, 5000u);
  const auto answer = machine_.answer_to(send_map(1, 0x2000));
  ASSERT_EQ(Machine::type_of(answer), Response::kOkMapInfo);
  EXPECT_EQ(Machine::body_of<MapInfo>(*answer).map_info, kMapCacheWriteCombine);
  EXPECT_THAT(machine_.window, ElementsAre(Pair(0x2000, 8192)));
  EXPECT_EQ(machine_.map(1, 0x8000), Response::kErrInvalidParameter);  // mapped already
  EXPECT_EQ(with_id(Command::kResourceUnmapBlob, 1), Response::kOkNoData);
  EXPECT_TRUE(machine_.window.empty());
  EXPECT_EQ(with_id(Command::kResourceUnmapBlob, 1), Response::kErrInvalidParameter);
}

TEST_F(ResourceTest, SharedMemoryIsCached) {
  EXPECT_EQ(machine_.create_blob(1, 1), Response::kOkNoData);
  EXPECT_EQ(Machine::body_of<MapInfo>(*machine_.answer_to(send_map(1, 0))).map_info, kMapCacheCached);
}

TEST_F(ResourceTest, PlacesInTheWindowAreChecked) {
  const uint64_t window = 1 << 20;
  for (uint32_t id = 1; id <= 4; id++) EXPECT_EQ(machine_.create_blob(id, 1, 8192), Response::kOkNoData);
  for (const uint64_t bad : {uint64_t{0x800}, window, window - 4096, UINT64_MAX - 4095, uint64_t{1} << 40})
    EXPECT_EQ(machine_.map(1, bad), Response::kErrInvalidParameter) << bad;
  EXPECT_EQ(machine_.map(1, 0x4000), Response::kOkMapInfo);
  for (const uint64_t taken : {0x3000, 0x4000, 0x5000})
    EXPECT_EQ(machine_.map(2, taken), Response::kErrInvalidParameter) << taken;
  EXPECT_EQ(machine_.map(2, 0x2000), Response::kOkMapInfo);
  EXPECT_EQ(machine_.map(3, 0x6000), Response::kOkMapInfo);
  EXPECT_EQ(machine_.map(4, window - 8192), Response::kOkMapInfo);
}

// A host with pages of 16 KiB.
class LargePages : public ResourceTest {
 protected:
  static constexpr uint32_t kPage = 16384;
  LargePages() : ResourceTest({.map_alignment = kPage}) {}
};

TEST_F(LargePages, TheGuestIsTold) {
  EXPECT_TRUE(machine_.device->offered_features() & kFeatureBlobAlignment);
  uint32_t alignment = 0;
  machine_.device->read_config(16, std::as_writable_bytes(std::span(&alignment, 1)));
  EXPECT_EQ(alignment, kPage);
}

TEST_F(LargePages, BlobsOfSmallerPagesArePadded) {
  EXPECT_EQ(machine_.create_blob(1, 1, 4096), Response::kOkNoData);
  EXPECT_EQ(context().blobs[0].size, kPage);
  EXPECT_EQ(machine_.map(1, 2 * kPage), Response::kOkMapInfo);
  EXPECT_THAT(machine_.window, ElementsAre(Pair(2 * kPage, kPage)));
  EXPECT_EQ(with_id(Command::kResourceUnmapBlob, 1), Response::kOkNoData);
  EXPECT_TRUE(machine_.window.empty());
}

TEST_F(LargePages, PlacesAreThoseOfPages) {
  for (uint32_t id = 1; id <= 3; id++) EXPECT_EQ(machine_.create_blob(id, 1, 20480), Response::kOkNoData);
  EXPECT_EQ(machine_.map(1, 0), Response::kOkMapInfo);
  EXPECT_EQ(machine_.map(2, 20480), Response::kErrInvalidParameter) << "the rest of the first one's last page";
  EXPECT_EQ(machine_.map(2, kPage), Response::kErrInvalidParameter);
  EXPECT_EQ(machine_.map(2, 2 * kPage), Response::kOkMapInfo);
  EXPECT_EQ(machine_.map(3, (1 << 20) - kPage), Response::kErrInvalidParameter) << "its padding is outside";
}

TEST_F(ResourceTest, NothingIsSaidOfBlobsAlignmentWhereGuestsPagesAreOurs) {
  EXPECT_FALSE(machine_.device->offered_features() & kFeatureBlobAlignment);
  uint32_t alignment = 1;
  machine_.device->read_config(16, std::as_writable_bytes(std::span(&alignment, 1)));
  EXPECT_EQ(alignment, 0u);
}

TEST_F(ResourceTest, MappingWaitsForTheMemory) {
  context().later = true;
  const auto created = send_blob(1), mapped = send_map(1, 0);
  EXPECT_FALSE(machine_.answer_to(mapped));
  EXPECT_TRUE(machine_.window.empty());
  context().finish();
  EXPECT_EQ(Machine::type_of(machine_.answer_to(created)), Response::kOkNoData);
  EXPECT_EQ(Machine::type_of(machine_.answer_to(mapped)), Response::kOkMapInfo);
}

TEST_F(ResourceTest, MappingIsRefusedWhenTheContextGoesFirst) {
  context().later = true;
  const auto created = send_blob(1), mapped = send_map(1, 0);
  EXPECT_EQ(machine_.call(Command::kCtxDestroy, 0, 1), Response::kOkNoData);
  EXPECT_EQ(Machine::type_of(machine_.answer_to(created)), Response::kErrUnspec);
  EXPECT_EQ(Machine::type_of(machine_.answer_to(mapped)), Response::kErrOutOfMemory);
}

TEST_F(ResourceTest, MappingIsRefusedWhenTheResourceGoesFirst) {
  context().later = true;
  send_blob(1);
  const auto mapped = send_map(1, 0);
  EXPECT_EQ(with_id(Command::kResourceUnref, 1), Response::kOkNoData);
  EXPECT_EQ(Machine::type_of(machine_.answer_to(mapped)), Response::kErrUnspec);
  context().finish();
  EXPECT_TRUE(machine_.window.empty());
}

TEST_F(ResourceTest, WhatAwaitsItsMemoryIsNotTakenOutOfTheWindowAtAReset) {
  context().later = true;
  send_blob(1);
  send_map(1, 0);
  machine_.device->reset();
  EXPECT_EQ(machine_.unmapped, 0);
}

TEST_F(ResourceTest, UnmappedBeforeItsMemoryCame) {
  context().later = true;
  send_blob(1);
  const auto mapped = send_map(1, 0);
  EXPECT_EQ(with_id(Command::kResourceUnmapBlob, 1), Response::kOkNoData);
  const auto again = send_map(1, 0x1000);
  context().finish();
  EXPECT_EQ(Machine::type_of(machine_.answer_to(mapped)), Response::kErrUnspec);
  EXPECT_EQ(Machine::type_of(machine_.answer_to(again)), Response::kOkMapInfo);
  EXPECT_THAT(machine_.window, ElementsAre(Pair(0x1000, 4096)));
}

TEST_F(ResourceTest, AnswersTheMappingWhenTheWindowHasIt) {
  EXPECT_EQ(machine_.create_blob(1, 1), Response::kOkNoData);
  machine_.window_later = true;
  const auto mapped = send_map(1, 0);
  EXPECT_FALSE(machine_.answer_to(mapped));
  machine_.window_done[0](true);
  EXPECT_EQ(Machine::type_of(machine_.answer_to(mapped)), Response::kOkMapInfo);
}

TEST_F(ResourceTest, AWindowThatRefuses) {
  EXPECT_EQ(machine_.create_blob(1, 1), Response::kOkNoData);
  machine_.window_fails = true;
  EXPECT_EQ(machine_.map(1, 0), Response::kErrUnspec);
}

TEST_F(ResourceTest, MemoryThatNothingCanMap) {
  context().unmappable = true;
  EXPECT_EQ(machine_.create_blob(1, 1), Response::kOkNoData);
  EXPECT_EQ(machine_.map(1, 0), Response::kErrOutOfMemory);
  context().unmappable = false;
  // Its place is free again.
  EXPECT_EQ(machine_.create_blob(2, 1), Response::kOkNoData);
  EXPECT_EQ(machine_.map(2, 0), Response::kOkMapInfo);
}

TEST_F(ResourceTest, APoisonedContextsBlobCannotBeMapped) {
  context().poisoned = true;
  EXPECT_EQ(machine_.create_blob(1, 1), Response::kErrUnspec);
  EXPECT_EQ(machine_.map(1, 0), Response::kErrOutOfMemory);
  EXPECT_EQ(with_id(Command::kResourceUnref, 1), Response::kOkNoData);
}

TEST_F(ResourceTest, UnrefTakesTheMappingAway) {
  EXPECT_EQ(machine_.create_blob(1, 1), Response::kOkNoData);
  EXPECT_EQ(machine_.map(1, 0), Response::kOkMapInfo);
  EXPECT_EQ(with_id(Command::kResourceUnref, 1), Response::kOkNoData);
  EXPECT_TRUE(machine_.window.empty());
  EXPECT_THAT(context().unrefs, ElementsAre(1));
  EXPECT_EQ(with_id(Command::kResourceUnref, 1), Response::kErrInvalidResourceId);
}

TEST_F(ResourceTest, AContextsBlobIsKnownToItAtOnceAndToOthersWhenAttached) {
  machine_.create_context(2);
  EXPECT_EQ(machine_.create_blob(1, 1), Response::kOkNoData);
  EXPECT_EQ(with_id(Command::kCtxAttachResource, 1, 1), Response::kOkNoData);
  EXPECT_TRUE(context(0).attached.empty());
  EXPECT_EQ(with_id(Command::kCtxAttachResource, 1, 2), Response::kOkNoData);
  EXPECT_THAT(context(1).attached, ElementsAre(1));
  EXPECT_EQ(with_id(Command::kCtxDetachResource, 1, 1), Response::kOkNoData);
  EXPECT_THAT(context(0).unrefs, ElementsAre(1));
  EXPECT_EQ(with_id(Command::kResourceUnref, 1), Response::kOkNoData);
  EXPECT_THAT(context(0).unrefs, ElementsAre(1));
  EXPECT_THAT(context(1).unrefs, ElementsAre(1));
}

TEST_F(ResourceTest, AttachingWaitsForTheMemory) {
  machine_.create_context(2);
  context(0).later = true;
  send_blob(1);
  EXPECT_EQ(with_id(Command::kCtxAttachResource, 1, 2), Response::kOkNoData);
  EXPECT_TRUE(context(1).attached.empty());
  context(0).finish();
  EXPECT_THAT(context(1).attached, ElementsAre(1));
}

TEST_F(ResourceTest, ABlobOutlivesItsContext) {
  EXPECT_EQ(machine_.create_blob(1, 1), Response::kOkNoData);
  EXPECT_EQ(machine_.call(Command::kCtxDestroy, 0, 1), Response::kOkNoData);
  machine_.create_context(2);
  EXPECT_EQ(with_id(Command::kCtxAttachResource, 1, 2), Response::kOkNoData);
  EXPECT_THAT(context().attached, ElementsAre(1));
  EXPECT_EQ(machine_.map(1, 0), Response::kOkMapInfo);
}

TEST_F(ResourceTest, GuestBlobs) {
  const auto create = [&](uint32_t id, uint64_t size, std::vector<MemEntry> pages, uint32_t claimed) {
    const auto bytes = std::as_bytes(std::span(pages));
    return machine_.call(Command::kResourceCreateBlob, ResourceCreateBlob{id, kBlobMemGuest, 0, claimed, 0, size}, 0,
                         {bytes.begin(), bytes.end()});
  };
  EXPECT_EQ(create(1, 8192, {{FakeMemory::kLow, 4096, 0}, {FakeMemory::kHigh, 4096, 0}}, 2), Response::kOkNoData);
  EXPECT_EQ(machine_.map(1, 0), Response::kErrInvalidParameter);
  EXPECT_EQ(create(2, 8193, {{FakeMemory::kLow, 8192, 0}}, 1), Response::kErrInvalidParameter);    // too few bytes
  EXPECT_EQ(create(2, 4096, {{FakeMemory::kLow, 4096, 0}}, 2), Response::kErrInvalidParameter);    // cut off
  EXPECT_EQ(create(2, 4096, {}, UINT32_MAX), Response::kErrInvalidParameter);                      // cut off by far
  EXPECT_EQ(create(1, 4096, {{FakeMemory::kLow, 4096, 0}}, 1), Response::kErrInvalidResourceId);   // in use
  EXPECT_EQ(create(0, 4096, {{FakeMemory::kLow, 4096, 0}}, 1), Response::kErrInvalidResourceId);
}

TEST_F(ResourceTest, HostBlobWithGuestPages) {
  const MemEntry page{FakeMemory::kLow, 4096, 0};
  const auto bytes = std::as_bytes(std::span(&page, 1));
  EXPECT_EQ(machine_.call(Command::kResourceCreateBlob,
                          ResourceCreateBlob{1, kBlobMemHost3dGuest, venus::kBlobMappable, 1, 0, 4096}, 1,
                          {bytes.begin(), bytes.end()}), Response::kOkNoData);
  EXPECT_EQ(machine_.map(1, 0), Response::kOkMapInfo);
}

TEST_F(ResourceTest, ImpossibleBlobs) {
  const auto create = [&](ResourceCreateBlob body, uint32_t ctx) {
    return machine_.call(Command::kResourceCreateBlob, body, ctx);
  };
  EXPECT_EQ(create({1, 0, 0, 0, 0, 4096}, 1), Response::kErrInvalidParameter);
  EXPECT_EQ(create({1, 4, 0, 0, 0, 4096}, 1), Response::kErrInvalidParameter);
  EXPECT_EQ(create({1, kBlobMemHost3d, 8, 0, 0, 4096}, 1), Response::kErrInvalidParameter);
  EXPECT_EQ(create({1, kBlobMemHost3d, 1, 0, 0, 0}, 1), Response::kErrInvalidParameter);
  EXPECT_EQ(create({1, kBlobMemHost3d, 1, 0, 0, 4096}, 9), Response::kErrInvalidContextId);
  EXPECT_TRUE(context().blobs.empty());
}

TEST_F(ResourceTest, BlobsThatMayNotBeMapped) {
  EXPECT_EQ(machine_.call(Command::kResourceCreateBlob, ResourceCreateBlob{1, kBlobMemHost3d, 0, 0, 5, 4096}, 1),
            Response::kOkNoData);
  EXPECT_EQ(machine_.map(1, 0), Response::kErrInvalidParameter);
}

TEST_F(ResourceTest, UuidsStay) {
  EXPECT_EQ(machine_.create_blob(1, 1), Response::kOkNoData);
  const auto uuid = [&] {
    const auto answer = machine_.answer_to(machine_.send(Machine::request(Command::kResourceAssignUuid, ResourceId{1, 0})));
    EXPECT_EQ(Machine::type_of(answer), Response::kOkResourceUuid);
    return Machine::body_of<std::array<uint8_t, 16>>(*answer);
  };
  const auto first = uuid();
  EXPECT_NE(first, (std::array<uint8_t, 16>{}));
  EXPECT_EQ(uuid(), first);
  EXPECT_EQ(with_id(Command::kResourceAssignUuid, 2), Response::kErrInvalidResourceId);
}

}  // namespace
}  // namespace pvgpu::virtio_gpu
