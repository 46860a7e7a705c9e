// The functions of pvgpu.h for contexts without a device.
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "library/contexts.h"
#include "library/embedded_renderer.h"
#include "library/host.h"
#include "library/versioned.h"
#include "observe/log_line.h"
#include "platform/shared_memory.h"
#include "virtio_gpu/protocol.h"

namespace library = pvgpu::library;
namespace venus = pvgpu::venus;
using library::guarded;
using library::guarded_quick;
using pvgpu::platform::SharedMemory;

static_assert(PVGPU_CAPSET_VENUS == venus::kCapsetId && PVGPU_CAPSET_VENUS_BYTES == venus::kCapsetBytes);
static_assert(PVGPU_BLOB_MAPPABLE == venus::kBlobMappable && PVGPU_BLOB_SHAREABLE == venus::kBlobShareable &&
              PVGPU_BLOB_CROSS_DEVICE == venus::kBlobCrossDevice);
static_assert(PVGPU_MAP_CACHED == pvgpu::virtio_gpu::kMapCacheCached &&
              PVGPU_MAP_WRITE_COMBINED == pvgpu::virtio_gpu::kMapCacheWriteCombine);

// The ABI: what is added later goes to the ends.
constexpr size_t kRendererOptionsBytes = 16, kRendererCallbacksBytes = 32, kContextOptionsBytes = 32, kBlobRequestBytes = 32,
                 kBlobInfoBytes = 24;
static_assert(sizeof(pvgpu_renderer_options) == kRendererOptionsBytes);
static_assert(sizeof(pvgpu_renderer_callbacks) == kRendererCallbacksBytes && offsetof(pvgpu_renderer_callbacks, context_lost) == 24);
static_assert(sizeof(pvgpu_context_options) == kContextOptionsBytes && offsetof(pvgpu_context_options, name) == 16);
static_assert(sizeof(pvgpu_blob_request) == kBlobRequestBytes && offsetof(pvgpu_blob_request, blob_id) == 16);
static_assert(sizeof(pvgpu_blob_info) == kBlobInfoBytes && offsetof(pvgpu_blob_info, fd) == 16);

struct pvgpu_renderer {
  pvgpu_renderer(pvgpu_host* h, std::unique_ptr<pvgpu::platform::EventLoop> loop, std::unique_ptr<library::Contexts> places,
                 const pvgpu_renderer_callbacks& calls)
      : host(h),
        callbacks(calls),
        contexts(std::move(places)),
        thread(std::move(loop), "pvgpu-renderer"),
        make_context(contexts->start(thread)) {}
  ~pvgpu_renderer() {
    thread.end([this] { contexts.reset(); });
  }

  pvgpu_host* const host;
  const pvgpu_renderer_callbacks callbacks;
  std::unique_ptr<library::Contexts> contexts;
  library::LoopThread thread;
  const pvgpu::virtio_gpu::RendererFactory make_context;
  std::atomic<size_t> context_count = 0;
};

struct pvgpu_context {
  pvgpu_context(pvgpu_renderer* r, void* user) : renderer(r), context(r->thread, r->callbacks, user) {}

  pvgpu_renderer* const renderer;
  library::EmbeddedContext context;
};

struct pvgpu_blob {
  venus::BlobMemory memory;
};

