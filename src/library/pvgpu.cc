// The functions of pvgpu.h: arguments are checked here, and no exception leaves.
#include "pvgpu/pvgpu.h"

#include <bit>
#include <cerrno>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "library/embedded_device.h"
#include "library/host.h"
#include "library/versioned.h"
#include "observe/log.h"
#include "observe/log_sink.h"
#include "platform/shared_memory.h"
#include "platform/signals.h"
#include "venus/context.h"

namespace library = pvgpu::library;
namespace observe = pvgpu::observe;
using library::guarded;
using library::guarded_quick;
using pvgpu::virtio_gpu::DisplaySize;
using pvgpu::virtio_gpu::PixelFormat;

static_assert(PVGPU_VERSION_MAJOR == PVGPU_LIBRARY_MAJOR && PVGPU_VERSION_MINOR == PVGPU_LIBRARY_MINOR &&
              PVGPU_VERSION_PATCH == PVGPU_LIBRARY_PATCH, "the project's version is in CMakeLists.txt");
static_assert(PVGPU_QUEUE_COUNT == pvgpu::virtio_gpu::kQueueCount);
static_assert(PVGPU_QUEUE_SIZE_MAX == pvgpu::virtio_gpu::QueueMemory::kMaxSize);
static_assert(PVGPU_CONFIG_BYTES == sizeof(pvgpu::virtio_gpu::Config));
static_assert(PVGPU_WINDOW_SHM_ID == pvgpu::virtio_gpu::kWindowId);

// The ABI: what is added later goes to the ends.
static_assert(sizeof(void*) == 8, "write the sizes of the first version down for this system too");
constexpr size_t kHostOptionsBytes = 32, kDeviceCallbacksBytes = 56, kDeviceOptionsBytes = 16, kQueueBytes = 40;
static_assert(sizeof(pvgpu_host_options) == kHostOptionsBytes && offsetof(pvgpu_host_options, gpu_count) == 24);
static_assert(offsetof(pvgpu_device_callbacks, find_memory) == 48 && offsetof(pvgpu_device_callbacks, config_changed) == kDeviceCallbacksBytes);
static_assert(sizeof(pvgpu_device_callbacks) == 112 && offsetof(pvgpu_device_callbacks, fence) == 104 && offsetof(pvgpu_device_callbacks, move_cursor) == 88 &&
              offsetof(pvgpu_device_callbacks, map_pointer) == 96);
static_assert(offsetof(pvgpu_device_options, window_bytes) == 8 && offsetof(pvgpu_device_options, displays) == kDeviceOptionsBytes);
static_assert(sizeof(pvgpu_device_options) == 48 && offsetof(pvgpu_device_options, worker) == 40 && offsetof(pvgpu_device_options, display_count) == 24 &&
              offsetof(pvgpu_device_options, map_alignment) == 32);
static_assert(sizeof(pvgpu_pixels) == 48 && offsetof(pvgpu_pixels, width) == 16 && offsetof(pvgpu_pixels, fd) == 32 &&
              offsetof(pvgpu_pixels, fd_offset) == 40);
static_assert(sizeof(pvgpu_rect) == 16 && sizeof(pvgpu_display) == 8);
static_assert(PVGPU_FORMAT_B8G8R8A8 == static_cast<int>(PixelFormat::kB8G8R8A8) &&
              PVGPU_FORMAT_B8G8R8X8 == static_cast<int>(PixelFormat::kB8G8R8X8) &&
              PVGPU_FORMAT_A8R8G8B8 == static_cast<int>(PixelFormat::kA8R8G8B8) &&
              PVGPU_FORMAT_X8R8G8B8 == static_cast<int>(PixelFormat::kX8R8G8B8) &&
              PVGPU_FORMAT_R8G8B8A8 == static_cast<int>(PixelFormat::kR8G8B8A8) &&
              PVGPU_FORMAT_X8B8G8R8 == static_cast<int>(PixelFormat::kX8B8G8R8) &&
              PVGPU_FORMAT_A8B8G8R8 == static_cast<int>(PixelFormat::kA8B8G8R8) &&
              PVGPU_FORMAT_R8G8B8X8 == static_cast<int>(PixelFormat::kR8G8B8X8));
static_assert(PVGPU_DISPLAY_COUNT_MAX == pvgpu::virtio_gpu::kMaxScanouts);
static_assert(sizeof(pvgpu_queue) == kQueueBytes && offsetof(pvgpu_queue, next_used) == 12 &&
              offsetof(pvgpu_queue, descriptor_table) == 16);
static_assert((uint32_t{PVGPU_PACKED_QUEUE_START} | PVGPU_PACKED_QUEUE_START << 16) == pvgpu::virtio_gpu::PackedVirtqueue::kStart);
static_assert(PVGPU_LOG_TRACE == static_cast<int>(observe::Level::kTrace) &&
              PVGPU_LOG_OFF == static_cast<int>(observe::Level::kOff));

