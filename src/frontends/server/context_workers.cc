#include "frontends/server/context_workers.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <span>
#include <utility>

#include "frontends/server/context_messages.h"

namespace pvgpu::frontends::server {
namespace {

// A new worker must not take the processors from a program that is starting. As the supervisor has it for its guests.
constexpr auto kQuiet = std::chrono::seconds(3);

}  // namespace

ContextWorkers::ContextWorkers(platform::EventLoop& loop, WorkerCommand command, platform::UniqueFd profile)
    : loop_(loop),
      command_(std::move(command)),
      profile_(std::move(profile)),
      ready_(command_.ready_workers,
             [this](const platform::UniqueFd& assignments) { return spawn({"--context=to come", "--ready"}, assignments); }) {
  ready_.fill();
}

Result<platform::ChildProcess> ContextWorkers::start(const std::string& name, const platform::UniqueFd& socket) {
  fill_when_quiet();
  if (auto ready = ready_.take(std::as_bytes(std::span(name)).first(std::min(name.size(), kMaxContextName)), socket))
    return *std::move(ready);
  return spawn({"--context=" + name}, socket);
}

Result<platform::ChildProcess> ContextWorkers::spawn(std::vector<std::string> options, const platform::UniqueFd& socket) {
  std::ranges::move(observation_options(command_.observation), std::back_inserter(options));
  return platform::ChildProcess::spawn(command_of(command_, std::move(options), {socket.get(), profile_.get()}));
}

void ContextWorkers::fill_when_quiet() {
  if (command_.ready_workers == 0) return;
  loop_.call_after(kQuiet, [this, number = ++started_, alive = std::weak_ptr<char>(alive_)] {
    if (!alive.expired() && number == started_) ready_.fill();
  });
}

}  // namespace pvgpu::frontends::server
