// The thread of an object of the C API, with its event loop. Any thread may call; what they ask for is done on this one, one after
// another. It takes no signals.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "platform/event_loop.h"

namespace pvgpu::library {

// Whether the caller is such a thread: in a callback, where nothing may be waited for.
bool on_loop_thread();

class LoopThread {
 public:
  // Throws std::system_error if there is no further thread.
  LoopThread(std::unique_ptr<platform::EventLoop> loop, const char* name);
  // As end() with nothing to do, if that was not called.
  ~LoopThread();

  // Ends the thread: what was posted before is done first, then `last`, on it too, while the loop does nothing by itself.
  void end(std::function<void()> last);

  platform::EventLoop& loop() { return *loop_; }
  void post(std::function<void()> action) { loop_->post(std::move(action)); }
  // Runs `action` on the thread and returns what it returned, or -ENOMEM.
  int call(const std::function<int()>& action);

 private:
  const std::unique_ptr<platform::EventLoop> loop_;
  std::function<void()> last_;
  std::thread thread_;
};

}  // namespace pvgpu::library