struct pvgpu_device {
  pvgpu_device(pvgpu_host* h, std::unique_ptr<pvgpu::platform::EventLoop> loop, std::unique_ptr<library::Contexts> contexts,
               library::EmbeddedDeviceOptions options, const pvgpu_device_callbacks& callbacks)
      : host(h), device(std::move(loop), std::move(contexts), std::move(options), callbacks) {}

  pvgpu_host* const host;
  library::EmbeddedDevice device;
};

namespace {

bool is_queue(uint16_t queue) { return queue < PVGPU_QUEUE_COUNT; }

// nullopt: impossible ones.
std::optional<std::vector<DisplaySize>> displays_of(const pvgpu_device_options& options) {
  std::vector<DisplaySize> displays;
  if (options.display_count > PVGPU_DISPLAY_COUNT_MAX || (options.display_count > 0 && !options.displays)) return std::nullopt;
  for (size_t i = 0; i < options.display_count; i++) {
    displays.push_back({options.displays[i].width, options.displays[i].height});
    if (!displays.back().is_possible()) return std::nullopt;
  }
  return displays;
}

// nullopt: an impossible one.
std::optional<uint32_t> map_alignment_of(const pvgpu_device_options& options, const pvgpu_device_callbacks& callbacks) {
  const size_t page = pvgpu::platform::page_size();
  if (options.map_alignment == 0) return static_cast<uint32_t>(page);
  // Files are mapped in whole pages; what a hypervisor does with pointers is its own matter.
  if (!std::has_single_bit(options.map_alignment) || options.map_alignment < pvgpu::virtio_gpu::kSmallestPage ||
      options.map_alignment > page || (options.map_alignment < page && !callbacks.map_pointer))
    return std::nullopt;
  return options.map_alignment;
}

}  // namespace

