#include "frontends/server/context_workers.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "frontends/server/context_messages.h"

namespace pvgpu::frontends::server {

ContextWorkers::ContextWorkers(WorkerCommand command, platform::UniqueFd profile)
    : command_(std::move(command)),
      profile_(std::move(profile)),
      ready_(command_.append_options ? command_.ready_workers : 0,
             [this](const platform::UniqueFd& assignments) { return spawn({"--context=to come", "--ready"}, assignments); }) {
  ready_.fill();
}

Result<platform::ChildProcess> ContextWorkers::start(const std::string& name, const platform::UniqueFd& socket) {
  auto process = take_or_spawn(name, socket);
  ready_.fill();
  return process;
}

Result<platform::ChildProcess> ContextWorkers::take_or_spawn(const std::string& name, const platform::UniqueFd& socket) {
  if (auto ready = ready_.take(std::as_bytes(std::span(name)).first(std::min(name.size(), kMaxContextName)), socket))
    return *std::move(ready);
  return spawn({"--context=" + name}, socket);
}

Result<platform::ChildProcess> ContextWorkers::spawn(std::vector<std::string> options, const platform::UniqueFd& socket) {
  std::ranges::move(observation_options(command_.observation), std::back_inserter(options));
  return platform::ChildProcess::spawn(command_of(command_, std::move(options), {socket.get(), profile_.get()}));
}

}  // namespace pvgpu::frontends::server
