// A VNC server that shows a scanout to whoever connects: to be looked at only, and without a password. It runs on a thread of its
// own; a viewer that is slow gets fewer frames. Made by libvncserver, which is opened when the first one is wanted, so that nothing
// else needs it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "platform/error.h"
#include "virtio_gpu/display_sink.h"
#include "virtio_gpu/scanout.h"

namespace pvgpu::display {

// How many ports are tried from the first one on.
inline constexpr int kVncPorts = 100;

// Whether this build and this system have a VNC server, and `host` is an address to listen at.
Result<void> check_vnc(const std::string& host);

struct VncDisplay {
  std::unique_ptr<virtio_gpu::DisplaySink> sink;
  uint16_t port;
};
// One at a time in a process: each server of libvncserver makes the lock anew that all of them share.
// Takes the first port from `port` on at which nobody listens. `size` is that of the black picture that viewers see before the guest
// shows one.
Result<VncDisplay> open_vnc_sink(const std::string& host, uint16_t port, virtio_gpu::DisplaySize size);

}  // namespace pvgpu::display
