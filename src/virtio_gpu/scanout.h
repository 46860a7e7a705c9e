// What each scanout shows, passed on to the sink. Part of Control; one thread (the device's).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "virtio_gpu/display_sink.h"
#include "virtio_gpu/surface.h"

namespace pvgpu::virtio_gpu {

// What a guest is told that a scanout's size is; it may show pictures of other sizes.
struct DisplaySize {
  static constexpr uint32_t kMin = 64, kMax = 8192;
  uint32_t width = 0, height = 0;
  bool is_possible() const { return width >= kMin && width <= kMax && height >= kMin && height <= kMax; }
};

class Scanouts {
 public:
  // `sink` outlives it; nullptr only if `count` is 0.
  Scanouts(size_t count, DisplaySink* sink) : scanouts_(count), sink_(sink) {}
  // Nothing is shown any more.
  ~Scanouts();
  Scanouts(const Scanouts&) = delete;
  Scanouts& operator=(const Scanouts&) = delete;

  // From here on `scanout` is one of these.
  bool has(uint32_t scanout) const { return scanout < scanouts_.size(); }
  // It is to show `part`, which lies within `surface`, as soon as that is flushed.
  void set(uint32_t scanout, uint32_t resource_id, std::shared_ptr<Surface> surface, const Rect& part);
  void clear(uint32_t scanout);
  // The resource is gone.
  void drop(uint32_t resource_id);
  // Shows what the guest has drawn in `rect` of the resource, wherever it is to be seen. False: it is not in the guest's memory.
  bool flush(uint32_t resource_id, const Rect& rect);

  void set_cursor(uint32_t scanout, const Cursor* cursor);
  void move_cursor(uint32_t scanout, int32_t x, int32_t y) { sink_->move_cursor(scanout, x, y); }

 private:
  struct Scanout {
    std::shared_ptr<Surface> surface;  // nullptr: it shows nothing
    uint32_t resource_id = 0;
    Rect part{};
    bool new_picture = false;  // and nothing of it was shown yet
    bool has_cursor = false;
  };
  std::vector<Scanout> scanouts_;
  DisplaySink* const sink_;
};

}  // namespace pvgpu::virtio_gpu
