// Resources: blobs of the host's and the guest's memory, and their places in the window.
#include <algorithm>
#include <cstring>
#include <random>

#include "observe/log.h"
#include "virtio_gpu/control.h"
#include "virtio_gpu/page_list.h"

namespace pvgpu::virtio_gpu {
namespace {

constexpr uint32_t kBlobFlags = venus::kBlobMappable | venus::kBlobShareable | venus::kBlobCrossDevice;

std::array<uint8_t, 16> random_uuid() {
  std::random_device source;
  std::array<uint8_t, 16> uuid;
  for (uint8_t& byte : uuid) byte = static_cast<uint8_t>(source());
  uuid[6] = (uuid[6] & 0x0f) | 0x40;  // version 4: random
  uuid[8] = (uuid[8] & 0x3f) | 0x80;
  return uuid;
}

}  // namespace

void Control::resource_create_blob(const ResourceCreateBlob& body, Request& request) {
  if (!check_new_resource(body.resource_id, request)) return;
  if (body.blob_mem < kBlobMemGuest || body.blob_mem > kBlobMemHost3dGuest || (body.blob_flags & ~kBlobFlags) || body.size == 0)
    return refuse(request, Response::kErrInvalidParameter, "a blob of kind {}, flags {:#x} and {} bytes", body.blob_mem,
                  body.blob_flags, body.size);
  auto resource = std::make_shared<Resource>();
  resource->id = body.resource_id;
  resource->size = body.size;
  resource->blob_mem = body.blob_mem;
  resource->blob_flags = body.blob_flags;
  const bool in_guest = body.blob_mem != kBlobMemHost3d;
  if (resource->in_host() && !find_venus_context(request)) return;
  if (!take_pages(*resource, body.nr_entries, request)) return;
  if (in_guest ? bytes_of(resource->backing) < body.size : !resource->backing.empty()) {
    drop_pages(*resource);
    return refuse(request, Response::kErrInvalidParameter, "{} bytes of pages for a blob of kind {} and {} bytes",
                  bytes_of(resource->backing), body.blob_mem, body.size);
  }
  if (!resource->in_host()) {
    resources_.emplace(resource->id, std::move(resource));
    return request.reply.ok();
  }
  resources_.emplace(resource->id, resource);
  ask_for_memory(resource, body, request);
}

void Control::ask_for_memory(const ResourcePtr& resource, const ResourceCreateBlob& body, Request& request) {
  resource->creator = request.header.ctx_id;
  // The context knows the id from here on, before the driver attaches it: a ring may be made in it at once.
  resource->attached.insert(resource->creator);
  resource->awaits_memory = true;
  // Plain memory is padded, so that a guest of smaller pages that knows nothing of ours gets what can be mapped. Memory of Vulkan's was
  // padded when it was allocated.
  const uint64_t size = body.blob_id == 0 ? std::max(body.size, mapped_bytes(*resource)) : body.size;
  const venus::BlobRequest blob{.flags = body.blob_flags, .blob_id = body.blob_id, .size = size};
  contexts_.at(resource->creator)
      .renderer->create_blob(resource->id, blob, [resource, reply = request.reply](auto memory) {
        // Drivers look at no answer to this command, but at that to a mapping. The id stays theirs either way.
        const bool made = memory.has_value();
        if (made) resource->memory = std::move(*memory);
        resource->settle();
        if (made) {
          reply.ok();
        } else {
          reply.error(Response::kErrUnspec);
        }
      });
}

void Control::resource_unref(const ResourceId& body, Request& request) {
  const ResourcePtr resource = find_resource(body.resource_id, request);
  if (!resource) return;
  scanouts_.drop(resource->id);
  if (resource->window_offset) unmap(*resource, [](bool) {});
  for (const uint32_t ctx_id : std::set<uint32_t>(resource->attached)) detach(ctx_id, *resource);
  drop_pages(*resource);
  resources_.erase(body.resource_id);
  resource->settle();
  request.reply.ok();
}

void Control::resource_attach_backing(const ResourceAttachBacking& body, Request& request) {
  const ResourcePtr resource = find_resource(body.resource_id, request);
  if (!resource) return;
  if (resource->blob_mem != 0 || !resource->backing.empty())
    return refuse(request, Response::kErrInvalidParameter, "resource {} has its pages", resource->id);
  if (take_pages(*resource, body.nr_entries, request)) request.reply.ok();
}

void Control::resource_detach_backing(const ResourceId& body, Request& request) {
  const ResourcePtr resource = find_resource(body.resource_id, request);
  if (!resource) return;
  drop_pages(*resource);
  request.reply.ok();
}

bool Control::take_pages(Resource& resource, uint32_t entries, Request& request) {
  if (request.rest.size() / sizeof(MemEntry) < entries) {
    refuse(request, Response::kErrInvalidParameter, "a list of {} pages that is cut off", entries);
    return false;
  }
  if (entries > options_.max_pages - pages_) {
    refuse(request, Response::kErrOutOfMemory, "page lists of more than {} entries", options_.max_pages);
    return false;
  }
  resource.backing.resize(entries);
  if (entries > 0) std::memcpy(resource.backing.data(), request.rest.data(), entries * sizeof(MemEntry));
  pages_ += entries;
  return true;
}

void Control::drop_pages(Resource& resource) {
  pages_ -= resource.backing.size();
  resource.backing = {};
}

void Control::resource_assign_uuid(const ResourceId& body, Request& request) {
  const ResourcePtr resource = find_resource(body.resource_id, request);
  if (!resource) return;
  if (!resource->uuid) resource->uuid = random_uuid();
  request.reply.with(Response::kOkResourceUuid, *resource->uuid);
}

void Control::resource_map_blob(const ResourceMapBlob& body, Request& request) {
  const ResourcePtr resource = find_resource(body.resource_id, request);
  if (!resource) return;
  const auto refused = [&]<class... Args>(fmt::format_string<Args...> why, Args&&... args) {
    refuse(request, Response::kErrInvalidParameter, why, std::forward<Args>(args)...);
  };
  if (!resource->in_host() || !(resource->blob_flags & venus::kBlobMappable))
    return refused("resource {} cannot be mapped", resource->id);
  if (resource->window_offset) return refused("resource {} is mapped", resource->id);
  const uint64_t length = mapped_bytes(*resource);
  if (body.offset % options_.map_alignment != 0)
    return refused("resource {} at {:#x} of the window, where this host maps whole pages of {} bytes: the guest's kernel "
                   "(Linux 7.2 or newer) and its Mesa must know blob alignment, or have such pages too",
                   resource->id, body.offset, options_.map_alignment);
  if (!window_.take(body.offset, length))
    return refused("{} bytes at {:#x} of a window of {}: outside, or taken", length, body.offset, options_.window_bytes);
  resource->window_offset = body.offset;
  resource->map_serial = ++last_map_serial_;
  when_settled(resource, [this, resource, serial = resource->map_serial, reply = request.reply] {
    map_now(resource, serial, reply);
  });
}

void Control::map_now(const ResourcePtr& resource, uint64_t serial, Reply reply) {
  // Unmapped or gone while its memory was awaited.
  if (!resource->window_offset || resource->map_serial != serial) return reply.error(Response::kErrUnspec);
  const uint64_t length = mapped_bytes(*resource);
  if (!resource->memory || !resource->memory->fd.valid() || resource->memory->size < length) {
    warnings_.warn("resource {} has no bytes that can be shared: the guest cannot map it", resource->id);
    window_.release(*resource->window_offset);
    resource->window_offset.reset();
    return reply.error(Response::kErrOutOfMemory);
  }
  const uint32_t map_info = resource->memory->cached ? kMapCacheCached : kMapCacheWriteCombine;
  transport_.map_window(*resource->window_offset, length, *resource->memory, [reply, map_info](bool success) {
    if (success) {
      reply.with(Response::kOkMapInfo, MapInfo{map_info, 0});
    } else {
      reply.error(Response::kErrUnspec);
    }
  });
}

void Control::resource_unmap_blob(const ResourceId& body, Request& request) {
  const ResourcePtr resource = find_resource(body.resource_id, request);
  if (!resource) return;
  if (!resource->window_offset)
    return refuse(request, Response::kErrInvalidParameter, "resource {} is not mapped", resource->id);
  unmap(*resource, [reply = request.reply](bool success) {
    if (success) {
      reply.ok();
    } else {
      reply.error(Response::kErrUnspec);
    }
  });
}

void Control::unmap(Resource& resource, std::function<void(bool)> done) {
  const uint64_t offset = *resource.window_offset;
  window_.release(offset);
  resource.window_offset.reset();
  if (resource.awaits_memory) return done(true);  // never came to be mapped
  transport_.unmap_window(offset, mapped_bytes(resource), std::move(done));
}

}  // namespace pvgpu::virtio_gpu
