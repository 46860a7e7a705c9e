// What a device needs of whatever carries it to a guest: the guest's memory, interrupts, and the window in which
// mapped blobs appear. Implemented by a frontend, which outlives the device; called on the device's thread.
#pragma once

#include <cstdint>
#include <functional>

#include "venus/context.h"
#include "virtio_gpu/guest_memory.h"
#include "virtio_gpu/protocol.h"

namespace pvgpu::virtio_gpu {

class Transport {
 public:
  virtual ~Transport() = default;
  virtual const GuestMemory& memory() const = 0;
  // Tells the driver that buffers of `queue` are used.
  virtual void interrupt(uint16_t queue) = 0;
  // Tells the driver to read the config space again.
  virtual void config_changed() = 0;
  // The driver broke the rules of `queue`, which does nothing more until the driver resets the device.
  virtual void queue_broken(uint16_t queue) = 0;

  // A fence is about to be answered: its request's header.
  virtual void fence_complete(const Header&) {}

  // Makes the first `length` bytes of `memory`, which has that many and a descriptor, appear at `offset` of the window, or takes what
  // lies there away. Whole units of ControlOptions::map_alignment. Requests take effect in order; `done(success)` may be called
  // later, and after the device was destroyed.
  virtual void map_window(uint64_t offset, uint64_t length, const venus::BlobMemory& memory, std::function<void(bool)> done) = 0;
  virtual void unmap_window(uint64_t offset, uint64_t length, std::function<void(bool)> done) = 0;
};

}  // namespace pvgpu::virtio_gpu
