// What a scanout shows, with the pointer over it: a copy of our own, that the device's thread draws and a sink's thread looks at.
// Locks; neither keeps the other waiting for longer than a copy takes.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "virtio_gpu/display_sink.h"

namespace pvgpu::display {

// Lines without gaps of red, green, blue, and a byte without a meaning.
struct Picture {
  uint32_t width = 0, height = 0;
  std::vector<std::byte> rgbx;

  Picture() = default;
  Picture(uint32_t w, uint32_t h) : width(w), height(h), rgbx(size_t{4} * w * h) {}
  std::span<std::byte> line(uint32_t y, uint32_t x, uint32_t count) {
    return std::span(rgbx).subspan(4 * (size_t{width} * y + x), size_t{4} * count);
  }
};

class Screen {
 public:
  // Pictures that are larger are cut: a guest shall not take more memory than that from whoever shows it.
  static constexpr uint32_t kMaxWidth = 8192, kMaxHeight = 4320;

  // -- the device's thread: as DisplaySink has it --
  void show(const virtio_gpu::Pixels& pixels, const virtio_gpu::Rect& damage);
  void blank();
  void set_cursor(const virtio_gpu::Cursor* cursor);
  void move_cursor(int32_t x, int32_t y);
  // Wakes who waits up for good.
  void close();

  // -- the sink's thread --
  struct Change {
    bool blank;              // nothing is shown: all is black
    virtio_gpu::Rect rect;   // where `picture` differs from what it was; all of it after a new size
  };
  // Brings `picture`, which is what the last call left, up to date. nullopt: it is.
  std::optional<Change> take(Picture& picture);
  // Waits for a change. False: closed, and there is none.
  bool wait();
  // Sleeps, but not longer than until it is closed.
  void pause(std::chrono::milliseconds duration);

 private:
  // May lie outside the picture, at any side.
  struct Place {
    int64_t x, y;
  };
  void touch(const virtio_gpu::Rect& rect);
  void touch_cursor();
  void draw_cursor(Picture& picture, const virtio_gpu::Rect& rect) const;
  virtio_gpu::Rect cursor_rect() const;

  std::mutex mutex_;
  std::condition_variable changed_;
  Picture shown_;  // without the pointer
  bool blank_ = true, closed_ = false, has_changed_ = false;
  virtio_gpu::Rect dirty_{};
  // The pointer: red, green, blue (multiplied with alpha), alpha.
  uint32_t cursor_width_ = 0, cursor_height_ = 0;
  std::vector<std::byte> cursor_;
  int64_t hot_x_ = 0, hot_y_ = 0;
  Place pointer_{0, 0};
};

}  // namespace pvgpu::display