extern "C" {

int pvgpu_get_capset(uint32_t capset_id, uint32_t version, void* out, size_t bytes) {
  if (!out) return -EINVAL;
  if (capset_id != PVGPU_CAPSET_VENUS || version != 0) return -ENOENT;
  const auto capset = venus::capset();
  if (bytes < capset.size()) return -ENOSPC;
  std::memcpy(out, capset.data(), capset.size());
  return 0;
}

int pvgpu_renderer_create(struct pvgpu_host* host, const struct pvgpu_renderer_options* options,
                          const struct pvgpu_renderer_callbacks* callbacks, struct pvgpu_renderer** renderer) {
  if (!renderer) return -EINVAL;
  *renderer = nullptr;
  if (!host) return -EINVAL;
  return guarded([&] {
    pvgpu_renderer_options given{};
    pvgpu_renderer_callbacks calls;
    if (options)
      if (const int error = library::read_versioned(options, kRendererOptionsBytes, given)) return error;
    if (const int error = library::read_versioned(callbacks, kRendererCallbacksBytes, calls)) return error;
    if (!calls.fence) return -EINVAL;
    auto loop = library::new_loop();
    if (!loop) return -EMFILE;
    auto contexts = library::Contexts::create(*host, given.worker);
    if (!contexts) return contexts.error();
    *renderer = new pvgpu_renderer(host, std::move(loop), std::move(*contexts), calls);
    host->users.fetch_add(1, std::memory_order_relaxed);
    return 0;
  });
}

int pvgpu_renderer_destroy(struct pvgpu_renderer* renderer) {
  if (!renderer) return 0;
  return guarded([&] {
    // acquire: what was done to destroyed contexts comes before the end.
    if (renderer->context_count.load(std::memory_order_acquire) > 0) return -EBUSY;
    pvgpu_host* const host = renderer->host;
    delete renderer;
    // release: pairs with pvgpu_host_close.
    host->users.fetch_sub(1, std::memory_order_release);
    return 0;
  });
}

int pvgpu_context_create(struct pvgpu_renderer* renderer, const struct pvgpu_context_options* options,
                         struct pvgpu_context** context) {
  if (!context) return -EINVAL;
  *context = nullptr;
  if (!renderer) return -EINVAL;
  return guarded([&] {
    pvgpu_context_options given;
    if (const int error = library::read_versioned(options, kContextOptionsBytes, given)) return error;
    if (given.capset_id != PVGPU_CAPSET_VENUS || given.reserved != 0) return -EINVAL;
    const std::string name = given.name && *given.name ? pvgpu::observe::printable(given.name) : "a context";
    auto made = std::make_unique<pvgpu_context>(renderer, given.user);
    const int error =
        renderer->thread.call([&] { return made->context.start(renderer->make_context, name) ? 0 : -EAGAIN; });
    if (error) return error;
    renderer->context_count.fetch_add(1, std::memory_order_relaxed);
    *context = made.release();
    return 0;
  });
}

int pvgpu_context_destroy(struct pvgpu_context* context) {
  if (!context) return 0;
  return guarded([&] {
    pvgpu_renderer* const renderer = context->renderer;
    const int error = renderer->thread.call([&] {
      context->context.end();
      return 0;
    });
    if (error) return error;
    delete context;
    // release: pairs with pvgpu_renderer_destroy.
    renderer->context_count.fetch_sub(1, std::memory_order_release);
    return 0;
  });
}

int pvgpu_context_submit(struct pvgpu_context* context, const void* commands, size_t bytes) {
  if (!context || (!commands && bytes > 0)) return -EINVAL;
  if (bytes > PVGPU_SUBMIT_BYTES_MAX) return -E2BIG;
  return guarded_quick([&] {
    const auto* first = static_cast<const std::byte*>(commands);
    context->context.submit({first, first + bytes});
    return 0;
  });
}

int pvgpu_context_fence(struct pvgpu_context* context, uint32_t ring_idx, uint64_t fence_id) {
  if (!context || ring_idx >= PVGPU_RING_COUNT) return -EINVAL;
  return guarded_quick([&] {
    context->context.fence(ring_idx, fence_id);
    return 0;
  });
}

int pvgpu_context_create_blob(struct pvgpu_context* context, const struct pvgpu_blob_request* request, struct pvgpu_blob** blob) {
  constexpr uint32_t kFlags = PVGPU_BLOB_MAPPABLE | PVGPU_BLOB_SHAREABLE | PVGPU_BLOB_CROSS_DEVICE;
  if (!blob) return -EINVAL;
  *blob = nullptr;
  if (!context) return -EINVAL;
  return guarded([&] {
    pvgpu_blob_request given;
    if (const int error = library::read_versioned(request, kBlobRequestBytes, given)) return error;
    if (given.resource_id == 0 || (given.flags & ~kFlags) || given.bytes == 0) return -EINVAL;
    auto made = std::make_unique<pvgpu_blob>();
    auto memory = context->context.create_blob(given.resource_id,
                                               {.flags = given.flags, .blob_id = given.blob_id, .size = given.bytes});
    if (!memory) return -EIO;
    made->memory = std::move(*memory);
    *blob = made.release();
    return 0;
  });
}

int pvgpu_context_attach(struct pvgpu_context* context, uint32_t resource_id, int fd, uint64_t bytes) {
  if (!context || resource_id == 0 || fd < 0 || bytes == 0) return -EINVAL;
  return guarded([&] { return context->context.attach(resource_id, fd, bytes); });
}

int pvgpu_context_detach(struct pvgpu_context* context, uint32_t resource_id) {
  if (!context || resource_id == 0) return -EINVAL;
  return guarded([&] { return context->context.detach(resource_id); });
}

int pvgpu_blob_get_info(const struct pvgpu_blob* blob, struct pvgpu_blob_info* info) {
  if (!blob || !info || info->size < kBlobInfoBytes) return -EINVAL;
  const venus::BlobMemory& memory = blob->memory;
  const bool mappable = memory.fd.valid();
  info->bytes = mappable ? memory.size : 0;
  info->fd = mappable ? memory.fd.get() : -1;
  info->map_info = memory.cached ? PVGPU_MAP_CACHED : PVGPU_MAP_WRITE_COMBINED;
  return 0;
}

int pvgpu_blob_map(struct pvgpu_blob* blob, void** pointer) {
  if (!pointer) return -EINVAL;
  *pointer = nullptr;
  if (!blob) return -EINVAL;
  return guarded_quick([&] {
    venus::BlobMemory& memory = blob->memory;
    if (!memory.fd.valid()) return -ENOTSUP;
    if (!memory.bytes) {  // the driver's own memory, or a worker's
      auto opened = SharedMemory::open(memory.fd.duplicate(), static_cast<size_t>(memory.size));
      if (!opened) {
        LOG_WARN("{}", opened.error().what);
        return -ENOMEM;
      }
      memory.bytes = std::make_shared<const SharedMemory>(std::move(*opened));
    }
    *pointer = memory.bytes->data();
    return 0;
  });
}

int pvgpu_blob_destroy(struct pvgpu_blob* blob) {
  delete blob;
  return 0;
}

}  // extern "C"
