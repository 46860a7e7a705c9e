// Where a device's scanouts go. Implemented by whoever shows them; called on the device's thread, which waits meanwhile: a sink copies
// what it needs and does its work elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "virtio_gpu/pixel_format.h"
#include "virtio_gpu/protocol.h"

namespace pvgpu::virtio_gpu {

// A picture. The bytes are the device's or the guest's: they may change while they are read, and are gone when the call ends.
struct Pixels {
  const std::byte* first = nullptr;        // of the top left pixel
  uint32_t width = 0, height = 0, stride = 0;  // pixels, pixels, and bytes from one line to the next
  PixelFormat format = PixelFormat::kB8G8R8X8;
  // The file that they lie in, from `fd_offset` on, if they lie in one. It is the device's.
  int fd = -1;
  uint64_t fd_offset = 0;

  std::span<const std::byte> line(uint32_t y, uint32_t x, uint32_t count) const {
    return {first + size_t{stride} * y + size_t{kBytesPerPixel} * x, size_t{kBytesPerPixel} * count};
  }
};

struct Cursor {
  Pixels pixels;           // 64 x 64; alpha is premultiplied
  uint32_t hot_x, hot_y;   // the pixel that points, within these
};

class DisplaySink {
 public:
  virtual ~DisplaySink() = default;
  // The scanout shows `pixels`, of which what is in `damage` is new. `damage` is not empty and lies within them; with a new size
  // or picture it is all of them.
  virtual void show(uint32_t scanout, const Pixels& pixels, const Rect& damage) = 0;
  // It shows nothing any more.
  virtual void blank(uint32_t scanout) = 0;
  // What the pointer looks like; nullptr: there is none.
  virtual void set_cursor(uint32_t scanout, const Cursor* cursor) = 0;
  // Where the pixel of the scanout that the pointer points to is. It may lie outside.
  virtual void move_cursor(uint32_t scanout, int32_t x, int32_t y) = 0;
};

}  // namespace pvgpu::virtio_gpu
