#include "frontends/server/session_thread.h"

#include <sys/socket.h>

#include <atomic>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "frontends/server/guest.h"
#include "platform/event.h"
#include "platform/thread.h"

namespace pvgpu::frontends::server {
namespace {

class SessionThread : public ClientTask {
 public:
  SessionThread(uint64_t number, platform::UniqueFd socket, platform::Event ended)
      : number_(number), shutdown_handle_(std::move(socket)), ended_(std::move(ended)) {}
  ~SessionThread() override {
    if (!thread_.joinable()) return;
    terminate();
    thread_.join();
  }

  // May throw std::system_error: there are no more threads.
  void start(host::Host& host, platform::UniqueFd socket, const GuestInfo& guest, const Observation& observation) {
    thread_ = std::thread([this, &host, guest, observation, socket = std::move(socket)]() mutable {
      platform::set_thread_name("pvgpu-session");
      end_.store(serve_guest(host, std::move(socket), guest, observation), std::memory_order_relaxed);
      ended_.set();
    });
  }

  std::string name() const override { return "thread " + std::to_string(number_); }
  const platform::UniqueFd& end_fd() const override { return ended_.fd(); }
  std::optional<ClientOutcome> outcome() override {
    if (!ended_.is_set()) return std::nullopt;
    if (thread_.joinable()) thread_.join();  // orders end_ too
    return ClientOutcome{end_.load(std::memory_order_relaxed), ""};
  }
  // The session reads the end of its connection. There is no way to end a thread by force.
  void terminate() override { ::shutdown(shutdown_handle_.get(), SHUT_RDWR); }
  void kill() override { terminate(); }

 private:
  uint64_t number_;
  platform::UniqueFd shutdown_handle_;
  platform::Event ended_;
  std::atomic<ClientEnd> end_{ClientEnd::kClosed};
  std::thread thread_;
};

}  // namespace

ClientStarter session_threads(host::Host& host, Observation observation) {
  return [&host, observation = std::move(observation)](const ClientInfo& info,
                 platform::UniqueFd socket) -> Result<std::unique_ptr<ClientTask>> {
    auto ended = platform::Event::create();
    if (!ended) return std::unexpected(ended.error());
    auto task = std::make_unique<SessionThread>(info.number, socket.duplicate(), std::move(*ended));
    try {
      task->start(host, std::move(socket), {.pid = info.peer.pid, .number = info.number}, observation);
    } catch (const std::system_error& error) {
      return fail(std::string("cannot start a thread: ") + error.what());
    }
    return task;
  };
}

}  // namespace pvgpu::frontends::server
