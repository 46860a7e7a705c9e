// Command buffers in flight, the way that an application's frames are: each has a pool and a fence,
// and is recorded anew once its fence says that the GPU is done with it. For one thread; the queue
// is locked if there are several.
#pragma once

#include <mutex>
#include <vector>

#include "bench/client/resources.h"

namespace pvgpu::bench::client {

// What a submission waits for and signals besides its fence. Null: nothing.
struct SubmitSemaphores {
  VkSemaphore wait = VK_NULL_HANDLE;
  VkPipelineStageFlags wait_stage = 0;
  VkSemaphore signal = VK_NULL_HANDLE;
};

class Frames {
 public:
  Frames(const Gpu& gpu, size_t in_flight, std::mutex* queue_lock = nullptr);

  // Waits until the oldest frame is done, and starts to record over it.
  VkCommandBuffer begin();
  void submit(const SubmitSemaphores& semaphores = {});
  // Waits until all frames are done.
  void finish();

 private:
  struct Frame {
    CommandPool pool;
    Fence fence;
    VkCommandBuffer commands = VK_NULL_HANDLE;
    bool submitted = false;
  };

  void wait(Frame& frame);

  const Gpu& gpu_;
  std::mutex* queue_lock_;
  std::vector<Frame> frames_;
  size_t current_ = 0;
};

}  // namespace pvgpu::bench::client
