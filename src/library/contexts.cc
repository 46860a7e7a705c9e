#include "library/contexts.h"

#include <cerrno>
#include <chrono>
#include <utility>

#include "frontends/server/probe_result.h"
#include "observe/log.h"
#include "platform/shared_memory.h"
#include "virtio_gpu/thread_renderer.h"

namespace pvgpu::library {
namespace {

using namespace frontends::server;

// Most of what a program's start takes is loading the driver. A VMM that has had its device started will run some.
constexpr size_t kReadyWorkers = 1;

observe::Level log_level() {
  int level = static_cast<int>(observe::Level::kTrace);
  while (level < static_cast<int>(observe::Level::kOff) && !observe::enabled(static_cast<observe::Level>(level))) level++;
  return static_cast<observe::Level>(level);
}

}  // namespace

std::expected<std::unique_ptr<Contexts>, int> Contexts::create(const pvgpu_host& host, const char* worker) {
  std::unique_ptr<Contexts> contexts(new Contexts(host));
  if (!worker) return contexts;
  if (const auto checked = check_worker(worker); !checked) {
    LOG_ERROR("{}; {}", checked.error().what, checked.error().hint);
    return std::unexpected(-ENOENT);
  }
  (void)check_sandbox(contexts->command_.sandbox);  // warns
  auto profile = platform::sealed_file(probe_to_text(probe_of(*host.host)), "pvgpu-profile");
  if (!profile) {
    LOG_ERROR("{}", profile.error().what);
    return std::unexpected(-EMFILE);
  }
  contexts->profile_ = std::move(*profile);
  contexts->command_ = {.program = worker,
                        .loader_path = host.loader_path,
                        .gpu_selectors = host.gpu_selectors,
                        .log_level = log_level(),
                        .ready_workers = kReadyWorkers};
  return contexts;
}

virtio_gpu::RendererFactory Contexts::start(LoopThread& thread) {
  if (!profile_.valid())
    return virtio_gpu::thread_renderers(*host_.host, [&thread](std::function<void()> action) { thread.post(std::move(action)); });
  workers_.emplace(command_, std::move(profile_));
  processes_.emplace(
      thread.loop(), [this](const std::string& name, platform::UniqueFd socket) { return workers_->start(name, socket); },
      ContextProcesses::Options());
  return processes_->renderers();
}

Contexts::~Contexts() {
  // They may finish what they do, though not for long.
  if (processes_) processes_->wait_for_ending(std::chrono::seconds(2));
}

}  // namespace pvgpu::library
