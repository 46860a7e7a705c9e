// A virtio-gpu device for Venus guests, whatever carries it: config space, queues, and the commands that come
// through them. Source: virtio 1.3, section 5.7.
//
// One thread owns the device and calls it; whatever happens elsewhere comes back to that thread through the
// renderers' callbacks. A guest's mistake is answered with a virtio error, poisons a context, or stops a queue
// until the driver resets the device; each is logged, and other guests do not notice.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "observe/counted_warnings.h"
#include "virtio_gpu/control.h"
#include "virtio_gpu/fence_order.h"
#include "virtio_gpu/packed_virtqueue.h"
#include "virtio_gpu/protocol.h"
#include "virtio_gpu/transport.h"
#include "virtio_gpu/virtqueue.h"

namespace pvgpu::virtio_gpu {

class Device {
 public:
  Device(ControlOptions options, Transport& transport);
  ~Device();

  // -- what the driver negotiates --
  uint64_t offered_features() const;
  // Before queues are started; they stay accepted over a reset, as the transport says them anew.
  void accept_features(uint64_t features) { features_ = features; }

  // -- config space; bytes outside it read as zeros and are not written --
  void read_config(uint32_t offset, std::span<std::byte> out) const;
  void write_config(uint32_t offset, std::span<const std::byte> bytes);

  // The guest is told that a display has another size now, which it may follow. False: there is no such scanout, or size.
  bool set_display_size(uint32_t scanout, DisplaySize size);

  // -- queues --
  // What a queue of `size` descriptors, whose parts begin at these addresses, takes of what `find(address, bytes)` finds there.
  struct QueueAddresses {
    uint64_t descriptors, available, used;
  };
  template <class Find>
  QueueMemory queue_memory(uint16_t size, const QueueAddresses& at, Find find) const {
    return {.size = size,
            .descriptors = find(at.descriptors, QueueMemory::descriptor_bytes(size)),
            .available = find(at.available, packed() ? PackedVirtqueue::event_bytes() : QueueMemory::available_bytes(size)),
            .used = find(at.used, packed() ? PackedVirtqueue::event_bytes() : QueueMemory::used_bytes(size))};
  }
  // Packed ones, if the driver accepted kFeatureRingPacked, else split ones. `position`: initial_position(), or what stop_queue gave.
  // False, after a line in the log: the layout is of no use.
  bool start_queue(uint16_t queue, QueueMemory layout, uint32_t position);
  // Takes no further chain. What is in flight is answered when the queue is started again. Returns its position.
  uint32_t stop_queue(uint16_t queue);
  bool packed() const { return (features_ & kFeatureRingPacked) != 0; }
  uint32_t initial_position() const { return packed() ? PackedVirtqueue::kStart : 0; }
  // There may be something in the queue.
  void kick(uint16_t queue);

  // As after power-on: contexts, resources and mappings are gone, queues stopped, and nothing in flight is answered.
  void reset();

 private:
  struct Queue {
    std::optional<std::variant<Virtqueue, PackedVirtqueue>> ring;
    bool broken = false;
    uint32_t position = 0;  // while there is no ring
    struct Answer {
      Chain chain;
      std::vector<std::byte> bytes;
    };
    std::vector<Answer> unsent;  // answers that found the queue stopped
  };
  // One life of the device between resets: what comes back after the next reset finds it gone.
  struct Life {
    Device* device;
    FenceOrder fences;
  };

  void process(uint16_t queue, Chain chain);
  Reply reply_to(uint16_t queue, Chain chain, const Header& request);
  void send(uint16_t queue, Chain chain, std::vector<std::byte> bytes);
  void give_back(uint16_t queue, const Chain& chain, std::span<const std::byte> bytes);
  void stop_broken(uint16_t queue, const std::string& why);

  ControlOptions options_;
  Transport& transport_;
  uint64_t features_ = 0;
  std::array<Queue, kQueueCount> queues_;
  observe::CountedWarnings warnings_;  // of this life
  std::shared_ptr<Life> life_;
  std::unique_ptr<Control> control_;
};

}  // namespace pvgpu::virtio_gpu
