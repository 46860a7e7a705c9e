#include "virtio_gpu/thread_renderer.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "observe/log.h"
#include "platform/thread.h"

namespace pvgpu::virtio_gpu {
namespace {

class ThreadRenderer : public Renderer {
 public:
  ThreadRenderer(host::Host& host, Post post, const std::string& name)
      : post_(std::move(post)), context_(venus::Context::create(host, {.name = name, .stand_ins = false})) {
    thread_ = std::thread([this] { work(); });
  }
  ~ThreadRenderer() override {
    alive_.reset();  // callbacks under way find nobody
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
      tasks_.clear();
    }
    wake_.notify_one();
    thread_.join();
  }

  void create_blob(uint32_t resource_id, const venus::BlobRequest& request, BlobDone done) override {
    enqueue([this, resource_id, request, done = std::move(done)] {
      // std::function copies what it holds, and a descriptor has one owner.
      auto made = std::make_shared<std::expected<venus::BlobMemory, venus::Poison>>(
          context_->create_blob(resource_id, request));
      deliver([done, made] { done(std::move(*made)); });
    });
  }
  void attach_resource(uint32_t resource_id, int fd, uint64_t size) override {
    auto own = std::make_shared<platform::UniqueFd>(platform::duplicate(fd));
    enqueue([this, resource_id, own, size] { (void)context_->attach_resource(resource_id, std::move(*own), size); });
  }
  void unref_resource(uint32_t resource_id) override {
    enqueue([this, resource_id] { context_->unref_resource(resource_id); });
  }
  void submit(std::vector<std::byte> commands, std::function<void(bool)> done) override {
    enqueue([this, commands = std::move(commands), done = std::move(done)] {
      const bool success = context_->submit(commands).has_value();
      deliver([done, success] { done(success); });
    });
  }
  void submit_fence(uint32_t ring_idx, std::function<void()> done) override {
    enqueue([this, ring_idx, done = std::move(done)] {
      // A poisoned context completes the fence too.
      (void)context_->submit_fence(ring_idx, [this, done] { deliver(done); });
    });
  }

 private:
  using Task = std::function<void()>;

  void enqueue(Task task) {
    {
      std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    wake_.notify_one();
  }
  // From any thread of the context's.
  void deliver(Task task) {
    post_([alive = std::weak_ptr<char>(watched_), task = std::move(task)] {
      if (!alive.expired()) task();
    });
  }
  void work() {
    platform::set_thread_name("pvgpu-context");
    std::unique_lock lock(mutex_);
    while (!stop_) {
      if (tasks_.empty()) {
        wake_.wait(lock);
        continue;
      }
      Task task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      lock.lock();
    }
    lock.unlock();
    context_.reset();  // completes the fences that are still waiting
  }

  const Post post_;
  // The device's thread holds alive_, and looks at it; other threads only copy watched_, which never changes.
  std::shared_ptr<char> alive_ = std::make_shared<char>();
  const std::weak_ptr<char> watched_ = alive_;
  std::unique_ptr<venus::Context> context_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace

RendererFactory thread_renderers(host::Host& host, Post post) {
  return [&host, post = std::move(post)](const std::string& name) -> std::unique_ptr<Renderer> {
    try {
      return std::make_unique<ThreadRenderer>(host, post, name);
    } catch (const std::system_error& error) {
      LOG_ERROR("cannot start a thread for {}: {}", name, error.what());
      return nullptr;
    }
  };
}

}  // namespace pvgpu::virtio_gpu
