// Threads that record command buffers beside a ring's own. A guest sends a command buffer whole, from vkBeginCommandBuffer to
// vkEndCommandBuffer, and recording a long one keeps the driver busy for longer than the guest looks for an answer before it goes to
// sleep. So the ring's thread copies it, hands it to a lane and goes on. Command buffers of different pools are recorded at the same time.
//
// What is handed over counts as executed for the guest, and the order that it may rely on is kept:
//   - Vulkan wants the use of a command pool serialized: what is handed over for one goes to the same lane while any of it is left;
//   - a submission waits for all that was handed over before it, and goes to a lane too while anything is left (`follow`): one of its own if
//     there are several, so that the next recording need not wait for it;
//   - of other commands the ring's thread executes beside the lanes only those that do not care (CommandEntry::order).
// A lane waits for nothing but what was handed over before, so there is no cycle.
//
// Threads: one, the ring's, hands over; `wait` is for any but the lanes'. Made and destroyed with the ring.
#pragma once

#include <vulkan/vulkan_core.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "platform/parking.h"

namespace pvgpu::venus {

class ContextImpl;
class Ring;
struct Object;

class RecordingLanes {
 public:
  static constexpr unsigned kMostLanes = 4;
  // Recording less takes no longer than handing it over is worth.
  static constexpr size_t kLeastBytes = 512;
  // What is worth waking a lane up for, too.
  static constexpr size_t kWakingBytes = size_t{8} << 10;

  // As many as that many processors allow beside the guest, the ring and the driver.
  static unsigned count_for(unsigned processors);
  // As many as this process's processors allow, or as PVGPU_RECORDING_THREADS says.
  static unsigned usual_count();

  // What had been handed over at a moment: how many jobs to each lane.
  using Moment = std::array<uint64_t, kMostLanes>;

  // Bytes of a job; they keep their place.
  struct Bytes {
    std::unique_ptr<std::byte[]> data;
    size_t capacity = 0;
    size_t size = 0;
    std::span<std::byte> span() const { return {data.get(), size}; }
  };

  // `lanes`, up to kMostLanes, each with a thread from its first job on.
  RecordingLanes(ContextImpl& context, Ring* ring, unsigned lanes);
  // Returns when all is done that was handed over.
  ~RecordingLanes();

  // Memory for a job, uninitialized. Waits for the lanes if they have more to do than guests may have lie about.
  Bytes take(size_t size);
  // Whether that much is worth handing over now: if it is long, or would be taken at once, or had to wait for other recordings of its pool
  // here. A lane that sleeps is woken up for what comes next: a guest that records once will do so again.
  bool ready(const Object* pool, size_t size);
  // Executes the commands that record a command buffer of `pool`.
  void record(const Object* pool, Bytes commands);
  // Whether what follows would be taken at once.
  bool ready_to_follow() const;
  // Executes a copy of a submission after all that has been handed over. `fence`: what it will signal.
  void follow(std::span<const std::byte> submission, VkFence fence);
  // On the ring's thread: whether a submission with that fence is still to be made. Until then nobody else may use the fence.
  bool holds(VkFence fence) const;

  Moment now() const;
  // Whether anything that had been handed over at that moment is not done yet.
  bool busy(const Moment& moment) const;
  bool busy() const { return busy(now()); }
  // Until nothing is.
  void wait(const Moment& moment);
  void wait() { wait(now()); }
  void wait_for_pool(const Object* pool);

 private:
  // More make the ring's thread wait.
  static constexpr size_t kMostJobs = 256;  // a frame or a token may have dozens of submissions
  static constexpr size_t kMostPendingBytes = size_t{64} << 20;
  static constexpr size_t kKeptBytes = size_t{4} << 20;

  struct Job;
  struct Lane;

  static bool reached(const Lane& lane, uint64_t count);
  static uint64_t left(const Lane& lane);
  static bool holds(const Lane& lane, const Object* pool);
  static bool asleep(const Lane& lane);
  Lane& lane_for(const Object* pool);
  void hand_over(Lane& lane, Bytes bytes, const Object* pool, VkFence fence);
  void wake(Lane& lane);
  void wait(const Lane& lane, uint64_t count);
  void run(Lane& lane);
  bool wait_for_job(Lane& lane);
  void execute(Lane& lane, Job& job);
  void give_back(Bytes bytes);

  ContextImpl& context_;
  const unsigned processors_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::span<const std::unique_ptr<Lane>> recording_;
  Lane* submitting_;
  std::atomic<size_t> pending_bytes_{0};  // of all jobs
  std::atomic<bool> stop_{false};
  platform::ParkingSpot progress_;  // a job is done

  std::mutex spare_mutex_;
  std::vector<Bytes> spare_;
  size_t spare_bytes_ = 0;
};

}  // namespace pvgpu::venus
