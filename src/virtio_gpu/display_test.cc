// What a guest's kernel shows: 2D resources, scanouts, blobs and cursors, and drivers that do it wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "virtio_gpu/edid.h"
#include "virtio_gpu/testing/driver.h"
#include "virtio_gpu/testing/sink.h"

namespace pvgpu::virtio_gpu {
namespace {

using testing::FakeMemory;
using testing::FakeSink;
using testing::Machine;

constexpr uint32_t kMax = UINT32_MAX;
// The guest's pages for pictures: behind what the queues use.
constexpr uint64_t kPages = FakeMemory::kLow + 0x80000;
constexpr uint32_t kWidth = 40, kHeight = 30, kBytes = kWidth * kHeight * 4;

class DisplayTest : public ::testing::Test {
 protected:
  explicit DisplayTest(ControlOptions options = {}) : machine_(with_displays(std::move(options))) { machine_.probe(); }
  ControlOptions with_displays(ControlOptions options) {
    options.displays = {{1280, 800}, {640, 480}};
    options.display_sink = &sink_;
    return options;
  }

  // Each returns the answer's type.
  Response create(uint32_t id, uint32_t width = kWidth, uint32_t height = kHeight, uint32_t format = 2) {
    return machine_.call(Command::kResourceCreate2d, ResourceCreate2d{id, format, width, height});
  }
  Response attach(uint32_t id, std::vector<MemEntry> pages) {
    const auto bytes = std::as_bytes(std::span(pages));
    return machine_.call(Command::kResourceAttachBacking, ResourceAttachBacking{id, static_cast<uint32_t>(pages.size())}, 0,
                         {bytes.begin(), bytes.end()});
  }
  Response transfer(uint32_t id, Rect rect, uint64_t offset) {
    return machine_.call(Command::kTransferToHost2d, TransferToHost2d{rect, offset, id, 0});
  }
  Response show(uint32_t scanout, uint32_t id, Rect rect) {
    return machine_.call(Command::kSetScanout, SetScanout{rect, scanout, id});
  }
  Response flush(uint32_t id, Rect rect) { return machine_.call(Command::kResourceFlush, ResourceFlush{rect, id, 0}); }
  Response with_id(Command command, uint32_t id) { return machine_.call(command, ResourceId{id, 0}); }
  Response cursor(Command command, UpdateCursor body) {
    return Machine::type_of(machine_.answer_to(machine_.send(Machine::request(command, body), kCursorQueue)));
  }
  // A pixel of the guest's in format 2 (B8G8R8X8), in a picture at kPages.
  void draw(uint32_t x, uint32_t y, uint32_t rgb, uint32_t width = kWidth) {
    std::byte* const pixel = machine_.guest.at(kPages + 4 * (uint64_t{y} * width + x));
    for (int i = 0; i < 3; i++) pixel[i] = std::byte(rgb >> 8 * i & 0xff);
  }
  void create_whole(uint32_t id = 1) {
    EXPECT_EQ(create(id), Response::kOkNoData);
    EXPECT_EQ(attach(id, {{kPages, kBytes, 0}}), Response::kOkNoData);
  }
  static constexpr Rect kWhole{0, 0, kWidth, kHeight};

