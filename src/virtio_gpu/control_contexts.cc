// Contexts: what a guest process gets when it opens the device, and what it has executed.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "observe/log.h"
#include "observe/log_line.h"
#include "virtio_gpu/control.h"

namespace pvgpu::virtio_gpu {

void Control::get_capset_info(const GetCapsetInfo& body, Request& request) {
  if (body.capset_index != 0)
    return refuse(request, Response::kErrInvalidParameter, "capset index {} of 1", body.capset_index);
  request.reply.with(Response::kOkCapsetInfo,
                     CapsetInfo{.capset_id = venus::kCapsetId, .capset_max_version = 0, .capset_max_size = venus::kCapsetBytes});
}

void Control::get_capset(const GetCapset& body, Request& request) {
  if (body.capset_id != venus::kCapsetId || body.capset_version != 0)
    return refuse(request, Response::kErrInvalidParameter, "capset {}, version {}", body.capset_id, body.capset_version);
  request.reply.with_bytes(Response::kOkCapset, options_.capset);
}

void Control::ctx_create(const CtxCreate& body, Request& request) {
  const uint32_t id = request.header.ctx_id;
  // Drivers make contexts for processes that never asked for one, with no capset: a console's, say, that has a 2D resource.
  const uint32_t capset = body.context_init & 0xff;
  if (capset != venus::kCapsetId && capset != 0)
    return refuse(request, Response::kErrInvalidParameter, "a context for capset {}, which is not Venus", capset);
  if (id == 0 || contexts_.contains(id))
    return refuse(request, Response::kErrInvalidContextId, "context {} exists", id);
  if (contexts_.size() >= options_.max_contexts)
    return refuse(request, Response::kErrOutOfMemory, "more than {} contexts", options_.max_contexts);
  const size_t length = std::min<size_t>(body.nlen, sizeof body.debug_name);
  const std::string_view name(body.debug_name, ::strnlen(body.debug_name, length));
  Context context{.name = name.empty() ? fmt::format("context {}", id) : observe::printable(name), .renderer = nullptr};
  if (capset != 0) {
    context.renderer = options_.make_renderer(context.name);
    if (!context.renderer) return request.reply.error(Response::kErrOutOfMemory);
  }
  LOG_DEBUG("context {} ({}) created", id, context.name);
  contexts_.emplace(id, std::move(context));
  request.reply.ok();
}

void Control::ctx_destroy(Request& request) {
  Context* context = find_context(request);
  if (!context) return;
  const uint32_t id = request.header.ctx_id;
  // A program's last submission is often still on its way. That it went with its context is no failure of it, and the guest's
  // kernel would report one.
  const auto submissions = std::move(context->submissions);
  contexts_.erase(id);
  for (const auto& [number, reply] : *submissions) reply.ok();
  for (auto& [resource_id, resource] : resources_) {
    resource->attached.erase(id);
    if (resource->creator == id && resource->awaits_memory) resource->settle();  // memory that will never come
  }
  LOG_DEBUG("context {} destroyed", id);
  request.reply.ok();
}

void Control::ctx_attach_resource(const ResourceId& body, Request& request) {
  if (!find_context(request)) return;
  const ResourcePtr resource = find_resource(body.resource_id, request);
  if (!resource) return;
  attach(request.header.ctx_id, resource);
  request.reply.ok();
}

void Control::ctx_detach_resource(const ResourceId& body, Request& request) {
  if (!find_context(request)) return;
  const ResourcePtr resource = find_resource(body.resource_id, request);
  if (!resource) return;
  detach(request.header.ctx_id, *resource);
  request.reply.ok();
}

void Control::attach(uint32_t ctx_id, const ResourcePtr& resource) {
  if (!resource->attached.insert(ctx_id).second) return;
  when_settled(resource, [this, ctx_id, resource] {
    const auto context = contexts_.find(ctx_id);
    if (context == contexts_.end() || !context->second.renderer || !resource->attached.contains(ctx_id)) return;
    if (resource->memory && resource->memory->fd.valid())
      context->second.renderer->attach_resource(resource->id, resource->memory->fd.get(), resource->size);
  });
}

void Control::detach(uint32_t ctx_id, Resource& resource) {
  if (resource.attached.erase(ctx_id) == 0) return;
  const auto context = contexts_.find(ctx_id);
  if (context != contexts_.end() && context->second.renderer) context->second.renderer->unref_resource(resource.id);
}

void Control::submit_3d(const Submit3d& body, Request& request) {
  Context* context = find_venus_context(request);
  if (!context) return;
  if (body.size > options_.max_submission_bytes)
    return refuse(request, Response::kErrOutOfMemory, "{} bytes of commands", body.size);
  if (body.size > request.rest.size())
    return refuse(request, Response::kErrInvalidParameter, "{} bytes of commands in a request with {}", body.size,
                  request.rest.size());
  const auto commands = request.rest.first(body.size);
  const Header& header = request.header;
  const bool fenced = (header.flags & kFlagFence) != 0;
  // The answer is the fence's; without one it comes when the commands were executed.
  const uint64_t number = ++last_submission_;
  context->submissions->emplace(number, request.reply);
  const auto answer = [waiting = std::weak_ptr(context->submissions), number](bool success) {
    const auto submissions = waiting.lock();
    if (!submissions) return;
    const auto submission = submissions->extract(number);
    if (success) {
      submission.mapped().ok();
    } else {
      submission.mapped().error(Response::kErrUnspec);
    }
  };
  auto succeeded = std::make_shared<bool>(true);
  context->renderer->submit({commands.begin(), commands.end()}, [succeeded, fenced, answer](bool success) {
    *succeeded = success;
    if (!fenced) answer(success);
  });
  if (fenced)
    context->renderer->submit_fence(header.flags & kFlagRingIdx ? header.ring_idx : 0,
                                    [succeeded, answer] { answer(*succeeded); });
}

}  // namespace pvgpu::virtio_gpu
