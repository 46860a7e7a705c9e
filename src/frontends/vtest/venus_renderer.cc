#include <utility>

#include "frontends/vtest/renderer.h"

namespace pvgpu::frontends::vtest {
namespace {

class VenusRenderer : public Renderer {
 public:
  explicit VenusRenderer(std::unique_ptr<venus::Context> context) : context_(std::move(context)) {}

  std::expected<venus::BlobMemory, venus::Poison> create_blob(
      uint32_t resource_id, const venus::BlobRequest& request) override {
    return context_->create_blob(resource_id, request);
  }
  void unref_resource(uint32_t resource_id) override { context_->unref_resource(resource_id); }
  std::expected<void, venus::Poison> submit(std::span<const std::byte> commands) override {
    return context_->submit(commands);
  }
  std::expected<void, venus::Poison> submit_fence(uint32_t ring_idx,
                                                  std::function<void()> done) override {
    return context_->submit_fence(ring_idx, std::move(done));
  }
  std::optional<venus::Poison> poisoned() const override { return context_->poisoned(); }

 private:
  std::unique_ptr<venus::Context> context_;
};

}  // namespace

RendererFactory venus_renderers(host::Host& host, venus::Context::Options options) {
  return [&host, options = std::move(options)](const std::string& name) {
    venus::Context::Options own = options;
    own.name = name;
    return std::make_unique<VenusRenderer>(venus::Context::create(host, std::move(own)));
  };
}

}  // namespace pvgpu::frontends::vtest