  FakeSink sink_;
  Machine machine_;
};

TEST_F(DisplayTest, TellsOfItsDisplays) {
  EXPECT_TRUE(machine_.device->offered_features() & kFeatureEdid);
  Config config{};
  machine_.device->read_config(0, std::as_writable_bytes(std::span(&config, 1)));
  EXPECT_EQ(config.num_scanouts, 2u);
  const auto answer = machine_.answer_to(machine_.send(Machine::request(Command::kGetDisplayInfo, 0)));
  ASSERT_EQ(Machine::type_of(answer), Response::kOkDisplayInfo);
  const auto info = Machine::body_of<DisplayInfo>(*answer);
  EXPECT_EQ(info.pmodes[0].r, (Rect{0, 0, 1280, 800}));
  EXPECT_EQ(info.pmodes[1].r, (Rect{0, 0, 640, 480}));
  EXPECT_EQ(info.pmodes[0].enabled, 1u);
  EXPECT_EQ(info.pmodes[1].enabled, 1u);
  EXPECT_EQ(info.pmodes[2].enabled, 0u);
}

TEST_F(DisplayTest, DescribesItsMonitors) {
  const auto answer = machine_.answer_to(machine_.send(Machine::request(Command::kGetEdid, GetEdid{1, 0})));
  ASSERT_EQ(Machine::type_of(answer), Response::kOkEdid);
  const auto edid = Machine::body_of<Edid>(*answer);
  EXPECT_EQ(edid.size, 128u);
  EXPECT_TRUE(std::ranges::equal(std::span(edid.edid).first(128), make_edid(640, 480)));
  EXPECT_EQ(machine_.call(Command::kGetEdid, GetEdid{2, 0}), Response::kErrInvalidScanoutId);
}

TEST_F(DisplayTest, TellsOfANewSize) {
  const auto events = [&] {
    uint32_t value = 0;
    machine_.device->read_config(0, std::as_writable_bytes(std::span(&value, 1)));
    return value;
  };
  EXPECT_EQ(events(), 0u);
  EXPECT_TRUE(machine_.device->set_display_size(1, {1024, 768}));
  EXPECT_EQ(events(), 1u);
  EXPECT_EQ(machine_.config_changes, 1);
  const auto answer = machine_.answer_to(machine_.send(Machine::request(Command::kGetDisplayInfo, 0)));
  EXPECT_EQ(Machine::body_of<DisplayInfo>(*answer).pmodes[1].r, (Rect{0, 0, 1024, 768}));
  const uint32_t clear = 1;
  machine_.device->write_config(offsetof(Config, events_clear), std::as_bytes(std::span(&clear, 1)));
  EXPECT_EQ(events(), 0u);
  EXPECT_FALSE(machine_.device->set_display_size(2, {1024, 768}));
  EXPECT_FALSE(machine_.device->set_display_size(0, {1024, 1}));
  EXPECT_FALSE(machine_.device->set_display_size(0, {kMax, 768}));
  EXPECT_EQ(machine_.config_changes, 1);
}

TEST_F(DisplayTest, APictureIsSeenWhenFlushed) {
  create_whole();
  draw(0, 0, 0x112233);
  draw(39, 29, 0x445566);
  EXPECT_EQ(show(0, 1, kWhole), Response::kOkNoData);
  EXPECT_EQ(transfer(1, kWhole, 0), Response::kOkNoData);
  EXPECT_TRUE(sink_.shown.empty());
  EXPECT_EQ(flush(1, kWhole), Response::kOkNoData);
  const FakeSink::Picture& picture = sink_.shown.at(0);
  EXPECT_EQ(picture.width, kWidth);
  EXPECT_EQ(picture.height, kHeight);
  EXPECT_EQ(picture.damage, kWhole);
  EXPECT_EQ(picture.at(0, 0), 0x112233ffu);
  EXPECT_EQ(picture.at(39, 29), 0x445566ffu);
  EXPECT_EQ(picture.at(20, 20), 0xffu);
  EXPECT_EQ(picture.fd, -1);
}

TEST_F(DisplayTest, OnlyWhatWasTransferredIsNew) {
  create_whole();
  EXPECT_EQ(show(0, 1, kWhole), Response::kOkNoData);
  EXPECT_EQ(flush(1, {3, 3, 1, 1}), Response::kOkNoData);
  EXPECT_EQ(sink_.shown.at(0).damage, kWhole) << "a new picture is new as a whole";
  for (uint32_t y = 0; y < kHeight; y++)
    for (uint32_t x = 0; x < kWidth; x++) draw(x, y, 0xffffff);
  EXPECT_EQ(transfer(1, {10, 20, 5, 2}, 4 * (20 * kWidth + 10)), Response::kOkNoData);
  EXPECT_EQ(flush(1, {10, 20, 5, 2}), Response::kOkNoData);
  const FakeSink::Picture& picture = sink_.shown.at(0);
  EXPECT_EQ(picture.damage, (Rect{10, 20, 5, 2}));
  int white = 0;
  for (uint32_t y = 0; y < kHeight; y++)
    for (uint32_t x = 0; x < kWidth; x++)
      if (picture.at(x, y) == 0xffffffff) white += x >= 10 && x < 15 && y >= 20 && y < 22 ? 1 : 1000;
  EXPECT_EQ(white, 10);
}

TEST_F(DisplayTest, ScanoutsShowPartsOfOnePicture) {
  create_whole();
  draw(30, 15, 0xabcdef);
  EXPECT_EQ(show(0, 1, {0, 0, 20, 30}), Response::kOkNoData);
  EXPECT_EQ(show(1, 1, {20, 10, 20, 20}), Response::kOkNoData);
  EXPECT_EQ(transfer(1, kWhole, 0), Response::kOkNoData);
  EXPECT_EQ(flush(1, kWhole), Response::kOkNoData);
  EXPECT_EQ(sink_.shown.at(0).width, 20u);
  EXPECT_EQ(sink_.shown.at(1).at(10, 5), 0xabcdefffu);
  const int shows = sink_.shows;
  EXPECT_EQ(flush(1, {15, 12, 10, 3}), Response::kOkNoData);
  EXPECT_EQ(sink_.shows, shows + 2);
  EXPECT_EQ(sink_.shown.at(0).damage, (Rect{15, 12, 5, 3}));
  EXPECT_EQ(sink_.shown.at(1).damage, (Rect{0, 2, 5, 3}));
  EXPECT_EQ(flush(1, {30, 0, 5, 5}), Response::kOkNoData);
  EXPECT_EQ(sink_.shows, shows + 2) << "in neither part";
}

TEST_F(DisplayTest, ScanoutsGoDark) {
  create_whole();
  create_whole(2);
  for (const uint32_t scanout : {0u, 1u}) EXPECT_EQ(show(scanout, 1 + scanout, kWhole), Response::kOkNoData);
  for (const uint32_t id : {1u, 2u}) EXPECT_EQ(flush(id, kWhole), Response::kOkNoData);
  EXPECT_EQ(sink_.shown.size(), 2u);
  EXPECT_EQ(show(0, 0, {}), Response::kOkNoData);
  EXPECT_FALSE(sink_.shown.contains(0));
  EXPECT_EQ(with_id(Command::kResourceUnref, 2), Response::kOkNoData);
  EXPECT_FALSE(sink_.shown.contains(1)) << "its resource is gone";
  EXPECT_EQ(flush(2, kWhole), Response::kErrInvalidResourceId);
}

TEST_F(DisplayTest, AResetLeavesNothingOnTheScreen) {
  create_whole();
  EXPECT_EQ(show(0, 1, kWhole), Response::kOkNoData);
  EXPECT_EQ(flush(1, kWhole), Response::kOkNoData);
  EXPECT_EQ(create(2, 64, 64, 1), Response::kOkNoData);
  EXPECT_EQ(cursor(Command::kUpdateCursor, {.scanout_id = 0, .resource_id = 2}), Response::kOkNoData);
  EXPECT_EQ(sink_.cursors.size(), 1u);
  machine_.device->reset();
  EXPECT_TRUE(sink_.shown.empty());
  EXPECT_TRUE(sink_.cursors.empty());
}

TEST_F(DisplayTest, CursorsAreSeenWhereTheyAre) {
  EXPECT_EQ(create(1, 64, 64, 1), Response::kOkNoData);
  EXPECT_EQ(attach(1, {{kPages, 64 * 64 * 4, 0}}), Response::kOkNoData);
  draw(5, 6, 0x102030, 64);
  machine_.guest.at(kPages + 4 * (6 * 64 + 5))[3] = std::byte{0x80};
  EXPECT_EQ(transfer(1, {0, 0, 64, 64}, 0), Response::kOkNoData);
  EXPECT_EQ(cursor(Command::kUpdateCursor, {.scanout_id = 1, .x = 100, .y = 200, .resource_id = 1, .hot_x = 3, .hot_y = 4}),
            Response::kOkNoData);
  const FakeSink::ShownCursor& shown = sink_.cursors.at(1);
  EXPECT_EQ(shown.picture.at(5, 6), 0x10203080u);
  EXPECT_EQ(shown.hot_x, 3u);
  EXPECT_EQ(shown.hot_y, 4u);
  EXPECT_EQ(sink_.positions.at(1), (std::pair{100, 200}));
  EXPECT_EQ(cursor(Command::kMoveCursor, {.scanout_id = 1, .x = kMax, .y = 7, .resource_id = 999}), Response::kOkNoData);
  EXPECT_EQ(sink_.positions.at(1), (std::pair{-1, 7}));
  EXPECT_EQ(cursor(Command::kUpdateCursor, {.scanout_id = 1}), Response::kOkNoData);
  EXPECT_TRUE(sink_.cursors.empty());
}

TEST_F(DisplayTest, ImpossibleCursors) {
  EXPECT_EQ(create(1, 64, 64, 1), Response::kOkNoData);
  EXPECT_EQ(create(2, 65, 64, 1), Response::kOkNoData);
  EXPECT_EQ(cursor(Command::kUpdateCursor, {.scanout_id = 2, .resource_id = 1}), Response::kErrInvalidScanoutId);
  EXPECT_EQ(cursor(Command::kMoveCursor, {.scanout_id = kMax}), Response::kErrInvalidScanoutId);
  EXPECT_EQ(cursor(Command::kUpdateCursor, {.scanout_id = 0, .resource_id = 2}), Response::kErrInvalidResourceId);
  EXPECT_EQ(cursor(Command::kUpdateCursor, {.scanout_id = 0, .resource_id = 3}), Response::kErrInvalidResourceId);
  EXPECT_EQ(cursor(Command::kUpdateCursor, {.scanout_id = 0, .resource_id = 1, .hot_x = 64}), Response::kErrInvalidParameter);
  EXPECT_EQ(machine_.call(Command::kUpdateCursor, UpdateCursor{}), Response::kErrUnspec) << "in the control queue";
  EXPECT_TRUE(sink_.cursors.empty());
}

TEST_F(DisplayTest, ImpossiblePictures) {
  for (const uint32_t format : {0u, 5u, 66u, kMax}) EXPECT_EQ(create(1, 8, 8, format), Response::kErrInvalidParameter);
  EXPECT_EQ(create(1, 0, 8), Response::kErrInvalidParameter);
  EXPECT_EQ(create(1, 8, 0), Response::kErrInvalidParameter);
  EXPECT_EQ(create(1, kMaxSide + 1, 1), Response::kErrInvalidParameter);
  EXPECT_EQ(create(1, kMax, kMax), Response::kErrInvalidParameter);
  EXPECT_EQ(create(0, 8, 8), Response::kErrInvalidResourceId);
  EXPECT_EQ(create(1, kMaxSide, kMaxSide), Response::kErrOutOfMemory);
  EXPECT_EQ(create(1, 8, 8), Response::kOkNoData);
  EXPECT_EQ(create(1, 8, 8), Response::kErrInvalidResourceId);
}

TEST_F(DisplayTest, ImpossibleTransfers) {
  create_whole();
  EXPECT_EQ(transfer(1, kWhole, 4), Response::kErrInvalidParameter) << "past the pages";
  EXPECT_EQ(transfer(1, kWhole, UINT64_MAX), Response::kErrInvalidParameter);
  EXPECT_EQ(transfer(1, {0, 0, kWidth + 1, 1}, 0), Response::kErrInvalidParameter);
  EXPECT_EQ(transfer(1, {kMax, kMax, 2, 2}, 0), Response::kErrInvalidParameter);
  EXPECT_EQ(transfer(1, {0, 0, 0, 0}, 0), Response::kErrInvalidParameter);
  EXPECT_EQ(transfer(1, {39, 29, 1, 1}, kBytes - 4), Response::kOkNoData);
  EXPECT_EQ(transfer(1, {39, 29, 1, 1}, kBytes - 3), Response::kErrInvalidParameter);
  EXPECT_EQ(transfer(2, kWhole, 0), Response::kErrInvalidResourceId);
  EXPECT_EQ(with_id(Command::kResourceDetachBacking, 1), Response::kOkNoData);
  EXPECT_EQ(transfer(1, kWhole, 0), Response::kErrInvalidParameter);
  EXPECT_EQ(attach(1, {{0, kBytes, 0}}), Response::kOkNoData);
  EXPECT_EQ(transfer(1, kWhole, 0), Response::kErrInvalidParameter) << "not in the guest's memory";
}

TEST_F(DisplayTest, ImpossibleScanouts) {
  create_whole();
  machine_.create_context(1);
  EXPECT_EQ(machine_.create_blob(2, 1), Response::kOkNoData);
  EXPECT_EQ(show(2, 1, kWhole), Response::kErrInvalidScanoutId);
  EXPECT_EQ(show(kMax, 0, {}), Response::kErrInvalidScanoutId);
  EXPECT_EQ(show(0, 3, kWhole), Response::kErrInvalidResourceId);
  EXPECT_EQ(show(0, 2, kWhole), Response::kErrInvalidResourceId) << "a blob";
  EXPECT_EQ(show(0, 1, {}), Response::kErrInvalidParameter);
  EXPECT_EQ(show(0, 1, {1, 0, kWidth, kHeight}), Response::kErrInvalidParameter);
  EXPECT_EQ(flush(1, {0, 0, kWidth, kHeight + 1}), Response::kErrInvalidParameter);
  EXPECT_EQ(flush(1, {kMax, 1, 1, 1}), Response::kErrInvalidParameter);
  EXPECT_EQ(flush(1, kWhole), Response::kOkNoData);
  EXPECT_EQ(sink_.shows, 0);
}

class BlobDisplayTest : public DisplayTest {
 protected:
  BlobDisplayTest() { machine_.create_context(1); }
  Response guest_blob(uint32_t id, uint64_t size, MemEntry pages) {
    const auto bytes = std::as_bytes(std::span(&pages, 1));
    return machine_.call(Command::kResourceCreateBlob, ResourceCreateBlob{id, kBlobMemGuest, 0, 1, 0, size}, 0,
                         {bytes.begin(), bytes.end()});
  }
  static SetScanoutBlob request_for(uint32_t id) {
    return {.r = kWhole, .scanout_id = 0, .resource_id = id, .width = kWidth, .height = kHeight, .format = 2, .padding = 0,
            .strides = {kWidth * 4}, .offsets = {}};
  }
  Response show_blob(const SetScanoutBlob& body) { return machine_.call(Command::kSetScanoutBlob, body); }
};

TEST_F(BlobDisplayTest, OfTheGuestsPages) {
  EXPECT_EQ(guest_blob(1, kBytes, {kPages, kBytes, 0}), Response::kOkNoData);
  draw(7, 8, 0x336699);
  EXPECT_EQ(show_blob(request_for(1)), Response::kOkNoData);
  EXPECT_EQ(flush(1, kWhole), Response::kOkNoData);
  EXPECT_EQ(sink_.shown.at(0).at(7, 8), 0x336699ffu);
  draw(7, 8, 0xffffff);
  EXPECT_EQ(flush(1, {7, 8, 1, 1}), Response::kOkNoData) << "no transfer is needed";
  EXPECT_EQ(sink_.shown.at(0).at(7, 8), 0xffffffffu);
  EXPECT_EQ(sink_.shown.at(0).damage, (Rect{7, 8, 1, 1}));
  EXPECT_EQ(with_id(Command::kResourceDetachBacking, 1), Response::kOkNoData);
  EXPECT_EQ(flush(1, kWhole), Response::kErrUnspec);
}

TEST_F(BlobDisplayTest, OfTheHostsMemory) {
  EXPECT_EQ(machine_.create_blob(1, 1, kBytes + 8), Response::kOkNoData);
  SetScanoutBlob body = request_for(1);
  body.offsets[0] = 8;
  EXPECT_EQ(show_blob(body), Response::kOkNoData);
  machine_.renderers[0]->fill_blob(0, 8 + 4 * (2 * kWidth + 3), std::byte{0x77}, 3);
  EXPECT_EQ(flush(1, kWhole), Response::kOkNoData);
  const FakeSink::Picture& picture = sink_.shown.at(0);
  EXPECT_EQ(picture.at(3, 2), 0x777777ffu);
  EXPECT_EQ(picture.at(4, 2), 0xffu);
  EXPECT_GE(picture.fd, 0);
  EXPECT_EQ(picture.fd_offset, 8u);
  EXPECT_EQ(with_id(Command::kResourceUnref, 1), Response::kOkNoData);
  EXPECT_TRUE(sink_.shown.empty());
}

TEST_F(BlobDisplayTest, ThatChangesItsLayout) {
  EXPECT_EQ(guest_blob(1, kBytes, {kPages, kBytes, 0}), Response::kOkNoData);
  EXPECT_EQ(show_blob(request_for(1)), Response::kOkNoData);
  EXPECT_EQ(flush(1, kWhole), Response::kOkNoData);
  SetScanoutBlob narrow = request_for(1);
  narrow.r.width = narrow.width = 20;
  narrow.strides[0] = 80;
  draw(0, 1, 0x010203, 20);
  EXPECT_EQ(show_blob(narrow), Response::kOkNoData);
  EXPECT_EQ(flush(1, {0, 0, 1, 1}), Response::kOkNoData);
  EXPECT_EQ(sink_.shown.at(0).width, 20u);
  EXPECT_EQ(sink_.shown.at(0).at(0, 1), 0x010203ffu);
}

TEST_F(BlobDisplayTest, WhoseMemoryComesLater) {
  machine_.renderers[0]->later = true;
  machine_.send(Machine::request(Command::kResourceCreateBlob,
                                 ResourceCreateBlob{1, kBlobMemHost3d, venus::kBlobMappable, 0, 0, kBytes}, 1));
  const auto shown = machine_.send(Machine::request(Command::kSetScanoutBlob, request_for(1)));
  const auto flushed = machine_.send(Machine::request(Command::kResourceFlush, ResourceFlush{kWhole, 1, 0}));
  EXPECT_FALSE(machine_.answer_to(shown));
  EXPECT_FALSE(machine_.answer_to(flushed));
  machine_.renderers[0]->finish();
  EXPECT_EQ(Machine::type_of(machine_.answer_to(shown)), Response::kOkNoData);
  EXPECT_EQ(Machine::type_of(machine_.answer_to(flushed)), Response::kOkNoData);
  EXPECT_EQ(sink_.shows, 1);
}

TEST_F(BlobDisplayTest, ThatGoesWhileItsMemoryIsAwaited) {
  machine_.renderers[0]->later = true;
  machine_.send(Machine::request(Command::kResourceCreateBlob,
                                 ResourceCreateBlob{1, kBlobMemHost3d, venus::kBlobMappable, 0, 0, kBytes}, 1));
  const auto shown = machine_.send(Machine::request(Command::kSetScanoutBlob, request_for(1)));
  EXPECT_EQ(with_id(Command::kResourceUnref, 1), Response::kOkNoData);
  EXPECT_EQ(Machine::type_of(machine_.answer_to(shown)), Response::kErrInvalidResourceId);
  machine_.renderers[0]->finish();
  EXPECT_EQ(sink_.shows, 0);
}

TEST_F(BlobDisplayTest, ThatNobodyCanRead) {
  machine_.renderers[0]->unmappable = true;
  EXPECT_EQ(machine_.create_blob(1, 1, kBytes), Response::kOkNoData);
  EXPECT_EQ(show_blob(request_for(1)), Response::kErrOutOfMemory);
  EXPECT_EQ(flush(1, kWhole), Response::kOkNoData);
  EXPECT_EQ(sink_.shows, 0);
}

TEST_F(BlobDisplayTest, ImpossibleOnes) {
  EXPECT_EQ(guest_blob(1, kBytes, {kPages, kBytes, 0}), Response::kOkNoData);
  create_whole(2);
  const auto with = [&](auto change) {
    SetScanoutBlob body = request_for(1);
    change(body);
    return show_blob(body);
  };
  EXPECT_EQ(with([](auto& body) { body.scanout_id = 2; }), Response::kErrInvalidScanoutId);
  EXPECT_EQ(with([](auto& body) { body.resource_id = 9; }), Response::kErrInvalidResourceId);
  EXPECT_EQ(with([](auto& body) { body.resource_id = 2; }), Response::kErrInvalidResourceId);
  EXPECT_EQ(with([](auto& body) { body.format = 0; }), Response::kErrInvalidParameter);
  EXPECT_EQ(with([](auto& body) { body.offsets[0] = 1; }), Response::kErrInvalidParameter);
  EXPECT_EQ(with([](auto& body) { body.offsets[0] = kMax; }), Response::kErrInvalidParameter);
  EXPECT_EQ(with([](auto& body) { body.strides[0] = kWidth * 4 - 1; }), Response::kErrInvalidParameter);
  EXPECT_EQ(with([](auto& body) { body.strides[0] = kMax; }), Response::kErrInvalidParameter);
  EXPECT_EQ(with([](auto& body) { body.width = kMax; }), Response::kErrInvalidParameter);
  EXPECT_EQ(with([](auto& body) { body.height++; }), Response::kErrInvalidParameter);
  EXPECT_EQ(with([](auto& body) { body.r.x = 1; }), Response::kErrInvalidParameter);
  EXPECT_EQ(with([](auto& body) { body.r = {}; }), Response::kErrInvalidParameter);
  EXPECT_EQ(with([](auto&) {}), Response::kOkNoData);
  EXPECT_EQ(with([](auto& body) { body.resource_id = 0; }), Response::kOkNoData);
}

class SmallBudgetTest : public DisplayTest {
 protected:
  SmallBudgetTest() : DisplayTest({.max_pixel_bytes = 2 * kBytes}) {}
};

TEST_F(SmallBudgetTest, PixelsAreLimitedTogether) {
  EXPECT_EQ(create(1), Response::kOkNoData);
  EXPECT_EQ(create(2), Response::kOkNoData);
  EXPECT_EQ(create(3, 1, 1), Response::kErrOutOfMemory);
  EXPECT_EQ(with_id(Command::kResourceUnref, 1), Response::kOkNoData);
  EXPECT_EQ(create(3, 1, 1), Response::kOkNoData);
  EXPECT_EQ(create(1), Response::kErrOutOfMemory);
}

TEST(NoDisplay, IsTheDeviceThatItWas) {
  Machine machine;
  machine.probe();
  EXPECT_FALSE(machine.device->offered_features() & kFeatureEdid);
  Config config{};
  machine.device->read_config(0, std::as_writable_bytes(std::span(&config, 1)));
  EXPECT_EQ(config.num_scanouts, 0u);
  const auto answer = machine.answer_to(machine.send(Machine::request(Command::kGetDisplayInfo, 0)));
  EXPECT_EQ(Machine::body_of<DisplayInfo>(*answer).pmodes[0].enabled, 0u);
  EXPECT_EQ(machine.call(Command::kSetScanout, SetScanout{}), Response::kErrInvalidScanoutId);
  EXPECT_EQ(machine.call(Command::kSetScanoutBlob, SetScanoutBlob{}), Response::kErrInvalidScanoutId);
  EXPECT_EQ(machine.call(Command::kGetEdid, GetEdid{}), Response::kErrInvalidScanoutId);
  EXPECT_FALSE(machine.device->set_display_size(0, {1024, 768}));
  const auto cursor = machine.send(Machine::request(Command::kUpdateCursor, UpdateCursor{}), kCursorQueue);
  EXPECT_EQ(Machine::type_of(machine.answer_to(cursor)), Response::kErrInvalidScanoutId);
}

}  // namespace
}  // namespace pvgpu::virtio_gpu
