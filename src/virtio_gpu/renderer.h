// What a device needs of one guest context: venus::Context's calls (src/venus/context.h), without waiting for their
// effects, so that a context may live in another thread or process and a busy one does not hold up the rest.
//
// Used on the device's thread. Calls take effect in order. Callbacks run on the device's thread, perhaps before
// the call returns, each exactly once unless the renderer is destroyed first: then never.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "venus/context.h"

namespace pvgpu::virtio_gpu {

class Renderer {
 public:
  // Ends the context.
  virtual ~Renderer() = default;

  using BlobDone = std::function<void(std::expected<venus::BlobMemory, venus::Poison>)>;
  virtual void create_blob(uint32_t resource_id, const venus::BlobRequest& request, BlobDone done) = 0;
  // Makes what another context or the guest itself made known here. `fd` stays the caller's.
  virtual void attach_resource(uint32_t resource_id, int fd, uint64_t size) = 0;
  virtual void unref_resource(uint32_t resource_id) = 0;
  // `done(false)`: the context is poisoned, or its process is gone.
  virtual void submit(std::vector<std::byte> commands, std::function<void(bool)> done) = 0;
  virtual void submit_fence(uint32_t ring_idx, std::function<void()> done) = 0;
};

// Makes the renderer of a context; the argument is the guest process's name. nullptr: this host cannot serve a further
// one, which is logged.
using RendererFactory = std::function<std::unique_ptr<Renderer>(const std::string& name)>;

}  // namespace pvgpu::virtio_gpu
