#include "display/screen.h"

#include <algorithm>
#include <cstring>

#include "virtio_gpu/surface.h"

namespace pvgpu::display {

using virtio_gpu::Pixels;
using virtio_gpu::Rect;

namespace {

Rect bounds_of(const Rect& a, const Rect& b) {
  if (a.width == 0) return b;
  if (b.width == 0) return a;
  const uint32_t x = std::min(a.x, b.x), y = std::min(a.y, b.y);
  return {x, y, std::max(a.x + a.width, b.x + b.width) - x, std::max(a.y + a.height, b.y + b.height) - y};
}

}  // namespace

void Screen::show(const Pixels& pixels, const Rect& damage) {
  std::lock_guard lock(mutex_);
  const uint32_t width = std::min(pixels.width, kMaxWidth), height = std::min(pixels.height, kMaxHeight);
  const Rect whole{0, 0, width, height};
  Rect rect = virtio_gpu::intersection(damage, whole);
  if (width != shown_.width || height != shown_.height || blank_) {
    shown_ = Picture(width, height);
    dirty_ = {};
    rect = whole;
  }
  blank_ = false;
  for (uint32_t y = rect.y; y - rect.y < rect.height; y++)
    virtio_gpu::to_rgba(pixels.format, pixels.line(y, rect.x, rect.width), shown_.line(y, rect.x, rect.width));
  touch(rect);
}

void Screen::blank() {
  std::lock_guard lock(mutex_);
  blank_ = true;
  std::ranges::fill(shown_.rgbx, std::byte{0});
  touch({0, 0, shown_.width, shown_.height});
}

void Screen::set_cursor(const virtio_gpu::Cursor* cursor) {
  std::lock_guard lock(mutex_);
  touch_cursor();
  cursor_.clear();
  cursor_width_ = cursor_height_ = 0;
  if (!cursor) return;
  const Pixels& pixels = cursor->pixels;
  cursor_width_ = pixels.width;
  cursor_height_ = pixels.height;
  hot_x_ = cursor->hot_x;
  hot_y_ = cursor->hot_y;
  cursor_.resize(size_t{4} * cursor_width_ * cursor_height_);
  for (uint32_t y = 0; y < cursor_height_; y++)
    virtio_gpu::to_rgba(pixels.format, pixels.line(y, 0, cursor_width_),
                        std::span(cursor_).subspan(size_t{4} * cursor_width_ * y, size_t{4} * cursor_width_));
  touch_cursor();
}

void Screen::move_cursor(int32_t x, int32_t y) {
  std::lock_guard lock(mutex_);
  if (pointer_.x == x && pointer_.y == y) return;
  touch_cursor();
  pointer_ = {x, y};
  touch_cursor();
}

void Screen::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

std::optional<Screen::Change> Screen::take(Picture& picture) {
  std::lock_guard lock(mutex_);
  if (!has_changed_) return std::nullopt;
  has_changed_ = false;
  Rect rect = std::exchange(dirty_, Rect{});
  if (picture.width != shown_.width || picture.height != shown_.height) {
    picture = Picture(shown_.width, shown_.height);
    rect = {0, 0, shown_.width, shown_.height};
  }
  for (uint32_t y = rect.y; y - rect.y < rect.height; y++)
    std::ranges::copy(shown_.line(y, rect.x, rect.width), picture.line(y, rect.x, rect.width).begin());
  if (!blank_) draw_cursor(picture, rect);
  return Change{blank_, rect};
}

bool Screen::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return has_changed_ || closed_; });
  return has_changed_;
}

void Screen::pause(std::chrono::milliseconds duration) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, duration, [this] { return closed_; });
}

void Screen::touch(const Rect& rect) {
  if (rect.width == 0) return;
  dirty_ = bounds_of(dirty_, rect);
  has_changed_ = true;
  changed_.notify_all();
}

void Screen::touch_cursor() {
  if (!blank_) touch(cursor_rect());
}

Rect Screen::cursor_rect() const {
  const int64_t left = pointer_.x - hot_x_, top = pointer_.y - hot_y_;
  const auto clamp = [](int64_t value, uint32_t limit) { return static_cast<uint32_t>(std::clamp<int64_t>(value, 0, limit)); };
  const uint32_t x = clamp(left, shown_.width), y = clamp(top, shown_.height);
  const uint32_t width = clamp(left + cursor_width_, shown_.width) - x, height = clamp(top + cursor_height_, shown_.height) - y;
  return width == 0 || height == 0 ? Rect{} : Rect{x, y, width, height};
}

void Screen::draw_cursor(Picture& picture, const Rect& rect) const {
  const Rect seen = virtio_gpu::intersection(cursor_rect(), rect);
  for (uint32_t y = seen.y; y - seen.y < seen.height; y++) {
    const std::span<std::byte> line = picture.line(y, seen.x, seen.width);
    const auto row = static_cast<size_t>(y - (pointer_.y - hot_y_)), column = static_cast<size_t>(seen.x - (pointer_.x - hot_x_));
    const std::byte* from = cursor_.data() + 4 * (row * cursor_width_ + column);
    for (size_t i = 0; i < line.size(); i += 4, from += 4) {
      const uint32_t rest = 255 - static_cast<uint32_t>(from[3]);
      for (size_t channel = 0; channel < 3; channel++) {
        const uint32_t below = static_cast<uint32_t>(line[i + channel]);
        line[i + channel] = static_cast<std::byte>(std::min(255u, static_cast<uint32_t>(from[channel]) + (below * rest + 127) / 255));
      }
    }
  }
}

}  // namespace pvgpu::display
