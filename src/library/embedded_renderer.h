// Contexts for the C API without a device around them, for VMMs that have a virtio-gpu device of their own: the contexts' thread, and
// the VMM's callbacks. Any thread may call; calls of one context do not overlap with its end.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "library/loop_thread.h"
#include "pvgpu/pvgpu.h"
#include "virtio_gpu/renderer.h"

namespace pvgpu::library {

class EmbeddedContext {
 public:
  EmbeddedContext(LoopThread& thread, const pvgpu_renderer_callbacks& callbacks, void* user)
      : thread_(thread), callbacks_(callbacks), user_(user) {}

  // Both on the contexts' thread. start() is false if there is no such context to be had; end() signals the fences that still wait.
  bool start(const virtio_gpu::RendererFactory& make, const std::string& name);
  void end();

  // Do not wait.
  void submit(std::vector<std::byte> commands);
  void fence(uint32_t ring_idx, uint64_t fence_id);
  // Wait for the context.
  std::expected<venus::BlobMemory, venus::Poison> create_blob(uint32_t resource_id, const venus::BlobRequest& request);
  int attach(uint32_t resource_id, int fd, uint64_t bytes);
  int detach(uint32_t resource_id);

 private:
  struct Fence {
    uint32_t ring_idx;
    uint64_t id;
  };
  void signal(uint64_t number);
  void lose();

  LoopThread& thread_;
  const pvgpu_renderer_callbacks& callbacks_;
  void* const user_;
  // Of the contexts' thread:
  std::unique_ptr<virtio_gpu::Renderer> renderer_;
  std::map<uint64_t, Fence> fences_;  // that are not complete, in the order in which they came
  uint64_t last_fence_ = 0;
  bool lost_ = false;
};

}  // namespace pvgpu::library
