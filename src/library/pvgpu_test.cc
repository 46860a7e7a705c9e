// The C API as a VMM uses it and misuses it, on the fake driver: what its functions return, and when its callbacks come.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "library/testing/vmm.h"

namespace pvgpu::library::testing {
namespace {

using ::testing::HasSubstr;

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
  vmm.callbacks.map_pointer = [](void*, uint64_t, uint64_t, void*) { return 0; };
  for (const uint32_t alignment : {2048u, 4097u, 1u << 31}) {
    options.map_alignment = alignment;
    EXPECT_EQ(pvgpu_device_create(host_, &options, &vmm.callbacks, &device), -EINVAL) << alignment;
  }
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

TEST_F(Library, TellsOfFences) {
  Vmm vmm(host_);
  const auto note = [](void* user, uint32_t ctx_id, int32_t ring_idx, uint64_t fence_id) {
    static_cast<Vmm*>(user)->fences.emplace_back(ctx_id, ring_idx, fence_id);
  };
  vmm.callbacks.fence = note;
  vmm.replace_device(host_, {.size = sizeof(pvgpu_device_options), .window_bytes = 1 << 20});
  vmm.probe();
  EXPECT_EQ(vmm.create_context(), kOkNoData);
  EXPECT_THAT(vmm.fences, ::testing::IsEmpty()) << "no fence was asked for";
  vmm.flags = 1;
  vmm.fence_id = 77;
  EXPECT_EQ(vmm.capset_info(), kOkCapsetInfo);
  vmm.flags = 3;
  EXPECT_EQ(vmm.call(kSubmit3d, {0, 0}), kOkNoData);
  EXPECT_THAT(vmm.fences, ::testing::ElementsAre(std::tuple(0u, -1, 77u), std::tuple(1u, 0, 77u)));
}

// The driver's side of a packed queue, with one request of two descriptors at a time.
class PackedDriver {
 public:
  static constexpr uint16_t kSize = 6;
  explicit PackedDriver(Vmm& vmm) : vmm_(vmm) {}
  void send(uint32_t bytes) {
    first_ = next_;
    used_when_ = wrap_;
    put(kRequest, bytes, 1);
    put(kResponse, 1024, 2);
    // The first one's flags last: the device that sees them sees the rest.
    flags(first_).store(static_cast<uint16_t>(1 | (used_when_ ? 1 << 7 : 1 << 15)), std::memory_order_release);
  }
  bool answered() {
    const uint16_t seen = flags(first_).load(std::memory_order_acquire);
    return ((seen >> 7) & 1) == used_when_ && (seen >> 15) == used_when_;
  }
  uint16_t place() const { return static_cast<uint16_t>(next_ | (wrap_ ? PVGPU_PACKED_QUEUE_START : 0)); }

 private:
  std::atomic_ref<uint16_t> flags(uint16_t index) { return vmm_.word(kDescriptors + 16 * index + 14); }
  void put(uint64_t address, uint32_t length, uint16_t what) {
    const uint16_t id = 3;
    std::memcpy(vmm_.at(kDescriptors + 16 * next_), &address, 8);
    std::memcpy(vmm_.at(kDescriptors + 16 * next_ + 8), &length, 4);
    std::memcpy(vmm_.at(kDescriptors + 16 * next_ + 12), &id, 2);
    if (next_ != first_) flags(next_).store(static_cast<uint16_t>(what | (wrap_ ? 1 << 7 : 1 << 15)), std::memory_order_relaxed);
    next_ = static_cast<uint16_t>((next_ + 1) % kSize);
    if (next_ == 0) wrap_ = !wrap_;
  }

  Vmm& vmm_;
  uint16_t next_ = 0, first_ = 0;
  bool wrap_ = true, used_when_ = true;
};

TEST_F(Library, ServesPackedQueues) {
  Vmm vmm(host_);
  constexpr uint64_t kPacked = 1ull << 34;
  EXPECT_EQ(pvgpu_device_features(vmm.device) & kPacked, 0u) << "the VMM must know of them";
  vmm.replace_device(host_, {.size = sizeof(pvgpu_device_options), .window_bytes = 1 << 20, .flags = PVGPU_DEVICE_PACKED_QUEUES});
  EXPECT_EQ(vmm.add_ram(), 0);
  EXPECT_EQ(pvgpu_device_accept_features(vmm.device, pvgpu_device_features(vmm.device)), 0);
  pvgpu_queue layout = Vmm::queue();
  layout.descriptors = PackedDriver::kSize;
  layout.next = layout.next_used = PVGPU_PACKED_QUEUE_START;
  for (const uint16_t bad : {PackedDriver::kSize, uint16_t{PVGPU_PACKED_QUEUE_START | PackedDriver::kSize}}) {
    pvgpu_queue wrong = layout;
    wrong.next_used = bad;
    EXPECT_EQ(pvgpu_device_start_queue(vmm.device, 0, &wrong), -EINVAL);
  }
  EXPECT_EQ(pvgpu_device_start_queue(vmm.device, 0, &layout), 0);
  PackedDriver driver(vmm);
  for (int i = 0; i < 20; i++) {
    driver.send(vmm.write_request(kGetCapsetInfo, {0, 0}));
    EXPECT_EQ(pvgpu_device_kick(vmm.device, 0), 0);
    vmm.wait([&] { return driver.answered(); });
    uint32_t type = 0;
    std::memcpy(&type, vmm.at(kResponse), sizeof type);
    ASSERT_EQ(type, kOkCapsetInfo);
    ASSERT_EQ(pvgpu_device_stop_packed_queue(vmm.device, 0, &layout.next, &layout.next_used), 0);
    ASSERT_EQ(layout.next, driver.place());
    ASSERT_EQ(layout.next_used, driver.place());
    ASSERT_EQ(pvgpu_device_start_queue(vmm.device, 0, &layout), 0);
  }
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

TEST_F(Library, GivesPointersThatStayUntilTheyAreUnmapped) {
  Vmm vmm(host_, {}, true);
  vmm.probe();
  EXPECT_EQ(vmm.create_context(), kOkNoData);
  EXPECT_EQ(vmm.create_blob(), kOkNoData);
  EXPECT_EQ(vmm.map_blob(), kOkMapInfo);
  ASSERT_EQ(vmm.mapped, 1);
  ASSERT_NE(vmm.pointer_mapped, nullptr);
  vmm.pointer_mapped[4095] = 42;
  // The guest drops what is mapped: its context first, then the resource.
  EXPECT_EQ(vmm.call(kCtxDestroy, {}), kOkNoData);
  EXPECT_EQ(vmm.pointer_mapped[4095], 42);
  int seen = 0;
  vmm.on_unmap = [&] { seen = vmm.pointer_mapped[4095]; };
  EXPECT_EQ(vmm.unref_blob(), kOkNoData);
  EXPECT_EQ(seen, 42);
  EXPECT_EQ(vmm.mapped, 0);
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
  vmm.callbacks = callbacks;
  vmm.replace_device(host_, {.size = sizeof(pvgpu_device_options), .window_bytes = 1 << 20});
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
}  // namespace pvgpu::library::testing
