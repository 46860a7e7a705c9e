// What stands behind the handles of the C API, and how its functions are kept from throwing.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <system_error>
#include <vector>

#include "host/host.h"
#include "library/loop_thread.h"
#include "observe/log.h"
#include "platform/event_loop.h"
#include "pvgpu/pvgpu.h"

struct pvgpu_host {
  std::unique_ptr<pvgpu::host::Host> host;
  std::string loader_path;  // as it was asked for; empty: by default
  std::vector<std::string> gpu_selectors;
  std::atomic<size_t> users = 0;  // devices and renderers
};

namespace pvgpu::library {

// Runs what may run out of memory or threads, on any thread but a device's or a renderer's.
template <class Action>
int guarded(Action action) noexcept {
  if (on_loop_thread()) return -EDEADLK;
  try {
    return action();
  } catch (const std::bad_alloc&) {
    return -ENOMEM;
  } catch (const std::system_error&) {
    return -EAGAIN;
  }
}

// The same for what waits for nothing, on any thread.
template <class Action>
int guarded_quick(Action action) noexcept {
  try {
    return action();
  } catch (const std::bad_alloc&) {
    return -ENOMEM;
  }
}

// nullptr after a line in the log: the system gives no further descriptor.
inline std::unique_ptr<platform::EventLoop> new_loop() {
  auto loop = platform::EventLoop::create();
  if (loop) return std::move(*loop);
  LOG_ERROR("{}", loop.error().what);
  return nullptr;
}

}  // namespace pvgpu::library
