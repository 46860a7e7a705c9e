// A value and the mutex that protects it, as one: the value can be reached under the lock only.
#pragma once

#include <mutex>
#include <utility>

namespace pvgpu::platform {

template <class T>
class Guarded {
 public:
  // Calls `action(value)` under the lock and returns what it returns (no reference into the value).
  template <class Action>
  auto with(Action&& action) {
    std::lock_guard lock(mutex_);
    return std::forward<Action>(action)(value_);
  }

 private:
  std::mutex mutex_;
  T value_;
};

}  // namespace pvgpu::platform
