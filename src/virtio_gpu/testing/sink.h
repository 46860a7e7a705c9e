// A sink for tests, that keeps what it is shown as red, green, blue and alpha. One thread.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "virtio_gpu/display_sink.h"

namespace pvgpu::virtio_gpu::testing {

struct FakeSink : DisplaySink {
  struct Picture {
    uint32_t width, height;
    std::vector<std::byte> rgba;
    Rect damage;
    int fd;
    uint64_t fd_offset;
    // A pixel as 0xRRGGBBAA.
    uint32_t at(uint32_t x, uint32_t y) const {
      uint32_t value = 0;
      for (size_t i = 0; i < 4; i++) value = value << 8 | static_cast<uint32_t>(rgba.at(4 * (size_t{y} * width + x) + i));
      return value;
    }
  };
  static Picture picture_of(const Pixels& pixels, const Rect& damage) {
    Picture picture{pixels.width, pixels.height, {}, damage, pixels.fd, pixels.fd_offset};
    picture.rgba.resize(size_t{4} * pixels.width * pixels.height);
    for (uint32_t y = 0; y < pixels.height; y++)
      to_rgba(pixels.format, pixels.line(y, 0, pixels.width),
              std::span(picture.rgba).subspan(size_t{4} * pixels.width * y, size_t{4} * pixels.width));
    return picture;
  }

  void show(uint32_t scanout, const Pixels& pixels, const Rect& damage) override {
    EXPECT_GT(damage.width, 0u);
    EXPECT_GT(damage.height, 0u);
    EXPECT_LE(uint64_t{damage.x} + damage.width, pixels.width);
    EXPECT_LE(uint64_t{damage.y} + damage.height, pixels.height);
    shows++;
    shown[scanout] = picture_of(pixels, damage);
  }
  void blank(uint32_t scanout) override { shown.erase(scanout); }
  void set_cursor(uint32_t scanout, const Cursor* cursor) override {
    cursors.erase(scanout);
    if (cursor) cursors[scanout] = {picture_of(cursor->pixels, {}), cursor->hot_x, cursor->hot_y};
  }
  void move_cursor(uint32_t scanout, int32_t x, int32_t y) override { positions[scanout] = {x, y}; }

  struct ShownCursor {
    Picture picture;
    uint32_t hot_x, hot_y;
  };
  int shows = 0;
  std::map<uint32_t, Picture> shown;
  std::map<uint32_t, ShownCursor> cursors;
  std::map<uint32_t, std::pair<int32_t, int32_t>> positions;
};

}  // namespace pvgpu::virtio_gpu::testing
