// What a guest shows: 2D resources, scanouts, cursors.
#include <fmt/format.h>

#include <algorithm>

#include "virtio_gpu/control.h"
#include "virtio_gpu/edid.h"

namespace pvgpu::virtio_gpu {
namespace {

constexpr uint32_t kEventDisplay = 1;
constexpr uint32_t kCursorSide = 64;

}  // namespace

// For fmt, which finds it here.
static std::string format_as(const Rect& rect) { return fmt::format("{}x{} at {},{}", rect.width, rect.height, rect.x, rect.y); }

void Control::display_changed() {
  events_ |= kEventDisplay;
  transport_.config_changed();
}

void Control::get_display_info(Request& request) {
  DisplayInfo info{};
  for (size_t i = 0; i < options_.displays.size(); i++)
    info.pmodes[i] = {.r = {0, 0, options_.displays[i].width, options_.displays[i].height}, .enabled = 1, .flags = 0};
  request.reply.with(Response::kOkDisplayInfo, info);
}

void Control::get_edid(const GetEdid& body, Request& request) {
  if (!check_scanout(body.scanout, request)) return;
  const DisplaySize& size = options_.displays[body.scanout];
  Edid edid{.size = kEdidBytes, .padding = 0, .edid = {}};
  std::ranges::copy(make_edid(size.width, size.height), edid.edid);
  request.reply.with(Response::kOkEdid, edid);
}

void Control::resource_create_2d(const ResourceCreate2d& body, Request& request) {
  if (!check_new_resource(body.resource_id, request)) return;
  const auto format = pixel_format(body.format);
  if (!format || !fits({0, 0, body.width, body.height}, kMaxSide, kMaxSide))
    return refuse(request, Response::kErrInvalidParameter, "{}x{} pixels of format {}", body.width, body.height, body.format);
  auto resource = std::make_shared<Resource>();
  resource->id = body.resource_id;
  resource->picture = Surface2d::create(body.width, body.height, *format, pixel_budget_);
  if (!resource->picture)
    return refuse(request, Response::kErrOutOfMemory, "{}x{} pixels; {} bytes are left", body.width, body.height,
                  pixel_budget_->left);
  resources_.emplace(resource->id, std::move(resource));
  request.reply.ok();
}

void Control::transfer_to_host_2d(const TransferToHost2d& body, Request& request) {
  const ResourcePtr resource = find_resource(body.resource_id, request);
  if (!resource) return;
  if (!resource->picture)
    return refuse(request, Response::kErrInvalidResourceId, "resource {} is no 2D resource", resource->id);
  const auto done = resource->picture->transfer(body.r, body.offset, transport_.memory(), resource->backing);
  if (!done)
    return refuse(request, Response::kErrInvalidParameter, "resource {}: {}", resource->id, done.error());
  request.reply.ok();
}

bool Control::check_scanout(uint32_t scanout, Request& request) {
  if (scanouts_.has(scanout)) return true;
  refuse(request, Response::kErrInvalidScanoutId, "scanout {} of {}", scanout, options_.displays.size());
  return false;
}

Control::ResourcePtr Control::find_shown(uint32_t scanout, uint32_t resource_id, Request& request) {
  if (!check_scanout(scanout, request)) return nullptr;
  if (resource_id != 0) return find_resource(resource_id, request);
  scanouts_.clear(scanout);
  request.reply.ok();
  return nullptr;
}

void Control::set_scanout(const SetScanout& body, Request& request) {
  const ResourcePtr resource = find_shown(body.scanout_id, body.resource_id, request);
  if (!resource) return;
  if (!resource->picture)
    return refuse(request, Response::kErrInvalidResourceId, "resource {} is no 2D resource", resource->id);
  if (!fits(body.r, resource->picture->width(), resource->picture->height()))
    return refuse(request, Response::kErrInvalidParameter, "{} of resource {}", body.r, resource->id);
  scanouts_.set(body.scanout_id, resource->id, resource->picture, body.r);
  request.reply.ok();
}

void Control::set_scanout_blob(const SetScanoutBlob& body, Request& request) {
  const ResourcePtr resource = find_shown(body.scanout_id, body.resource_id, request);
  if (!resource) return;
  if (resource->blob_mem == 0)
    return refuse(request, Response::kErrInvalidResourceId, "resource {} is no blob", resource->id);
  const auto format = pixel_format(body.format);
  const BlobLayout layout{body.width, body.height, format.value_or(PixelFormat{}), body.strides[0], body.offsets[0]};
  if (!format || !layout.fits_in(resource->size) || !fits(body.r, body.width, body.height))
    return refuse(request, Response::kErrInvalidParameter,
                  "{} of {}x{} pixels of format {}, lines of {} bytes, from byte {} of a blob of {}", body.r, body.width,
                  body.height, body.format, body.strides[0], body.offsets[0], resource->size);
  when_settled(resource, [this, resource, layout, body, reply = request.reply] { show_blob(resource, layout, body, reply); });
}

void Control::show_blob(const ResourcePtr& resource, const BlobLayout& layout, const SetScanoutBlob& body, const Reply& reply) {
  // Gone while its memory was awaited.
  const auto known = resources_.find(resource->id);
  if (known == resources_.end() || known->second != resource) return reply.error(Response::kErrInvalidResourceId);
  if (!resource->blob_picture || resource->blob_layout != layout) {
    if (!resource->in_host()) {
      resource->blob_picture = GuestBlobSurface::create(layout, transport_.memory(), resource->backing, pixel_budget_);
    } else if (resource->memory && resource->memory->fd.valid()) {
      resource->blob_picture = HostBlobSurface::create(layout, resource->memory->fd, resource->size);
    } else {
      resource->blob_picture = nullptr;
    }
    resource->blob_layout = layout;
  }
  if (!resource->blob_picture) {
    warnings_.warn("resource {} cannot be shown: its memory cannot be read here", resource->id);
    return reply.error(Response::kErrOutOfMemory);
  }
  scanouts_.set(body.scanout_id, resource->id, resource->blob_picture, body.r);
  reply.ok();
}

void Control::resource_flush(const ResourceFlush& body, Request& request) {
  const ResourcePtr resource = find_resource(body.resource_id, request);
  if (!resource) return;
  if (resource->picture && !fits(body.r, resource->picture->width(), resource->picture->height()))
    return refuse(request, Response::kErrInvalidParameter, "{} of resource {}", body.r, resource->id);
  // A blob has no size in pixels but that of the scanouts that show it, which cut the rectangle.
  when_settled(resource, [this, id = resource->id, rect = body.r, reply = request.reply] {
    if (scanouts_.flush(id, rect)) return reply.ok();
    warnings_.warn("resource {} cannot be shown: its pages are not in the guest's memory", id);
    reply.error(Response::kErrUnspec);
  });
}

void Control::update_cursor(const UpdateCursor& body, Request& request) {
  if (!check_scanout(body.scanout_id, request)) return;
  if (body.resource_id == 0) {
    scanouts_.set_cursor(body.scanout_id, nullptr);
  } else {
    const ResourcePtr resource = find_resource(body.resource_id, request);
    if (!resource) return;
    if (!resource->picture || resource->picture->width() != kCursorSide || resource->picture->height() != kCursorSide)
      return refuse(request, Response::kErrInvalidResourceId, "resource {0} is no picture of {1}x{1} pixels", resource->id,
                    kCursorSide);
    if (body.hot_x >= kCursorSide || body.hot_y >= kCursorSide)
      return refuse(request, Response::kErrInvalidParameter, "a cursor that points with {},{}", body.hot_x, body.hot_y);
    const Cursor cursor{resource->picture->pixels(), body.hot_x, body.hot_y};
    scanouts_.set_cursor(body.scanout_id, &cursor);
  }
  move_cursor(body, request);
}

void Control::move_cursor(const UpdateCursor& body, Request& request) {
  if (!check_scanout(body.scanout_id, request)) return;
  // Drivers write negative numbers into what the specification has as unsigned.
  scanouts_.move_cursor(body.scanout_id, static_cast<int32_t>(body.x), static_cast<int32_t>(body.y));
  request.reply.ok();
}

}  // namespace pvgpu::virtio_gpu
