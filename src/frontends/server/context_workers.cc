#include "frontends/server/context_workers.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "frontends/server/context_messages.h"

namespace pvgpu::frontends::server {

ContextWorkers::ContextWorkers(platform::EventLoop& loop, WorkerCommand command, platform::UniqueFd profile, std::chrono::milliseconds quiet)
    : loop_(loop),
      command_(std::move(command)),
      profile_(std::move(profile)),
      quiet_(quiet),
      ready_(command_.append_options ? command_.ready_workers : 0,
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
  loop_.call_after(quiet_, [this, number = ++started_, alive = std::weak_ptr<char>(alive_)] {
    if (!alive.expired() && number == started_) ready_.fill();
  });
}

}  // namespace pvgpu::frontends::server
