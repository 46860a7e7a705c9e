// The C API as a VMM uses it and misuses it, on the fake driver: what its functions return, and when its callbacks come.
#include "pvgpu/pvgpu.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fake_driver/fake_driver.h"

namespace {

using ::testing::HasSubstr;

constexpr uint64_t kRam = 0x40000000, kRamBytes = 0x100000;
constexpr uint64_t kDescriptors = kRam, kAvailable = kRam + 0x1000, kUsed = kRam + 0x2000;
constexpr uint64_t kRequest = kRam + 0x4000, kResponse = kRam + 0x8000;
constexpr uint64_t kVersion1 = 1ull << 32;
constexpr uint32_t kGetCapsetInfo = 0x0108, kResourceCreateBlob = 0x010c, kCtxCreate = 0x0200, kResourceMapBlob = 0x0208;
constexpr uint32_t kOkNoData = 0x1100, kOkCapsetInfo = 0x1102, kOkMapInfo = 0x1106, kErrUnspec = 0x1200;
constexpr auto kDeadline = std::chrono::seconds(60);

pvgpu_host* open_host() {
  const std::string path = pvgpu::fake_driver::library_path();
  pvgpu_host_options options{.size = sizeof options, .vulkan_loader = path.c_str()};
  pvgpu_host* host = nullptr;
  EXPECT_EQ(pvgpu_host_open(&options, &host), 0);
  return host;
}

// A VMM and its guest's driver, which has one request at a time under way.
class Vmm {
 public:
  explicit Vmm(pvgpu_host* host, std::vector<pvgpu_display> displays = {}) : ram_(kRamBytes / sizeof(uint64_t) + 2) {
    callbacks = {.size = sizeof callbacks, .user = this, .interrupt = interrupt, .queue_broken = broken, .map = map,
                 .unmap = unmap, .find_memory = nullptr, .config_changed = config_changed, .show = show, .blank = blank,
                 .set_cursor = set_cursor, .move_cursor = move_cursor};
    pvgpu_device_options options{.size = sizeof options, .window_bytes = 1 << 20, .displays = displays.data(),
                                 .display_count = displays.size()};
    EXPECT_EQ(pvgpu_device_create(host, &options, &callbacks, &device), 0);
  }
  ~Vmm() { EXPECT_EQ(pvgpu_device_destroy(device), 0); }

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
  // Makes a request available; `head` is written as it is.
  void send(uint32_t command, const std::vector<uint32_t>& body, uint16_t head = 0) {
    std::vector<uint32_t> request = {command, 0, 0, 0, 1, 0};
    request.insert(request.end(), body.begin(), body.end());
    const auto bytes = static_cast<uint32_t>(request.size() * 4);
    std::memcpy(at(kRequest), request.data(), bytes);
    struct {
      uint64_t address;
      uint32_t length;
      uint16_t flags, next;
    } descriptors[2] = {{kRequest, bytes, 1, 1}, {kResponse, 1024, 2, 0}};
    std::memcpy(at(kDescriptors), descriptors, sizeof descriptors);
    word(kAvailable + 4 + 2 * (available_ % 16)).store(head, std::memory_order_relaxed);
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
  std::function<void()> on_interrupt;

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
  static int unmap(void* user, uint64_t offset, uint64_t length) {
    EXPECT_EQ(offset, 0x4000u);
    EXPECT_EQ(length, 4096u);
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

TEST_F(Library, TellsItsVersion) { EXPECT_EQ(pvgpu_version(), PVGPU_VERSION); }

TEST_F(Library, TellsWhatAHostLacks) {
  struct Log {
    std::string lines;
  } log;
  ASSERT_EQ(pvgpu_set_log([](void* user, pvgpu_log_level, const char* line) { static_cast<Log*>(user)->lines += line; }, &log,
                          PVGPU_LOG_ERROR), 0);
  pvgpu_host_options options{.size = sizeof options, .vulkan_loader = "/no/such/loader.so"};
  pvgpu_host* host = host_;
  EXPECT_EQ(pvgpu_host_open(&options, &host), -ENODEV);
  EXPECT_EQ(host, nullptr);
  EXPECT_THAT(log.lines, HasSubstr("/no/such/loader.so"));
  EXPECT_EQ(pvgpu_set_log(nullptr, nullptr, static_cast<pvgpu_log_level>(6)), -EINVAL);
  EXPECT_EQ(pvgpu_set_log(nullptr, nullptr, PVGPU_LOG_INFO), 0);
}

TEST_F(Library, TakesStructuresOfOtherVersions) {
  const std::string path = pvgpu::fake_driver::library_path();
  struct {
    pvgpu_host_options known;
    uint64_t later;
  } options{{.size = sizeof options, .vulkan_loader = path.c_str()}, 0};
  pvgpu_host* host = nullptr;
  EXPECT_EQ(pvgpu_host_open(&options.known, &host), 0);
  EXPECT_EQ(pvgpu_host_close(host), 0);
  options.later = 1;
  EXPECT_EQ(pvgpu_host_open(&options.known, &host), -E2BIG);
  options.known.size = sizeof options.known - 1;
  EXPECT_EQ(pvgpu_host_open(&options.known, &host), -EINVAL);
  options.known.size = SIZE_MAX;
  EXPECT_EQ(pvgpu_host_open(&options.known, &host), -E2BIG);
}

TEST_F(Library, RefusesDevicesThatCannotWork) {
  Vmm vmm(host_);
  pvgpu_device_options options{.size = sizeof options, .window_bytes = 4096};
  pvgpu_device* device = nullptr;
  EXPECT_EQ(pvgpu_device_create(nullptr, &options, &vmm.callbacks, &device), -EINVAL);
  EXPECT_EQ(pvgpu_device_create(host_, nullptr, &vmm.callbacks, &device), -EINVAL);
  options.window_bytes = 4097;
  EXPECT_EQ(pvgpu_device_create(host_, &options, &vmm.callbacks, &device), -EINVAL);
  options.window_bytes = 4096;
  vmm.callbacks.map = nullptr;
  EXPECT_EQ(pvgpu_device_create(host_, &options, &vmm.callbacks, &device), -EINVAL);
  EXPECT_EQ(device, nullptr);
  EXPECT_EQ(pvgpu_host_close(host_), -EBUSY);
}

TEST_F(Library, KeepsRegionsOfMemoryApart) {
  Vmm vmm(host_);
  EXPECT_EQ(vmm.add_ram(), 0);
  EXPECT_EQ(vmm.add_ram(), -EEXIST);
  EXPECT_EQ(pvgpu_device_add_memory(vmm.device, kRam + kRamBytes - 4096, vmm.at(kRam), 8192), -EEXIST);
  EXPECT_EQ(pvgpu_device_add_memory(vmm.device, kRam - 4096, vmm.at(kRam), 8192), -EEXIST);
  EXPECT_EQ(pvgpu_device_add_memory(vmm.device, kRam - 4096, vmm.at(kRam), 4096), 0);
  EXPECT_EQ(pvgpu_device_add_memory(vmm.device, 0, vmm.at(kRam) + 1, 4096), -EINVAL);
  EXPECT_EQ(pvgpu_device_add_memory(vmm.device, 1, vmm.at(kRam), 4096), -EINVAL);
  EXPECT_EQ(pvgpu_device_add_memory(vmm.device, 0, vmm.at(kRam), 0), -EINVAL);
  EXPECT_EQ(pvgpu_device_add_memory(vmm.device, UINT64_MAX - 4095, vmm.at(kRam), 8192), -EINVAL);
  EXPECT_EQ(pvgpu_device_remove_memory(vmm.device, kRam + 4096), -ENOENT);
  EXPECT_EQ(pvgpu_device_remove_memory(vmm.device, kRam - 4096), 0);
}

TEST_F(Library, RefusesQueuesThatCannotWork) {
  Vmm vmm(host_);
  EXPECT_EQ(vmm.add_ram(), 0);
  EXPECT_EQ(vmm.start(), -EINVAL) << "features were not accepted";
  EXPECT_EQ(pvgpu_device_accept_features(vmm.device, 1), -EINVAL) << "without VERSION_1";
  EXPECT_EQ(pvgpu_device_accept_features(vmm.device, kVersion1 | 1ull << 60), -EINVAL);
  EXPECT_EQ(pvgpu_device_accept_features(vmm.device, kVersion1), 0);
  pvgpu_queue layout = Vmm::queue();
  EXPECT_EQ(pvgpu_device_start_queue(vmm.device, 2, &layout), -EINVAL);
  layout.descriptors = 12;
  EXPECT_EQ(pvgpu_device_start_queue(vmm.device, 0, &layout), -EINVAL);
  layout = Vmm::queue();
  layout.used_ring += 2;
  EXPECT_EQ(pvgpu_device_start_queue(vmm.device, 0, &layout), -EINVAL);
  layout.used_ring = kRam + kRamBytes - 8;
  EXPECT_EQ(pvgpu_device_start_queue(vmm.device, 0, &layout), -EFAULT);
  EXPECT_EQ(vmm.start(), 0);
  EXPECT_EQ(vmm.start(), -EBUSY);
  EXPECT_EQ(pvgpu_device_accept_features(vmm.device, kVersion1), -EBUSY);
  EXPECT_EQ(pvgpu_device_remove_memory(vmm.device, kRam), -EBUSY);
  EXPECT_EQ(pvgpu_device_stop_queue(vmm.device, 0, nullptr), 0);
  EXPECT_EQ(pvgpu_device_stop_queue(vmm.device, 0, nullptr), 0);
  EXPECT_EQ(pvgpu_device_remove_memory(vmm.device, kRam), 0);
  EXPECT_EQ(vmm.broken_queues, 0);
}

TEST_F(Library, ReadsAndWritesTheConfigSpace) {
  Vmm vmm(host_);
  uint32_t config[6];
  std::memset(config, 0xff, sizeof config);
  EXPECT_EQ(pvgpu_device_write_config(vmm.device, 12, config, 4), 0);
  EXPECT_EQ(pvgpu_device_read_config(vmm.device, 0, config, sizeof config), 0);
  EXPECT_THAT(config, ::testing::ElementsAre(0, 0, 0, 1, 0, 0));
  EXPECT_EQ(pvgpu_device_read_config(vmm.device, 0, nullptr, 4), -EINVAL);
}

TEST_F(Library, ShowsWhatTheGuestDraws) {
  Vmm vmm(host_, {{1280, 800}, {640, 480}});
  vmm.probe();
  constexpr uint64_t kPixels = kRam + 0x10000;
  constexpr uint32_t kCreate2d = 0x0101, kUnref = 0x0102, kSetScanout = 0x0103, kFlush = 0x0104, kTransfer = 0x0105, kAttach = 0x0106;
  std::vector<uint32_t> picture(4 * 3);
  for (uint32_t i = 0; i < picture.size(); i++) picture[i] = 0x01020300 + i;
  std::memcpy(vmm.at(kPixels), picture.data(), picture.size() * 4);
  EXPECT_EQ(vmm.call(kCreate2d, {7, PVGPU_FORMAT_X8R8G8B8, 4, 3}), kOkNoData);
  EXPECT_EQ(vmm.call(kAttach, {7, 1, static_cast<uint32_t>(kPixels), 0, 4 * 3 * 4, 0}), kOkNoData);
  EXPECT_EQ(vmm.call(kSetScanout, {0, 0, 4, 3, 1, 7}), kOkNoData);
  EXPECT_EQ(vmm.call(kTransfer, {0, 0, 4, 3, 0, 0, 7, 0}), kOkNoData);
  EXPECT_TRUE(vmm.shown.empty());
  EXPECT_EQ(vmm.call(kFlush, {0, 0, 4, 3, 7, 0}), kOkNoData);
  EXPECT_EQ(vmm.shown, picture);
  EXPECT_EQ(vmm.shown_pixels.size, sizeof(pvgpu_pixels));
  EXPECT_EQ(vmm.shown_pixels.width, 4u);
  EXPECT_EQ(vmm.shown_pixels.height, 3u);
  EXPECT_EQ(vmm.shown_pixels.format, static_cast<uint32_t>(PVGPU_FORMAT_X8R8G8B8));
  EXPECT_EQ(vmm.shown_pixels.fd, -1);
  EXPECT_EQ(vmm.call(kFlush, {1, 2, 2, 1, 7, 0}), kOkNoData);
  EXPECT_EQ(vmm.damage.x, 1u);
  EXPECT_EQ(vmm.damage.y, 2u);
  EXPECT_EQ(vmm.damage.width, 2u);
  EXPECT_EQ(vmm.damage.height, 1u);
  EXPECT_EQ(vmm.call(kUnref, {7, 0}), kOkNoData);
  EXPECT_EQ(vmm.blanks, 1);
}

TEST_F(Library, ShowsTheGuestsPointer) {
  Vmm vmm(host_, {{1280, 800}, {640, 480}});
  EXPECT_EQ(vmm.add_ram(), 0);
  EXPECT_EQ(pvgpu_device_accept_features(vmm.device, pvgpu_device_features(vmm.device)), 0);
  EXPECT_EQ(vmm.start(), 0);
  EXPECT_EQ(vmm.call(0x0101, {9, PVGPU_FORMAT_B8G8R8A8, 64, 64}), kOkNoData);
  // The cursor queue is another one: its driver goes on from the same rings.
  uint16_t next = 0;
  EXPECT_EQ(pvgpu_device_stop_queue(vmm.device, 0, &next), 0);
  const pvgpu_queue layout = Vmm::queue(next);
  EXPECT_EQ(pvgpu_device_start_queue(vmm.device, 1, &layout), 0);
  const auto update = [&](uint32_t resource) {
    vmm.send(0x0300, {1, 30, static_cast<uint32_t>(-4), 0, resource, 5, 6, 0});
    EXPECT_EQ(pvgpu_device_kick(vmm.device, 1), 0);
    return vmm.answer();
  };
  EXPECT_EQ(update(9), kOkNoData);
  EXPECT_EQ(vmm.cursor.size(), 64u * 64);
  EXPECT_EQ(vmm.cursor_pixels.format, static_cast<uint32_t>(PVGPU_FORMAT_B8G8R8A8));
  EXPECT_EQ(vmm.hot, (std::pair{5u, 6u}));
  EXPECT_EQ(vmm.pointer, (std::pair{30, -4}));
  EXPECT_EQ(update(0), kOkNoData);
  EXPECT_TRUE(vmm.cursor.empty());
}

TEST_F(Library, TellsTheGuestOfADisplaysNewSize) {
  Vmm vmm(host_, {{1280, 800}});
  vmm.probe();
  EXPECT_EQ(pvgpu_device_set_display_size(vmm.device, 0, 1024, 768), 0);
  EXPECT_EQ(vmm.config_changes, 1);
  uint32_t config[4];
  EXPECT_EQ(pvgpu_device_read_config(vmm.device, 0, config, sizeof config), 0);
  EXPECT_THAT(config, ::testing::ElementsAre(1, 0, 1, 1));
  EXPECT_EQ(vmm.call(0x0100, {}), 0x1101u);
  uint32_t info[10];
  std::memcpy(info, vmm.at(kResponse), sizeof info);
  EXPECT_EQ(info[8], 1024u);
  EXPECT_EQ(info[9], 768u);
  EXPECT_EQ(pvgpu_device_set_display_size(vmm.device, 1, 1024, 768), -EINVAL);
  EXPECT_EQ(pvgpu_device_set_display_size(vmm.device, 0, 10, 768), -EINVAL);
  EXPECT_EQ(pvgpu_device_set_display_size(nullptr, 0, 1024, 768), -EINVAL);
}

TEST_F(Library, RefusesDisplaysThatCannotBe) {
  Vmm vmm(host_);
  EXPECT_EQ(pvgpu_device_set_display_size(vmm.device, 0, 1024, 768), -EINVAL) << "it has none";
  const std::vector<pvgpu_display> many(PVGPU_DISPLAY_COUNT_MAX + 1, {800, 600});
  const pvgpu_display tiny{10, 600};
  pvgpu_device* device = nullptr;
  const auto create = [&](const pvgpu_display* displays, size_t count) {
    const pvgpu_device_options options{.size = sizeof options, .window_bytes = 4096, .displays = displays, .display_count = count};
    return pvgpu_device_create(host_, &options, &vmm.callbacks, &device);
  };
  EXPECT_EQ(create(nullptr, 1), -EINVAL);
  EXPECT_EQ(create(many.data(), many.size()), -EINVAL);
  EXPECT_EQ(create(&tiny, 1), -EINVAL);
  vmm.callbacks.show = nullptr;
  EXPECT_EQ(create(many.data(), 1), -EINVAL);
}

TEST_F(Library, TakesDevicesOfTheFirstVersion) {
  Vmm vmm(host_);
  // As a VMM that knows nothing of displays: what lies behind is not read.
  struct {
    pvgpu_device_options options;
    pvgpu_device_callbacks callbacks;
  } old{{.size = 16, .window_bytes = 4096, .displays = nullptr, .display_count = 99}, vmm.callbacks};
  old.callbacks.size = offsetof(pvgpu_device_callbacks, config_changed);
  pvgpu_device* device = nullptr;
  ASSERT_EQ(pvgpu_device_create(host_, &old.options, &old.callbacks, &device), 0);
  uint32_t config[4];
  EXPECT_EQ(pvgpu_device_read_config(device, 0, config, sizeof config), 0);
  EXPECT_EQ(config[2], 0u) << "no display";
  EXPECT_EQ(pvgpu_device_destroy(device), 0);
}

TEST_F(Library, GoesOnWhereAQueueWasStopped) {
  Vmm vmm(host_);
  vmm.probe();
  EXPECT_EQ(vmm.capset_info(), kOkCapsetInfo);
  uint16_t next = 0;
  EXPECT_EQ(pvgpu_device_stop_queue(vmm.device, 0, &next), 0);
  EXPECT_EQ(next, 1);
  vmm.send(kGetCapsetInfo, {0, 0});
  EXPECT_EQ(pvgpu_device_kick(vmm.device, 0), 0);
  uint32_t config = 0;
  EXPECT_EQ(pvgpu_device_read_config(vmm.device, 0, &config, 4), 0);  // behind the kick on the device's thread
  EXPECT_FALSE(vmm.answered());
  EXPECT_EQ(vmm.start(next), 0);
  EXPECT_EQ(vmm.answer(), kOkCapsetInfo);
}

TEST_F(Library, AResetTakesMappingsAndFeaturesAway) {
  Vmm vmm(host_);
  vmm.probe();
  for (int boot = 0; boot < 3; boot++) {
    EXPECT_EQ(vmm.create_context(), kOkNoData);
    EXPECT_EQ(vmm.create_blob(), kOkNoData);
    EXPECT_EQ(vmm.map_blob(), kOkMapInfo);
    EXPECT_EQ(vmm.mapped, 1);
    EXPECT_EQ(pvgpu_device_reset(vmm.device), 0);
    EXPECT_EQ(vmm.mapped, 0);
    EXPECT_EQ(vmm.start(), -EINVAL);
    vmm.forget();
    EXPECT_EQ(pvgpu_device_accept_features(vmm.device, pvgpu_device_features(vmm.device)), 0);
    EXPECT_EQ(vmm.start(), 0);
  }
}

TEST_F(Library, TellsTheGuestWhatCannotBeMapped) {
  Vmm vmm(host_);
  vmm.probe();
  EXPECT_EQ(vmm.create_context(), kOkNoData);
  EXPECT_EQ(vmm.create_blob(), kOkNoData);
  vmm.map_result = -ENOMEM;
  EXPECT_EQ(vmm.map_blob(), kErrUnspec);
}

TEST_F(Library, TellsOfBrokenQueues) {
  Vmm vmm(host_);
  vmm.probe();
  vmm.send(kGetCapsetInfo, {0, 0}, 999);
  EXPECT_EQ(pvgpu_device_kick(vmm.device, 0), 0);
  vmm.wait([&] { return vmm.broken_queues == 1; });
  EXPECT_EQ(pvgpu_device_reset(vmm.device), 0);
  vmm.forget();
  EXPECT_EQ(pvgpu_device_accept_features(vmm.device, kVersion1), 0);
  EXPECT_EQ(vmm.start(), 0);
  EXPECT_EQ(vmm.capset_info(), kOkCapsetInfo);
}

TEST_F(Library, CallbacksMayKickAndNothingThatWaits) {
  Vmm vmm(host_);
  int reset = 0, closed = 0, kicked = -1, destroyed = 0;
  vmm.on_interrupt = [&] {
    reset = pvgpu_device_reset(vmm.device);
    closed = pvgpu_host_close(host_);
    destroyed = pvgpu_device_destroy(vmm.device);
    kicked = pvgpu_device_kick(vmm.device, 0);
  };
  vmm.probe();
  EXPECT_EQ(vmm.capset_info(), kOkCapsetInfo);
  vmm.wait([&] { return vmm.interrupts == 1; });
  EXPECT_EQ(reset, -EDEADLK);
  EXPECT_EQ(closed, -EDEADLK);
  EXPECT_EQ(destroyed, -EDEADLK);
  EXPECT_EQ(kicked, 0);
}

TEST_F(Library, AsksForMemoryThatNoRegionHolds) {
  Vmm vmm(host_);
  pvgpu_device_callbacks callbacks = vmm.callbacks;
  callbacks.find_memory = [](void* user, uint64_t address, uint64_t, uint64_t* contiguous) -> void* {
    if (address < kRam || address - kRam >= kRamBytes) return nullptr;
    *contiguous = kRam + kRamBytes - address;
    return static_cast<Vmm*>(user)->at(address);
  };
  const pvgpu_device_options options{.size = sizeof options, .window_bytes = 1 << 20};
  ASSERT_EQ(pvgpu_device_destroy(std::exchange(vmm.device, nullptr)), 0);
  ASSERT_EQ(pvgpu_device_create(host_, &options, &callbacks, &vmm.device), 0);
  EXPECT_EQ(pvgpu_device_accept_features(vmm.device, kVersion1), 0);
  EXPECT_EQ(vmm.start(), 0);
  EXPECT_EQ(vmm.capset_info(), kOkCapsetInfo);
}

TEST_F(Library, TwoDevicesKnowNothingOfEachOther) {
  Vmm first(host_);
  first.probe();
  EXPECT_EQ(first.create_context(), kOkNoData);
  {
    Vmm second(host_);
    second.probe();
    EXPECT_EQ(second.create_context(), kOkNoData) << "the same id as in the first";
    EXPECT_EQ(second.create_blob(), kOkNoData);
    EXPECT_EQ(second.map_blob(), kOkMapInfo);
  }
  EXPECT_EQ(first.mapped, 0);
  EXPECT_EQ(first.create_blob(), kOkNoData);
  EXPECT_EQ(first.map_blob(), kOkMapInfo);
}

TEST_F(Library, TakesKicksOfManyThreads) {
  Vmm vmm(host_);
  vmm.probe();
  std::atomic<bool> stop = false;
  std::vector<std::thread> kickers;
  for (int i = 0; i < 4; i++)
    kickers.emplace_back([&] {
      while (!stop.load(std::memory_order_relaxed)) {
        EXPECT_EQ(pvgpu_device_kick(vmm.device, 0), 0);
        std::this_thread::yield();
      }
    });
  vmm.send(kGetCapsetInfo, {0, 0});
  EXPECT_EQ(vmm.answer(), kOkCapsetInfo);
  stop = true;
  for (std::thread& kicker : kickers) kicker.join();
  EXPECT_EQ(vmm.capset_info(), kOkCapsetInfo);
}

}  // namespace
