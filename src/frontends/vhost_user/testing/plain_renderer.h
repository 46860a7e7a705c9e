// A context without a driver, for tests and benchmarks of what carries commands: it gives shared memory for blobs, and all else succeeds at once.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "platform/shared_memory.h"
#include "virtio_gpu/renderer.h"

namespace pvgpu::frontends::vhost_user::testing {

class PlainRenderer : public virtio_gpu::Renderer {
 public:
  void create_blob(uint32_t, const venus::BlobRequest& request, BlobDone done) override {
    auto memory = platform::SharedMemory::create(request.size, "blob");
    done(venus::BlobMemory{memory->fd().duplicate(), memory->size()});
  }
  void attach_resource(uint32_t, int, uint64_t) override {}
  void unref_resource(uint32_t) override {}
  void submit(std::vector<std::byte>, std::function<void(bool)> done) override { done(true); }
  void submit_fence(uint32_t, std::function<void()> done) override { done(); }
};

}  // namespace pvgpu::frontends::vhost_user::testing
