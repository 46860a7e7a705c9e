#include "library/loop_thread.h"

#include <cerrno>
#include <future>
#include <new>
#include <utility>

#include "platform/signals.h"
#include "platform/thread.h"

namespace pvgpu::library {
namespace {

thread_local bool is_loop_thread = false;

}  // namespace

bool on_loop_thread() { return is_loop_thread; }

LoopThread::LoopThread(std::unique_ptr<platform::EventLoop> loop, const char* name) : loop_(std::move(loop)) {
  const platform::BlockedSignals blocked;  // the thread inherits them
  thread_ = std::thread([this, name] {
    is_loop_thread = true;
    platform::set_thread_name(name);
    loop_->run();
    if (last_) last_();
  });
}

LoopThread::~LoopThread() {
  if (thread_.joinable()) end(nullptr);
}

void LoopThread::end(std::function<void()> last) {
  loop_->post([this, last = std::move(last)] {
    last_ = last;
    loop_->stop();
  });
  thread_.join();
}

int LoopThread::call(const std::function<int()>& action) {
  // Shared: the waiting side may be gone while the other is still in set_value().
  auto result = std::make_shared<std::promise<int>>();
  loop_->post([&action, result] {
    int value = -ENOMEM;
    try {
      value = action();
    } catch (const std::bad_alloc&) {
    }
    result->set_value(value);
  });
  return result->get_future().get();
}

}  // namespace pvgpu::library
