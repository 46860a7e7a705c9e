#include "virtio_gpu/scanout.h"

#include <utility>

namespace pvgpu::virtio_gpu {

Scanouts::~Scanouts() {
  for (uint32_t i = 0; i < scanouts_.size(); i++) {
    if (scanouts_[i].has_cursor) sink_->set_cursor(i, nullptr);
    clear(i);
  }
}

void Scanouts::set(uint32_t index, uint32_t resource_id, std::shared_ptr<Surface> surface, const Rect& part) {
  Scanout& scanout = scanouts_[index];
  scanout.surface = std::move(surface);
  scanout.resource_id = resource_id;
  scanout.part = part;
  scanout.new_picture = true;
}

void Scanouts::clear(uint32_t index) {
  Scanout& scanout = scanouts_[index];
  if (!scanout.surface) return;
  scanout.surface.reset();
  scanout.resource_id = 0;
  sink_->blank(index);
}

void Scanouts::drop(uint32_t resource_id) {
  for (uint32_t i = 0; i < scanouts_.size(); i++)
    if (scanouts_[i].surface && scanouts_[i].resource_id == resource_id) clear(i);
}

bool Scanouts::flush(uint32_t resource_id, const Rect& rect) {
  bool success = true;
  for (uint32_t i = 0; i < scanouts_.size(); i++) {
    Scanout& scanout = scanouts_[i];
    if (!scanout.surface || scanout.resource_id != resource_id) continue;
    // The guest tells what it has drawn since this resource was shown last, which need not be all that differs from the one before.
    const Rect& part = scanout.part;
    const Rect seen = scanout.new_picture ? part : intersection(rect, part);
    if (seen.width == 0) continue;
    if (!scanout.surface->update(seen)) {
      success = false;
      continue;
    }
    scanout.new_picture = false;
    sink_->show(i, scanout.surface->part(part), {seen.x - part.x, seen.y - part.y, seen.width, seen.height});
  }
  return success;
}

void Scanouts::set_cursor(uint32_t index, const Cursor* cursor) {
  scanouts_[index].has_cursor = cursor != nullptr;
  sink_->set_cursor(index, cursor);
}

}  // namespace pvgpu::virtio_gpu
