#include "library/embedded_device.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <utility>

#include "observe/log.h"
#include "observe/log_limit.h"
#include "platform/shared_memory.h"
#include "venus/context.h"

namespace pvgpu::library {
namespace {

using virtio_gpu::QueueMemory;

pvgpu_pixels in_c(const virtio_gpu::Pixels& pixels) {
  return {.size = sizeof(pvgpu_pixels),
          .pixels = pixels.first,
          .width = pixels.width,
          .height = pixels.height,
          .stride = pixels.stride,
          .format = static_cast<uint32_t>(pixels.format),
          .fd = pixels.fd,
          .reserved = 0,
          .fd_offset = pixels.fd_offset};
}

}  // namespace

EmbeddedDevice::EmbeddedDevice(std::unique_ptr<platform::EventLoop> loop, std::unique_ptr<Contexts> contexts,
                               EmbeddedDeviceOptions given, const pvgpu_device_callbacks& callbacks)
    : callbacks_(callbacks),
      hidden_features_(given.packed_queues ? 0 : uint64_t{virtio_gpu::kFeatureRingPacked}),
      memory_(callbacks.find_memory
                  ? GuestRegions::Fallback([this](uint64_t address, uint64_t length) { return find_by_callback(address, length); })
                  : nullptr),
      contexts_(std::move(contexts)),
      thread_(std::move(loop), "pvgpu-device") {
  virtio_gpu::ControlOptions options;
  options.capset = venus::capset();
  options.window_bytes = given.window_bytes;
  options.map_alignment = given.map_alignment;
  options.displays = std::move(given.displays);
  options.display_sink = static_cast<virtio_gpu::DisplaySink*>(this);
  options.make_renderer = contexts_->start(thread_);
  device_ = std::make_unique<virtio_gpu::Device>(std::move(options), static_cast<virtio_gpu::Transport&>(*this));
}

EmbeddedDevice::~EmbeddedDevice() {
  thread_.end([this] {
    device_.reset();
    contexts_.reset();
  });
}

int EmbeddedDevice::accept_features(uint64_t features) {
  if ((features & ~this->features()) || !(features & virtio_gpu::kFeatureVersion1)) return -EINVAL;
  return thread_.call([&] {
    if (any_started()) return -EBUSY;
    device_->accept_features(features);
    features_accepted_ = true;
    return 0;
  });
}

int EmbeddedDevice::add_memory(uint64_t address, std::span<std::byte> host) {
  return thread_.call([&] { return memory_.add(address, host) ? 0 : -EEXIST; });
}

int EmbeddedDevice::remove_memory(uint64_t address) {
  return thread_.call([&] {
    if (!memory_.has(address)) return -ENOENT;
    for (const Queue& queue : queues_)
      if (queue.started && std::ranges::any_of(queue.parts, [&](uint64_t part) { return memory_.holds(address, part); }))
        return -EBUSY;
    memory_.remove(address);
    return 0;
  });
}

int EmbeddedDevice::read_config(uint32_t offset, std::span<std::byte> out) {
  return thread_.call([&] {
    device_->read_config(offset, out);
    return 0;
  });
}

int EmbeddedDevice::write_config(uint32_t offset, std::span<const std::byte> bytes) {
  return thread_.call([&] {
    device_->write_config(offset, bytes);
    return 0;
  });
}

int EmbeddedDevice::start_queue(uint16_t queue, const pvgpu_queue& layout) {
  return thread_.call([&] { return start_here(queue, layout); });
}

int EmbeddedDevice::start_here(uint16_t index, const pvgpu_queue& layout) {
  Queue& queue = queues_[index];
  if (queue.started) return -EBUSY;
  if (!features_accepted_ || !is_possible(layout)) return -EINVAL;
  auto rings = device_->queue_memory(layout.descriptors, {layout.descriptor_table, layout.available_ring, layout.used_ring},
                                     [&](uint64_t address, size_t bytes) {
                                       const auto found = memory_.find(address, bytes);
                                       return found.bytes.size() < bytes ? virtio_gpu::GuestBytes() : found;
                                     });
  if (rings.descriptors.bytes.empty() || rings.available.bytes.empty() || rings.used.bytes.empty()) return -EFAULT;
  const uint32_t position = layout.next | uint32_t{layout.next_used} << 16;
  if (!device_->start_queue(index, std::move(rings), position)) return -EINVAL;
  queue.parts = {layout.descriptor_table, layout.available_ring, layout.used_ring};
  queue.started = true;
  device_->kick(index);  // what came before
  return 0;
}

// Checked here too: what a VMM passes on without a look is no reason to call the queue broken.
bool EmbeddedDevice::is_possible(const pvgpu_queue& layout) const {
  if (layout.descriptors == 0 || layout.descriptors > QueueMemory::kMaxSize || layout.reserved || layout.descriptor_table % 16 ||
      layout.used_ring % 4)
    return false;
  if (!device_->packed()) return std::has_single_bit(layout.descriptors) && layout.available_ring % 2 == 0 && layout.next_used == 0;
  const auto is_place = [&](uint16_t place) { return (place & ~PVGPU_PACKED_QUEUE_START) < layout.descriptors; };
  return layout.available_ring % 4 == 0 && is_place(layout.next) && is_place(layout.next_used);
}

int EmbeddedDevice::stop_queue(uint16_t queue, uint16_t* next, uint16_t* next_used) {
  return thread_.call([&] {
    const uint32_t position = device_->stop_queue(queue);
    if (next) *next = static_cast<uint16_t>(position);
    if (next_used) *next_used = static_cast<uint16_t>(position >> 16);
    queues_[queue].started = false;
    return 0;
  });
}

int EmbeddedDevice::reset() {
  return thread_.call([&] {
    device_->reset();
    device_->accept_features(0);
    features_accepted_ = false;
    for (Queue& queue : queues_) queue.started = false;
    return 0;
  });
}

int EmbeddedDevice::set_display_size(uint32_t scanout, virtio_gpu::DisplaySize size) {
  return thread_.call([&] { return device_->set_display_size(scanout, size) ? 0 : -EINVAL; });
}

void EmbeddedDevice::kick(uint16_t index) {
  Queue& queue = queues_[index];
  // acq_rel on both sides: whoever finds a kick on its way has its writes to the ring seen by the thread that takes it.
  if (queue.kicked.exchange(true, std::memory_order_acq_rel)) return;
  try {
    thread_.post([this, index] {
      queues_[index].kicked.exchange(false, std::memory_order_acq_rel);
      device_->kick(index);
    });
  } catch (...) {
    queue.kicked.store(false, std::memory_order_relaxed);
    throw;
  }
}

void EmbeddedDevice::interrupt(uint16_t queue) { callbacks_.interrupt(callbacks_.user, queue); }

void EmbeddedDevice::config_changed() {
  if (callbacks_.config_changed) callbacks_.config_changed(callbacks_.user);
}

void EmbeddedDevice::queue_broken(uint16_t queue) {
  if (callbacks_.queue_broken) callbacks_.queue_broken(callbacks_.user, queue);
}

void EmbeddedDevice::fence_complete(const virtio_gpu::Header& request) {
  if (!callbacks_.fence) return;
  const auto [ctx_id, ring_idx] = virtio_gpu::FenceOrder::timeline_of(request);
  callbacks_.fence(callbacks_.user, ctx_id, ring_idx, request.fence_id);
}

void EmbeddedDevice::map_window(uint64_t offset, uint64_t length, const venus::BlobMemory& memory,
                                std::function<void(bool)> done) {
  const int failed = callbacks_.map_pointer ? map_pointer(offset, length, memory)
                                            : callbacks_.map(callbacks_.user, offset, length, memory.fd.get(), 0);
  static constinit observe::LogLimit limit(20);
  if (failed) observe::warn_within(limit, "the VMM could not map {} bytes at {:#x} of the window: {}", length, offset, failed);
  done(!failed);
}

int EmbeddedDevice::map_pointer(uint64_t offset, uint64_t length, const venus::BlobMemory& memory) {
  auto bytes = memory.bytes;
  if (!bytes) {  // the driver's own memory, or a worker's
    auto opened = platform::SharedMemory::open(memory.fd.duplicate(), static_cast<size_t>(length));
    if (!opened) {
      LOG_WARN("{}", opened.error().what);
      return -ENOMEM;
    }
    bytes = std::make_shared<const platform::SharedMemory>(std::move(*opened));
  }
  if (bytes->size() < length) return -ERANGE;
  if (const int failed = callbacks_.map_pointer(callbacks_.user, offset, length, bytes->data())) return failed;
  mapped_[offset] = std::move(bytes);
  return 0;
}

void EmbeddedDevice::unmap_window(uint64_t offset, uint64_t length, std::function<void(bool)> done) {
  const int failed = callbacks_.unmap(callbacks_.user, offset, length);
  mapped_.erase(offset);
  static constinit observe::LogLimit limit(20);
  if (failed) observe::warn_within(limit, "the VMM could not unmap {} bytes at {:#x} of the window: {}", length, offset, failed);
  done(!failed);
}

void EmbeddedDevice::show(uint32_t scanout, const virtio_gpu::Pixels& pixels, const virtio_gpu::Rect& damage) {
  const pvgpu_pixels picture = in_c(pixels);
  const pvgpu_rect rect{damage.x, damage.y, damage.width, damage.height};
  callbacks_.show(callbacks_.user, scanout, &picture, &rect);
}

void EmbeddedDevice::blank(uint32_t scanout) {
  if (callbacks_.blank) callbacks_.blank(callbacks_.user, scanout);
}

void EmbeddedDevice::set_cursor(uint32_t scanout, const virtio_gpu::Cursor* cursor) {
  if (!callbacks_.set_cursor) return;
  if (!cursor) return callbacks_.set_cursor(callbacks_.user, scanout, nullptr, 0, 0);
  const pvgpu_pixels picture = in_c(cursor->pixels);
  callbacks_.set_cursor(callbacks_.user, scanout, &picture, cursor->hot_x, cursor->hot_y);
}

void EmbeddedDevice::move_cursor(uint32_t scanout, int32_t x, int32_t y) {
  if (callbacks_.move_cursor) callbacks_.move_cursor(callbacks_.user, scanout, x, y);
}

std::span<std::byte> EmbeddedDevice::find_by_callback(uint64_t address, uint64_t length) const {
  uint64_t contiguous = 0;
  void* found = callbacks_.find_memory(callbacks_.user, address, length, &contiguous);
  if (!found) return {};
  return {static_cast<std::byte*>(found), static_cast<size_t>(std::min(contiguous, length))};
}

bool EmbeddedDevice::any_started() const {
  return std::ranges::any_of(queues_, [](const Queue& queue) { return queue.started; });
}

}  // namespace pvgpu::library
