// What a guest shows, as the C API tells it to a VMM.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "library/testing/vmm.h"

namespace pvgpu::library::testing {
namespace {

class LibraryDisplay : public Library {};

TEST_F(LibraryDisplay, ShowsWhatTheGuestDraws) {
  Vmm vmm(host_, {{1280, 800}, {640, 480}});
  vmm.probe();
  constexpr uint64_t kPixels = kRam + 0x10000;
  constexpr uint32_t kCreate2d = 0x0101, kUnref = 0x0102, kSetScanout = 0x0103, kFlush = 0x0104, kTransfer = 0x0105, kAttach = 0x0106;
  std::vector<uint32_t> picture(4 * 3);
  for (uint32_t i = 0; i < picture.size(); i++) picture[i] = 0x01020300 + i;
  std::memcpy(vmm.at(kPixels), picture.data(), picture.size() * 4);
  EXPECT_EQ(vmm.call(kCreate2d, {7, PVGPU_FORMAT_X8R8G8B8, 4, 3}), kOkNoData);
  EXPECT_EQ(vmm.call(kAttach, {7, 1, static_cast<uint32_t>(kPixels), 0, 4 * 3 * 4, 0}), kOkNoData);
  EXPECT_EQ(vmm.call(kSetScanout, {0, 0, 4, 3, 1, 7}), kOkNoData);
  EXPECT_EQ(vmm.call(kTransfer, {0, 0, 4, 3, 0, 0, 7, 0}), kOkNoData);
  EXPECT_TRUE(vmm.shown.empty());
  EXPECT_EQ(vmm.call(kFlush, {0, 0, 4, 3, 7, 0}), kOkNoData);
  EXPECT_EQ(vmm.shown, picture);
  EXPECT_EQ(vmm.shown_pixels.size, sizeof(pvgpu_pixels));
  EXPECT_EQ(vmm.shown_pixels.width, 4u);
  EXPECT_EQ(vmm.shown_pixels.height, 3u);
  EXPECT_EQ(vmm.shown_pixels.format, static_cast<uint32_t>(PVGPU_FORMAT_X8R8G8B8));
  EXPECT_EQ(vmm.shown_pixels.fd, -1);
  EXPECT_EQ(vmm.call(kFlush, {1, 2, 2, 1, 7, 0}), kOkNoData);
  EXPECT_EQ(vmm.damage.x, 1u);
  EXPECT_EQ(vmm.damage.y, 2u);
  EXPECT_EQ(vmm.damage.width, 2u);
  EXPECT_EQ(vmm.damage.height, 1u);
  EXPECT_EQ(vmm.call(kUnref, {7, 0}), kOkNoData);
  EXPECT_EQ(vmm.blanks, 1);
}

TEST_F(LibraryDisplay, ShowsTheGuestsPointer) {
  Vmm vmm(host_, {{1280, 800}, {640, 480}});
  EXPECT_EQ(vmm.add_ram(), 0);
  EXPECT_EQ(pvgpu_device_accept_features(vmm.device, pvgpu_device_features(vmm.device)), 0);
  EXPECT_EQ(vmm.start(), 0);
  EXPECT_EQ(vmm.call(0x0101, {9, PVGPU_FORMAT_B8G8R8A8, 64, 64}), kOkNoData);
  // The cursor queue is another one: its driver goes on from the same rings.
  uint16_t next = 0;
  EXPECT_EQ(pvgpu_device_stop_queue(vmm.device, 0, &next), 0);
  const pvgpu_queue layout = Vmm::queue(next);
  EXPECT_EQ(pvgpu_device_start_queue(vmm.device, 1, &layout), 0);
  const auto update = [&](uint32_t resource) {
    vmm.send(0x0300, {1, 30, static_cast<uint32_t>(-4), 0, resource, 5, 6, 0});
    EXPECT_EQ(pvgpu_device_kick(vmm.device, 1), 0);
    return vmm.answer();
  };
  EXPECT_EQ(update(9), kOkNoData);
  EXPECT_EQ(vmm.cursor.size(), 64u * 64);
  EXPECT_EQ(vmm.cursor_pixels.format, static_cast<uint32_t>(PVGPU_FORMAT_B8G8R8A8));
  EXPECT_EQ(vmm.hot, (std::pair{5u, 6u}));
  EXPECT_EQ(vmm.pointer, (std::pair{30, -4}));
  EXPECT_EQ(update(0), kOkNoData);
  EXPECT_TRUE(vmm.cursor.empty());
}

TEST_F(LibraryDisplay, TellsTheGuestOfADisplaysNewSize) {
  Vmm vmm(host_, {{1280, 800}});
  vmm.probe();
  EXPECT_EQ(pvgpu_device_set_display_size(vmm.device, 0, 1024, 768), 0);
  EXPECT_EQ(vmm.config_changes, 1);
  uint32_t config[4];
  EXPECT_EQ(pvgpu_device_read_config(vmm.device, 0, config, sizeof config), 0);
  EXPECT_THAT(config, ::testing::ElementsAre(1, 0, 1, 1));
  EXPECT_EQ(vmm.call(0x0100, {}), 0x1101u);
  uint32_t info[10];
  std::memcpy(info, vmm.at(kResponse), sizeof info);
  EXPECT_EQ(info[8], 1024u);
  EXPECT_EQ(info[9], 768u);
  EXPECT_EQ(pvgpu_device_set_display_size(vmm.device, 1, 1024, 768), -EINVAL);
  EXPECT_EQ(pvgpu_device_set_display_size(vmm.device, 0, 10, 768), -EINVAL);
  EXPECT_EQ(pvgpu_device_set_display_size(nullptr, 0, 1024, 768), -EINVAL);
}

TEST_F(LibraryDisplay, RefusesDisplaysThatCannotBe) {
  Vmm vmm(host_);
  EXPECT_EQ(pvgpu_device_set_display_size(vmm.device, 0, 1024, 768), -EINVAL) << "it has none";
  const std::vector<pvgpu_display> many(PVGPU_DISPLAY_COUNT_MAX + 1, {800, 600});
  const pvgpu_display tiny{10, 600};
  pvgpu_device* device = nullptr;
  const auto create = [&](const pvgpu_display* displays, size_t count) {
    const pvgpu_device_options options{.size = sizeof options, .window_bytes = 4096, .displays = displays, .display_count = count};
    return pvgpu_device_create(host_, &options, &vmm.callbacks, &device);
  };
  EXPECT_EQ(create(nullptr, 1), -EINVAL);
  EXPECT_EQ(create(many.data(), many.size()), -EINVAL);
  EXPECT_EQ(create(&tiny, 1), -EINVAL);
  vmm.callbacks.show = nullptr;
  EXPECT_EQ(create(many.data(), 1), -EINVAL);
}

}  // namespace
}  // namespace pvgpu::library::testing
