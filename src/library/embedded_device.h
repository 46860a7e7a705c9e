// A virtio-gpu device for the C API: the device, its thread, and the VMM's callbacks as its transport.
//
// Any thread may call; calls run on the device's own thread, one after another, and are waited for unless said otherwise.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "library/contexts.h"
#include "library/guest_regions.h"
#include "library/loop_thread.h"
#include "pvgpu/pvgpu.h"
#include "virtio_gpu/device.h"

namespace pvgpu::library {

struct EmbeddedDeviceOptions {
  uint64_t window_bytes = 0;
  uint32_t map_alignment = 0;
  bool packed_queues = false;
  std::vector<virtio_gpu::DisplaySize> displays;
};

class EmbeddedDevice : private virtio_gpu::Transport, private virtio_gpu::DisplaySink {
 public:
  // Throws std::system_error if there is no further thread.
  EmbeddedDevice(std::unique_ptr<platform::EventLoop> loop, std::unique_ptr<Contexts> contexts, EmbeddedDeviceOptions options,
                 const pvgpu_device_callbacks& callbacks);
  ~EmbeddedDevice() override;

  uint64_t features() const { return device_->offered_features() & ~hidden_features_; }
  // What these return is what the C functions of the same names do.
  int accept_features(uint64_t features);
  int add_memory(uint64_t address, std::span<std::byte> host);
  int remove_memory(uint64_t address);
  int read_config(uint32_t offset, std::span<std::byte> out);
  int write_config(uint32_t offset, std::span<const std::byte> bytes);
  int start_queue(uint16_t queue, const pvgpu_queue& layout);
  int stop_queue(uint16_t queue, uint16_t* next, uint16_t* next_used);
  int reset();
  int set_display_size(uint32_t scanout, virtio_gpu::DisplaySize size);
  // Does not wait.
  void kick(uint16_t queue);

 private:
  struct Queue {
    bool started = false;
    std::array<uint64_t, 3> parts{};   // where its rings begin
    std::atomic<bool> kicked = false;  // a kick is on its way to the device's thread
  };

  // -- Transport --
  const virtio_gpu::GuestMemory& memory() const override { return memory_; }
  void interrupt(uint16_t queue) override;
  void config_changed() override;
  void queue_broken(uint16_t queue) override;
  void fence_complete(const virtio_gpu::Header& request) override;
  void map_window(uint64_t offset, uint64_t length, const venus::BlobMemory& memory, std::function<void(bool)> done) override;
  void unmap_window(uint64_t offset, uint64_t length, std::function<void(bool)> done) override;

  // -- DisplaySink --
  void show(uint32_t scanout, const virtio_gpu::Pixels& pixels, const virtio_gpu::Rect& damage) override;
  void blank(uint32_t scanout) override;
  void set_cursor(uint32_t scanout, const virtio_gpu::Cursor* cursor) override;
  void move_cursor(uint32_t scanout, int32_t x, int32_t y) override;

  // 0, or what the callback returned, or a negative errno value.
  int map_pointer(uint64_t offset, uint64_t length, const venus::BlobMemory& memory);
  std::span<std::byte> find_by_callback(uint64_t address, uint64_t length) const;
  bool any_started() const;
  int start_here(uint16_t index, const pvgpu_queue& layout);
  bool is_possible(const pvgpu_queue& layout) const;

  const pvgpu_device_callbacks callbacks_;
  const uint64_t hidden_features_;
  // Of the device's thread:
  GuestRegions memory_;
  bool features_accepted_ = false;
  std::array<Queue, virtio_gpu::kQueueCount> queues_;
  std::map<uint64_t, std::shared_ptr<const platform::SharedMemory>> mapped_;  // what the VMM has pointers to, by window offset
  std::unique_ptr<Contexts> contexts_;
  std::unique_ptr<virtio_gpu::Device> device_;

  LoopThread thread_;  // last, so that it ends first
};

}  // namespace pvgpu::library
