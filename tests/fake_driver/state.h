// What the fake driver remembers: its objects, and what tests asked it to do. One per process,
// since Vulkan's entry points have nowhere else to find it. Everything is guarded by `mutex`.
#pragma once

#include <vulkan/vulkan_core.h>

#include <bit>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "fake_driver.h"

namespace pvgpu::fake_driver {

// One per type of handle; its address names the type.
template <class H>
inline constexpr char kKind = 0;

struct Object {
  const void* kind = nullptr;
  uint64_t parent = 0;  // the handle that it was created on
  uint64_t pool = 0;    // for command buffers and descriptor sets
  std::shared_ptr<void> state;
};

struct Memory {
  std::byte* data = nullptr;
  VkDeviceSize size = 0;
  std::unique_ptr<std::byte[]> owned;
};
struct Buffer {
  VkDeviceSize size = 0;
  std::shared_ptr<Memory> memory;
  VkDeviceSize offset = 0;
  std::byte* data() const { return memory ? memory->data + offset : nullptr; }
};
struct CommandBuffer {
  std::vector<std::function<void()>> commands;
};
struct Fence {
  bool signalled = false;
};
struct Semaphore {
  bool timeline = false;
  bool signalled = false;
  uint64_t value = 0;
};
struct Device {
  std::set<std::string> extensions;
  std::unordered_map<uint64_t, uint64_t> queues;  // by family and index
};

struct State {
  std::mutex mutex;
  std::condition_variable changed;  // a fence or semaphore was signalled
  std::unordered_map<uint64_t, Object> objects;
  uint64_t last_handle = 0x10000;
  std::vector<std::string> misuse;
  bool hold = false;
  bool everything = false;  // see offer_everything()
  std::vector<std::function<void()>> held;

  template <class H>
  H create(uint64_t parent, std::shared_ptr<void> state = nullptr, uint64_t pool = 0) {
    const uint64_t handle = last_handle += kHandleStep;
    objects[handle] = {&kKind<H>, parent, pool, std::move(state)};
    return std::bit_cast<H>(handle);
  }
  template <class S, class H>
  std::shared_ptr<S> get(H handle) {
    const auto found = objects.find(std::bit_cast<uint64_t>(handle));
    return found == objects.end() ? nullptr : std::static_pointer_cast<S>(found->second.state);
  }
  template <class H>
  void erase(H handle) {
    objects.erase(std::bit_cast<uint64_t>(handle));
  }
  void wrong(std::string what) { misuse.push_back(std::move(what)); }
  void run_held() {
    for (auto& work : held) work();
    held.clear();
    changed.notify_all();
  }
};
State& state();

}  // namespace pvgpu::fake_driver
