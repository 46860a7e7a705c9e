// Semaphores and fences that acquiring an image has signalled, of which the driver knows nothing. An image is acquired when the GPU is
// done with it, so there is nothing left to wait for: what waits for such a semaphore or fence is told so by this layer, as Mesa's own
// surfaces do it, and no empty submission slows a frame down. Any thread.
#pragma once

#include <mutex>
#include <set>

namespace headless_surface {

template <class Handle>
class Signalled {
 public:
  void add(Handle handle) {
    std::lock_guard lock(mutex_);
    handles_.insert(handle);
  }
  bool has(Handle handle) {
    std::lock_guard lock(mutex_);
    return handles_.contains(handle);
  }
  // Whether it was there, which it is not afterwards.
  bool take(Handle handle) {
    std::lock_guard lock(mutex_);
    return handles_.erase(handle) != 0;
  }

 private:
  std::mutex mutex_;
  std::set<Handle> handles_;
};

}  // namespace headless_surface
