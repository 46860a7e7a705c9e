// One virtual machine's connection: the front-end (QEMU) describes memory and queues over vhost-user, and a
// virtio-gpu device serves them. Owns the socket and the device. One thread, which run() keeps.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "frontends/vhost_user/channel.h"
#include "frontends/vhost_user/memory_table.h"
#include "frontends/vhost_user/window_channel.h"
#include "platform/event_loop.h"
#include "virtio_gpu/device.h"

namespace pvgpu::frontends::vhost_user {

class Session : private virtio_gpu::Transport {
 public:
  struct Options {
    virtio_gpu::ControlOptions device;  // its window_bytes is the size of the window that the front-end is told
    uint32_t shmem_feature_bit = kDefaultShmemFeatureBit;
    // Offer more than eight regions of memory. Without, QEMU 11.1 complains of each blob that is mapped beyond the seventh,
    // without harm; with, it crashes when a guest reboots while blobs are mapped.
    bool memory_slots = false;
  };
  // `loop` outlives the session.
  Session(platform::EventLoop& loop, platform::UniqueFd socket, Options options);
  ~Session() override;

  // Serves until the front-end closes the connection. The error says what it did that the protocol forbids.
  std::expected<void, std::string> run();

 private:
  using Done = std::expected<void, std::string>;
  struct Vring {
    uint16_t size = 0;
    uint32_t base = 0;  // see virtio_gpu::Device::start_queue
    std::optional<VringAddress> address;
    platform::UniqueFd kick, call, error;
    bool enabled = false, running = false;
  };

  // -- Transport --
  const virtio_gpu::GuestMemory& memory() const override { return memory_; }
  void interrupt(uint16_t queue) override;
  void config_changed() override;
  void queue_broken(uint16_t queue) override;
  void map_window(uint64_t offset, uint64_t length, const venus::BlobMemory& memory, std::function<void(bool)> done) override;
  void unmap_window(uint64_t offset, uint64_t length, std::function<void(bool)> done) override;

  // -- queues --
  void start_if_ready(uint16_t index);
  void stop(uint16_t index);
  void kicked(uint16_t index);

  // -- session_messages.cc --
  void receive();
  Done handle(Message& message);
  Done handle_memory(Message& message);
  Done handle_vring(Message& message);
  Done handle_config(Message& message);
  Done set_vring_fd(Message& message, platform::UniqueFd Vring::*member);
  uint64_t protocol_features() const;
  void reply(const Message& message, std::span<const std::byte> payload);
  template <class T>
  void reply_with(const Message& message, const T& payload) {
    reply(message, std::as_bytes(std::span(&payload, 1)));
  }
  bool negotiated(uint64_t protocol_feature) const { return (acked_protocol_features_ & protocol_feature) != 0; }

  platform::EventLoop& loop_;
  Channel channel_;
  const uint32_t shmem_feature_bit_;
  const bool memory_slots_;
  const uint64_t window_bytes_;
  WindowChannel window_;
  MemoryTable memory_;
  std::array<Vring, virtio_gpu::kQueueCount> vrings_;
  uint64_t acked_protocol_features_ = 0;
  bool replied_ = false;  // to the message that is being handled
  Done end_;
  virtio_gpu::Device device_;
};

}  // namespace pvgpu::frontends::vhost_user
