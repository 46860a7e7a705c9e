// A VMM with a guest's driver, on the fake driver, for tests of the C API.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "fake_driver/fake_driver.h"
#include "pvgpu/pvgpu.h"

namespace pvgpu::library::testing {

inline constexpr uint64_t kRam = 0x40000000, kRamBytes = 0x100000;
inline constexpr uint64_t kDescriptors = kRam, kAvailable = kRam + 0x1000, kUsed = kRam + 0x2000;
inline constexpr uint64_t kRequest = kRam + 0x4000, kResponse = kRam + 0x8000;
inline constexpr uint64_t kVersion1 = 1ull << 32;
inline constexpr uint32_t kGetCapsetInfo = 0x0108, kResourceUnref = 0x0102, kResourceCreateBlob = 0x010c, kCtxCreate = 0x0200, kCtxDestroy = 0x0201;
inline constexpr uint32_t kSubmit3d = 0x0207, kResourceMapBlob = 0x0208;
inline constexpr uint32_t kOkNoData = 0x1100, kOkCapsetInfo = 0x1102, kOkMapInfo = 0x1106, kErrUnspec = 0x1200;
inline constexpr auto kDeadline = std::chrono::seconds(60);

inline pvgpu_host* open_host() {
  const std::string path = pvgpu::fake_driver::library_path();
  pvgpu_host_options options{.size = sizeof options, .vulkan_loader = path.c_str()};
  pvgpu_host* host = nullptr;
  EXPECT_EQ(pvgpu_host_open(&options, &host), 0);
  return host;
}

// A VMM and its guest's driver, which has one request at a time under way.
class Vmm {
 public:
  explicit Vmm(pvgpu_host* host, std::vector<pvgpu_display> displays = {}, bool maps_pointers = false) : ram_(kRamBytes / sizeof(uint64_t) + 2) {
    callbacks = {.size = sizeof callbacks, .user = this, .interrupt = interrupt, .queue_broken = broken, .map = map,
                 .unmap = unmap, .find_memory = nullptr, .config_changed = config_changed, .show = show, .blank = blank,
                 .set_cursor = set_cursor, .move_cursor = move_cursor};
    if (maps_pointers) {
      callbacks.map = nullptr;
      callbacks.map_pointer = map_pointer;
    }
    pvgpu_device_options options{.size = sizeof options, .window_bytes = 1 << 20, .displays = displays.data(),
                                 .display_count = displays.size()};
    EXPECT_EQ(pvgpu_device_create(host, &options, &callbacks, &device), 0);
  }
  ~Vmm() { EXPECT_EQ(pvgpu_device_destroy(device), 0); }
  // Another device in the place of the first, with the callbacks as they are now.
  void replace_device(pvgpu_host* host, const pvgpu_device_options& options) {
    EXPECT_EQ(pvgpu_device_destroy(std::exchange(device, nullptr)), 0);
    EXPECT_EQ(pvgpu_device_create(host, &options, &callbacks, &device), 0);
  }

  unsigned char* at(uint64_t address) {
    auto* aligned = reinterpret_cast<unsigned char*>((reinterpret_cast<uintptr_t>(ram_.data()) + 15) & ~uintptr_t{15});
    return aligned + (address - kRam);
  }
  int add_ram() { return pvgpu_device_add_memory(device, kRam, at(kRam), kRamBytes); }
  static pvgpu_queue queue(uint16_t next = 0) {
    return {.size = sizeof(pvgpu_queue), .descriptors = 16, .next = next, .reserved = 0, .descriptor_table = kDescriptors,
            .available_ring = kAvailable, .used_ring = kUsed};
  }
  int start(uint16_t next = 0) {
    const pvgpu_queue layout = queue(next);
    return pvgpu_device_start_queue(device, 0, &layout);
  }
  void probe() {
    EXPECT_EQ(add_ram(), 0);
    EXPECT_EQ(pvgpu_device_accept_features(device, pvgpu_device_features(device)), 0);
    EXPECT_EQ(start(), 0);
  }

