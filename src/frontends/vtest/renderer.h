// What a session needs of a context, so that a test can stand in for the GPU. The contract of each
// call is venus::Context's (src/venus/context.h), which VenusRenderer hands it on to.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "venus/context.h"

namespace pvgpu::frontends::vtest {

class Renderer {
 public:
  virtual ~Renderer() = default;
  virtual std::expected<venus::BlobMemory, venus::Poison> create_blob(
      uint32_t resource_id, const venus::BlobRequest& request) = 0;
  virtual void unref_resource(uint32_t resource_id) = 0;
  virtual std::expected<void, venus::Poison> submit(std::span<const std::byte> commands) = 0;
  virtual std::expected<void, venus::Poison> submit_fence(uint32_t ring_idx,
                                                          std::function<void()> done) = 0;
  virtual std::optional<venus::Poison> poisoned() const = 0;
};

// Makes the renderer of a connection; the argument is the guest process's name.
using RendererFactory = std::function<std::unique_ptr<Renderer>(const std::string& name)>;

// The factory of the real ones. `host` outlives every renderer. `options` are the contexts', but for the name.
RendererFactory venus_renderers(host::Host& host, venus::Context::Options options);

}  // namespace pvgpu::frontends::vtest
