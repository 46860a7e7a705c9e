#include "virtio_gpu/control.h"

#include <cstring>
#include <utility>

namespace pvgpu::virtio_gpu {

Control::Control(const ControlOptions& options, Transport& transport, observe::CountedWarnings& warnings)
    : options_(options),
      transport_(transport),
      warnings_(warnings),
      window_(options.window_bytes),
      pixel_budget_(std::make_shared<PixelBudget>(options.max_pixel_bytes)),
      scanouts_(options.displays.size(), options.display_sink) {}

Control::~Control() {
  contexts_.clear();
  for (auto& [id, resource] : resources_) {
    resource->waiting.clear();  // what waits for memory holds on to its resource
    if (resource->window_offset) unmap(*resource, [](bool) {});
  }
}

Config Control::config() const {
  return {.events_read = events_,
          .events_clear = 0,
          .num_scanouts = static_cast<uint32_t>(options_.displays.size()),
          .num_capsets = 1,
          .blob_alignment = options_.map_alignment > kSmallestPage ? options_.map_alignment : 0};
}

void Control::clear_events(uint32_t events) { events_ &= ~events; }

template <class T>
void Control::with_body(void (Control::*handler)(const T&, Request&), const Header& header,
                        std::span<const std::byte> body, Reply reply) {
  Request request{header, {}, std::move(reply)};
  if (body.size() < sizeof(T))
    return refuse(request, Response::kErrInvalidParameter, "{} bytes of {}", body.size(), sizeof(T));
  T value;
  std::memcpy(&value, body.data(), sizeof value);
  request.rest = body.subspan(sizeof value);
  (this->*handler)(value, request);
}

void Control::execute(const Header& header, std::span<const std::byte> body, Reply reply) {
  LOG_TRACE("virtio-gpu command {:#x} with {} bytes, context {}", header.type, body.size(), header.ctx_id);
  const auto with = [&](auto handler) { with_body(handler, header, body, std::move(reply)); };
  const auto plain = [&](void (Control::*handler)(Request&)) {
    Request request{header, body, std::move(reply)};
    (this->*handler)(request);
  };
  switch (static_cast<Command>(header.type)) {
    case Command::kGetDisplayInfo: return plain(&Control::get_display_info);
    case Command::kGetEdid: return with(&Control::get_edid);
    case Command::kResourceCreate2d: return with(&Control::resource_create_2d);
    case Command::kTransferToHost2d: return with(&Control::transfer_to_host_2d);
    case Command::kSetScanout: return with(&Control::set_scanout);
    case Command::kSetScanoutBlob: return with(&Control::set_scanout_blob);
    case Command::kResourceFlush: return with(&Control::resource_flush);
    case Command::kGetCapsetInfo: return with(&Control::get_capset_info);
    case Command::kGetCapset: return with(&Control::get_capset);
    case Command::kCtxCreate: return with(&Control::ctx_create);
    case Command::kCtxDestroy: return plain(&Control::ctx_destroy);
    case Command::kCtxAttachResource: return with(&Control::ctx_attach_resource);
    case Command::kCtxDetachResource: return with(&Control::ctx_detach_resource);
    case Command::kSubmit3d: return with(&Control::submit_3d);
    case Command::kResourceCreateBlob: return with(&Control::resource_create_blob);
    case Command::kResourceUnref: return with(&Control::resource_unref);
    case Command::kResourceAttachBacking: return with(&Control::resource_attach_backing);
    case Command::kResourceDetachBacking: return with(&Control::resource_detach_backing);
    case Command::kResourceAssignUuid: return with(&Control::resource_assign_uuid);
    case Command::kResourceMapBlob: return with(&Control::resource_map_blob);
    case Command::kResourceUnmapBlob: return with(&Control::resource_unmap_blob);
    default: break;
  }
  refuse_unknown(header, reply);
}

void Control::execute_cursor(const Header& header, std::span<const std::byte> body, Reply reply) {
  switch (static_cast<Command>(header.type)) {
    case Command::kUpdateCursor: return with_body(&Control::update_cursor, header, body, std::move(reply));
    case Command::kMoveCursor: return with_body(&Control::move_cursor, header, body, std::move(reply));
    default: break;
  }
  refuse_unknown(header, reply);
}

bool Control::check_new_resource(uint32_t id, Request& request) {
  if (id == 0 || resources_.contains(id)) {
    refuse(request, Response::kErrInvalidResourceId, "resource {} exists", id);
    return false;
  }
  if (resources_.size() >= options_.max_resources) {
    refuse(request, Response::kErrOutOfMemory, "more than {} resources", options_.max_resources);
    return false;
  }
  return true;
}

void Control::when_settled(const ResourcePtr& resource, std::function<void()> action) {
  if (resource->awaits_memory) {
    resource->waiting.push_back(std::move(action));
  } else {
    action();
  }
}

Control::Context* Control::find_context(Request& request) {
  const auto found = contexts_.find(request.header.ctx_id);
  if (found != contexts_.end()) return &found->second;
  refuse(request, Response::kErrInvalidContextId, "context {} does not exist", request.header.ctx_id);
  return nullptr;
}

Control::Context* Control::find_venus_context(Request& request) {
  Context* const context = find_context(request);
  if (!context || context->renderer) return context;
  refuse(request, Response::kErrInvalidContextId, "context {} is not for Venus", request.header.ctx_id);
  return nullptr;
}

Control::ResourcePtr Control::find_resource(uint32_t id, Request& request) {
  const auto found = resources_.find(id);
  if (found != resources_.end()) return found->second;
  refuse(request, Response::kErrInvalidResourceId, "resource {} does not exist", id);
  return nullptr;
}

void Control::refuse_unknown(const Header& header, const Reply& reply) {
  // One kind, whatever number the guest makes up.
  warnings_.warn("virtio-gpu command {:#x} refused: not a command of this queue", header.type);
  reply.error(Response::kErrUnspec);
}

}  // namespace pvgpu::virtio_gpu