  std::atomic_ref<uint16_t> word(uint64_t address) { return std::atomic_ref(*reinterpret_cast<uint16_t*>(at(address))); }
  // Puts a request to kRequest, and returns how many bytes it has.
  uint32_t write_request(uint32_t command, const std::vector<uint32_t>& body) {
    std::vector<uint32_t> request = {command, flags, fence_id, 0, 1, 0};
    request.insert(request.end(), body.begin(), body.end());
    std::memcpy(at(kRequest), request.data(), request.size() * 4);
    return static_cast<uint32_t>(request.size() * 4);
  }
  // Makes a request available; `head` is written as it is.
  void send(uint32_t command, const std::vector<uint32_t>& body, uint16_t head = 0) {
    const uint32_t bytes = write_request(command, body);
    struct {
      uint64_t address;
      uint32_t length;
      uint16_t flags, next;
    } descriptors[2] = {{kRequest, bytes, 1, 1}, {kResponse, 1024, 2, 0}};
    std::memcpy(at(kDescriptors), descriptors, sizeof descriptors);
    word(kAvailable + 4 + 2 * (available_ % 16)).store(head, std::memory_order_relaxed);
    // With event indices: an interrupt for this one, please.
    word(kAvailable + 4 + 2 * 16).store(available_, std::memory_order_relaxed);
    word(kAvailable + 2).store(++available_, std::memory_order_release);
  }
  bool answered() { return word(kUsed + 2).load(std::memory_order_acquire) == available_; }
  template <class Condition>
  void wait(Condition condition) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kDeadline, condition));
  }
  uint32_t answer() {
    wait([this] { return answered(); });
    uint32_t type = 0;
    std::memcpy(&type, at(kResponse), sizeof type);
    return type;
  }
  uint32_t call(uint32_t command, const std::vector<uint32_t>& body) {
    send(command, body);
    EXPECT_EQ(pvgpu_device_kick(device, 0), 0);
    return answer();
  }
  uint32_t capset_info() { return call(kGetCapsetInfo, {0, 0}); }
  uint32_t create_context() {
    std::vector<uint32_t> body(18);
    body[1] = 4;
    return call(kCtxCreate, body);
  }
  uint32_t create_blob() { return call(kResourceCreateBlob, {1, 2, 1, 0, 0, 0, 4096, 0}); }
  uint32_t unref_blob() { return call(kResourceUnref, {1, 0}); }
  uint32_t map_blob() { return call(kResourceMapBlob, {1, 0, 0x4000, 0}); }
  // As the guest's driver begins anew after a reset.
  void forget() {
    std::memset(at(kRam), 0, 0x3000);
    available_ = 0;
  }

  pvgpu_device_callbacks callbacks;
  pvgpu_device* device = nullptr;
  // Of the device's thread, under mutex_ or when it is known to be idle:
  int interrupts = 0, broken_queues = 0, mapped = 0, config_changes = 0, blanks = 0;
  std::vector<uint32_t> shown, cursor;      // the pixels as they came, whole pictures
  pvgpu_pixels shown_pixels{}, cursor_pixels{};
  pvgpu_rect damage{};
  std::pair<uint32_t, uint32_t> hot;
  std::pair<int32_t, int32_t> pointer;
  int map_result = 0;
  std::function<void()> on_interrupt, on_unmap;
  unsigned char* pointer_mapped = nullptr;
  std::vector<std::tuple<uint32_t, int32_t, uint64_t>> fences;  // context, ring, id
  uint32_t flags = 0, fence_id = 0;                             // of the requests that are sent

 private:
  static Vmm& self(void* user) { return *static_cast<Vmm*>(user); }
  static void interrupt(void* user, uint16_t) {
    if (self(user).on_interrupt) self(user).on_interrupt();
    self(user).note([&] { self(user).interrupts++; });
  }
  static void broken(void* user, uint16_t) {
    self(user).note([&] { self(user).broken_queues++; });
  }
  static int map(void* user, uint64_t offset, uint64_t length, int fd, uint64_t fd_offset) {
    EXPECT_EQ(offset, 0x4000u);
    EXPECT_EQ(length, 4096u);
    EXPECT_GE(fd, 0);
    EXPECT_EQ(fd_offset, 0u);
    if (self(user).map_result == 0) self(user).note([&] { self(user).mapped++; });
    return self(user).map_result;
  }
  static int map_pointer(void* user, uint64_t offset, uint64_t length, void* pointer) {
    EXPECT_EQ(offset, 0x4000u);
    EXPECT_EQ(length, 4096u);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(pointer) % 4096, 0u);
    self(user).note([&] { self(user).mapped++; });
    self(user).pointer_mapped = static_cast<unsigned char*>(pointer);
    return 0;
  }
  static int unmap(void* user, uint64_t offset, uint64_t length) {
    EXPECT_EQ(offset, 0x4000u);
    EXPECT_EQ(length, 4096u);
    if (self(user).on_unmap) self(user).on_unmap();
    self(user).note([&] { self(user).mapped--; });
    return 0;
  }
  static void config_changed(void* user) {
    self(user).note([&] { self(user).config_changes++; });
  }
  static std::vector<uint32_t> words_of(const pvgpu_pixels& pixels) {
    std::vector<uint32_t> words(size_t{pixels.width} * pixels.height);
    for (uint32_t y = 0; y < pixels.height; y++)
      std::memcpy(words.data() + size_t{y} * pixels.width, static_cast<const char*>(pixels.pixels) + size_t{y} * pixels.stride,
                  size_t{4} * pixels.width);
    return words;
  }
  static void show(void* user, uint32_t scanout, const pvgpu_pixels* pixels, const pvgpu_rect* damage) {
    EXPECT_EQ(scanout, 1u);
    self(user).shown_pixels = *pixels;
    self(user).shown = words_of(*pixels);
    self(user).damage = *damage;
  }
  static void blank(void* user, uint32_t scanout) {
    EXPECT_EQ(scanout, 1u);
    self(user).blanks++;
  }
  static void set_cursor(void* user, uint32_t scanout, const pvgpu_pixels* pixels, uint32_t hot_x, uint32_t hot_y) {
    EXPECT_EQ(scanout, 1u);
    self(user).cursor_pixels = pixels ? *pixels : pvgpu_pixels{};
    self(user).cursor = pixels ? words_of(*pixels) : std::vector<uint32_t>();
    self(user).hot = {hot_x, hot_y};
  }
  static void move_cursor(void* user, uint32_t scanout, int32_t x, int32_t y) {
    EXPECT_EQ(scanout, 1u);
    self(user).pointer = {x, y};
  }
  template <class Change>
  void note(Change change) {
    std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }

  std::vector<uint64_t> ram_;
  std::mutex mutex_;
  std::condition_variable changed_;
  uint16_t available_ = 0;
};

class Library : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(pvgpu_host_close(host_), 0); }
  pvgpu_host* host_ = open_host();
};

}  // namespace pvgpu::library::testing
