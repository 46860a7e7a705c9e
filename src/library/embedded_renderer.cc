#include "library/embedded_renderer.h"

#include <future>

namespace pvgpu::library {

bool EmbeddedContext::start(const virtio_gpu::RendererFactory& make, const std::string& name) {
  renderer_ = make(name);
  return renderer_ != nullptr;
}

void EmbeddedContext::end() {
  renderer_.reset();
  while (!fences_.empty()) signal(fences_.begin()->first);
}

void EmbeddedContext::submit(std::vector<std::byte> commands) {
  thread_.post([this, commands = std::move(commands)]() mutable {
    renderer_->submit(std::move(commands), [this](bool success) {
      if (!success) lose();
    });
  });
}

void EmbeddedContext::fence(uint32_t ring_idx, uint64_t fence_id) {
  thread_.post([this, ring_idx, fence_id] {
    const uint64_t number = ++last_fence_;
    fences_.emplace(number, Fence{ring_idx, fence_id});
    renderer_->submit_fence(ring_idx, [this, number] { signal(number); });
  });
}

std::expected<venus::BlobMemory, venus::Poison> EmbeddedContext::create_blob(uint32_t resource_id,
                                                                            const venus::BlobRequest& request) {
  using Made = std::expected<venus::BlobMemory, venus::Poison>;
  auto made = std::make_shared<std::promise<Made>>();
  thread_.post([this, resource_id, request, made] {
    renderer_->create_blob(resource_id, request, [this, made](Made memory) {
      if (!memory) lose();
      made->set_value(std::move(memory));
    });
  });
  return made->get_future().get();
}

int EmbeddedContext::attach(uint32_t resource_id, int fd, uint64_t bytes) {
  return thread_.call([&] {
    renderer_->attach_resource(resource_id, fd, bytes);
    return 0;
  });
}

int EmbeddedContext::detach(uint32_t resource_id) {
  return thread_.call([&] {
    renderer_->unref_resource(resource_id);
    return 0;
  });
}

void EmbeddedContext::signal(uint64_t number) {
  const auto fence = fences_.extract(number);
  callbacks_.fence(callbacks_.user, user_, fence.mapped().ring_idx, fence.mapped().id);
}

void EmbeddedContext::lose() {
  if (std::exchange(lost_, true) || !callbacks_.context_lost) return;
  callbacks_.context_lost(callbacks_.user, user_);
}

}  // namespace pvgpu::library
