#include "frontends/server/virtual_machine.h"

#include <utility>

#include "frontends/vhost_user/session.h"
#include "observe/log.h"
#include "venus/context.h"

namespace pvgpu::frontends::server {

ClientEnd serve_virtual_machine(platform::EventLoop& loop, platform::UniqueFd socket, const VirtualMachineOptions& options,
                                virtio_gpu::RendererFactory make_renderer) {
  virtio_gpu::ControlOptions device{
      .capset = venus::capset(), .make_renderer = std::move(make_renderer), .window_bytes = options.window_bytes};
  const auto display = display::open_display(options.display, options.number);
  if (!display) LOG_ERROR("this virtual machine has no display: {}; {}", display.error().what, display.error().hint);
  if (display && *display) {
    device.displays = {options.display.size};
    device.display_sink = display->get();
  }
  vhost_user::Session session(loop, std::move(socket),
                              {.device = std::move(device),
                               .shmem_feature_bit = options.shmem_feature_bit,
                               .memory_slots = options.memory_slots});
  const auto end = session.run();
  if (end) return ClientEnd::kClosed;
  LOG_ERROR("the virtual machine's front-end broke the vhost-user protocol: {}", end.error());
  return ClientEnd::kPoisoned;
}

}  // namespace pvgpu::frontends::server