extern "C" {

uint32_t pvgpu_version(void) { return PVGPU_VERSION; }

int pvgpu_set_log(pvgpu_log_callback callback, void* user, enum pvgpu_log_level level) {
  if (level < PVGPU_LOG_TRACE || level > PVGPU_LOG_OFF) return -EINVAL;
  return guarded([&] {
    observe::Sink sink;
    if (callback)
      sink = [callback, user](observe::Level line_level, const char* line) {
        callback(user, static_cast<enum pvgpu_log_level>(line_level), line);
      };
    observe::set_sink(std::move(sink));
    observe::set_level(static_cast<observe::Level>(level));
    return 0;
  });
}

int pvgpu_host_open(const struct pvgpu_host_options* options, struct pvgpu_host** host) {
  if (!host) return -EINVAL;
  *host = nullptr;
  return guarded([&] {
    pvgpu_host_options given{};
    if (options)
      if (const int error = library::read_versioned(options, kHostOptionsBytes, given)) return error;
    if (given.gpu_count > 0 && !given.gpus) return -EINVAL;
    pvgpu::host::HostOptions host_options;
    if (given.vulkan_loader) host_options.loader_path = given.vulkan_loader;
    for (size_t i = 0; i < given.gpu_count; i++) {
      if (!given.gpus[i]) return -EINVAL;
      host_options.gpu_selectors.emplace_back(given.gpus[i]);
    }
    host_options.carried = pvgpu::venus::carried_extensions();
    const pvgpu::platform::BlockedSignals blocked;  // drivers start threads
    auto opened = pvgpu::host::Host::open(host_options);
    if (!opened) {
      LOG_ERROR("{}{}{}", opened.error().what, opened.error().hint.empty() ? "" : "; ", opened.error().hint);
      return -ENODEV;
    }
    auto made = std::make_unique<pvgpu_host>();
    made->host = std::move(*opened);
    made->loader_path = host_options.loader_path;
    made->gpu_selectors = host_options.gpu_selectors;
    *host = made.release();
    return 0;
  });
}

int pvgpu_host_close(struct pvgpu_host* host) {
  if (!host) return 0;
  return guarded([&] {
    // acquire: what the threads of destroyed devices did comes before the end.
    if (host->users.load(std::memory_order_acquire) > 0) return -EBUSY;
    delete host;
    return 0;
  });
}

int pvgpu_device_create(struct pvgpu_host* host, const struct pvgpu_device_options* options,
                        const struct pvgpu_device_callbacks* callbacks, struct pvgpu_device** device) {
  if (!device) return -EINVAL;
  *device = nullptr;
  if (!host) return -EINVAL;
  return guarded([&] {
    pvgpu_device_options given;
    pvgpu_device_callbacks calls;
    if (const int error = library::read_versioned(options, kDeviceOptionsBytes, given)) return error;
    if (const int error = library::read_versioned(callbacks, kDeviceCallbacksBytes, calls)) return error;
    if (!calls.interrupt || (!calls.map && !calls.map_pointer) || !calls.unmap) return -EINVAL;
    if (given.flags & ~uint32_t{PVGPU_DEVICE_PACKED_QUEUES}) return -EINVAL;
    auto displays = displays_of(given);
    if (!displays || (!displays->empty() && !calls.show)) return -EINVAL;
    const auto map_alignment = map_alignment_of(given, calls);
    if (!map_alignment || given.window_bytes == 0 || given.window_bytes % *map_alignment != 0) return -EINVAL;
    auto loop = library::new_loop();
    if (!loop) return -EMFILE;
    auto contexts = library::Contexts::create(*host, given.worker);
    if (!contexts) return contexts.error();
    *device = new pvgpu_device(host, std::move(loop), std::move(*contexts),
                               {.window_bytes = given.window_bytes, .map_alignment = *map_alignment,
                                .packed_queues = (given.flags & PVGPU_DEVICE_PACKED_QUEUES) != 0, .displays = *std::move(displays)},
                               calls);
    host->users.fetch_add(1, std::memory_order_relaxed);
    return 0;
  });
}

int pvgpu_device_destroy(struct pvgpu_device* device) {
  if (!device) return 0;
  return guarded([&] {
    pvgpu_host* const host = device->host;
    delete device;
    // release: pairs with pvgpu_host_close.
    host->users.fetch_sub(1, std::memory_order_release);
    return 0;
  });
}

int pvgpu_device_reset(struct pvgpu_device* device) {
  if (!device) return -EINVAL;
  return guarded([&] { return device->device.reset(); });
}

int pvgpu_device_set_display_size(struct pvgpu_device* device, uint32_t scanout, uint32_t width, uint32_t height) {
  if (!device) return -EINVAL;
  return guarded([&] { return device->device.set_display_size(scanout, {width, height}); });
}

int pvgpu_device_add_memory(struct pvgpu_device* device, uint64_t address, void* host, uint64_t bytes) {
  constexpr uint64_t kAlignment = library::GuestRegions::kAlignment;
  if (!device || !host || reinterpret_cast<uintptr_t>(host) % 16 || address % kAlignment || bytes % kAlignment ||
      bytes == 0 || bytes - 1 > UINT64_MAX - address || bytes > SIZE_MAX)
    return -EINVAL;
  return guarded([&] {
    return device->device.add_memory(address, {static_cast<std::byte*>(host), static_cast<size_t>(bytes)});
  });
}

int pvgpu_device_remove_memory(struct pvgpu_device* device, uint64_t address) {
  if (!device) return -EINVAL;
  return guarded([&] { return device->device.remove_memory(address); });
}

uint64_t pvgpu_device_features(const struct pvgpu_device* device) { return device ? device->device.features() : 0; }

int pvgpu_device_accept_features(struct pvgpu_device* device, uint64_t features) {
  if (!device) return -EINVAL;
  return guarded([&] { return device->device.accept_features(features); });
}

int pvgpu_device_read_config(struct pvgpu_device* device, uint32_t offset, void* out, size_t bytes) {
  if (!device || !out) return -EINVAL;
  return guarded([&] { return device->device.read_config(offset, {static_cast<std::byte*>(out), bytes}); });
}

int pvgpu_device_write_config(struct pvgpu_device* device, uint32_t offset, const void* in, size_t bytes) {
  if (!device || !in) return -EINVAL;
  return guarded([&] { return device->device.write_config(offset, {static_cast<const std::byte*>(in), bytes}); });
}

int pvgpu_device_start_queue(struct pvgpu_device* device, uint16_t queue, const struct pvgpu_queue* layout) {
  if (!device || !is_queue(queue)) return -EINVAL;
  return guarded([&] {
    pvgpu_queue given;
    if (const int error = library::read_versioned(layout, kQueueBytes, given)) return error;
    return device->device.start_queue(queue, given);
  });
}

int pvgpu_device_stop_queue(struct pvgpu_device* device, uint16_t queue, uint16_t* next) {
  if (!device || !is_queue(queue)) return -EINVAL;
  return guarded([&] { return device->device.stop_queue(queue, next, nullptr); });
}

int pvgpu_device_stop_packed_queue(struct pvgpu_device* device, uint16_t queue, uint16_t* next, uint16_t* next_used) {
  if (!device || !is_queue(queue)) return -EINVAL;
  return guarded([&] { return device->device.stop_queue(queue, next, next_used); });
}

int pvgpu_device_kick(struct pvgpu_device* device, uint16_t queue) {
  if (!device || !is_queue(queue)) return -EINVAL;
  return guarded_quick([&] {
    device->device.kick(queue);
    return 0;
  });
}

}  // extern "C"
