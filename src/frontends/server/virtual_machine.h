// Serves one virtual machine from its front-end's first message to its last: a process of its own, `pvgpu worker
// --machine`, with the contexts of the guest's processes in workers below it, or in threads.
#pragma once

#include <cstdint>

#include "display/display.h"
#include "frontends/server/client_task.h"
#include "platform/event_loop.h"
#include "platform/fd.h"
#include "virtio_gpu/renderer.h"

namespace pvgpu::frontends::server {

struct VirtualMachineOptions {
  uint64_t window_bytes = uint64_t{4} << 30;
  uint32_t shmem_feature_bit = 22;
  bool memory_slots = false;  // see vhost_user::Session::Options
  display::DisplayOptions display;
  uint64_t number = 1;  // counts the server's machines from 1
};

// Blocks until the front-end is gone, or has broken the protocol, which is logged.
ClientEnd serve_virtual_machine(platform::EventLoop& loop, platform::UniqueFd socket, const VirtualMachineOptions& options,
                                virtio_gpu::RendererFactory make_renderer);

}  // namespace pvgpu::frontends::server
