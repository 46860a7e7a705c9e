// Fences of the transport: "tell me when everything submitted so far to the VkQueue that is bound to
// timeline k is complete". One thread per used timeline waits for VkFences of ours in order.
// Source: Venus protocol reference, section 8.4. Thread-safe.
#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <expected>
#include <functional>
#include <mutex>
#include <thread>

#include "venus/device.h"
#include "venus/poison.h"

namespace pvgpu::venus {

class QueueTimelines {
 public:
  static constexpr uint32_t kCount = 64;

  ~QueueTimelines();

  // Binds timeline `ring_idx` (1..63) to `queue`. False: out of range, or bound.
  bool bind(uint32_t ring_idx, Queue* queue);
  // Unbinds the timelines of `device` after completing what waits on them.
  void unbind_device(Device& device);
  // See Context::submit_fence.
  std::expected<void, Poison> submit(uint32_t ring_idx, std::function<void()> done);
  // Completes everything that waits and stops the threads.
  void stop();

 private:
  struct Pending {
    VkFence fence;  // VK_NULL_HANDLE: nothing to wait for
    Device* device;
    std::function<void()> done;
  };
  struct Timeline {
    std::mutex mutex;
    std::condition_variable wake;
    Queue* queue = nullptr;
    std::deque<Pending> pending;
    std::vector<VkFence> free_fences;
    bool stop = false;
    std::thread thread;
  };
  static void retire(Timeline& timeline);
  static void halt(Timeline& timeline);

  // Held while timelines are bound and unbound, so that none is bound anew before its thread has ended.
  // Taken before a Timeline's own mutex; `queue` changes under both.
  std::mutex binding_mutex_;
  std::array<Timeline, kCount> timelines_;
};

}  // namespace pvgpu::venus
