#include "frontends/server/worker_process.h"

#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "frontends/server/ready_workers.h"
#include "frontends/server/worker.h"
#include "platform/shared_memory.h"

namespace pvgpu::frontends::server {
namespace {

class WorkerProcess : public ClientTask {
 public:
  // `connection`: to be closed to end the worker with, so that it can complete what it writes; may be none.
  WorkerProcess(platform::ChildProcess process, platform::UniqueFd connection)
      : process_(std::move(process)), connection_(std::move(connection)) {}

  std::string name() const override { return "worker " + std::to_string(process_.pid()); }
  const platform::UniqueFd& end_fd() const override { return process_.exit_fd(); }
  std::optional<ClientOutcome> outcome() override {
    auto status = process_.poll();
    if (!status) return std::nullopt;
    ClientEnd end = ClientEnd::kCrashed;
    if (status->success()) end = ClientEnd::kClosed;
    if (status->signal == 0 && status->code == kExitPoisoned) end = ClientEnd::kPoisoned;
    if (status->signal == 0 && status->code == kExitUserError) end = ClientEnd::kNotStarted;
    return ClientOutcome{end, status->describe()};
  }
  void terminate() override {
    if (connection_.valid()) {
      ::shutdown(connection_.get(), SHUT_RDWR);
    } else {
      process_.kill(SIGTERM);
    }
  }
  void kill() override { process_.kill(SIGKILL); }

 private:
  platform::ChildProcess process_;
  platform::UniqueFd connection_;
};

class GuestWorkers {
 public:
  GuestWorkers(WorkerCommand command, platform::UniqueFd profile)
      : command_(std::move(command)),
        profile_(std::move(profile)),
        ready_(command_.append_options ? command_.ready_workers : 0,
               [this](const platform::UniqueFd& assignments) { return spawn({"--ready"}, assignments); }) {}

  Result<std::unique_ptr<ClientTask>> start(const ClientInfo& info, const platform::UniqueFd& socket) {
    auto task = take_or_spawn(info, socket);
    // A program that starts waits for answers most of the time, which leaves a processor for one that loads the driver.
    ready_.fill(1);
    return task;
  }
  void prepare(size_t count) { ready_.fill(count); }

 private:
  Result<std::unique_ptr<ClientTask>> take_or_spawn(const ClientInfo& info, const platform::UniqueFd& socket) {
    // Before it goes with the socket.
    platform::UniqueFd connection = command_.observation.any() ? socket.duplicate() : platform::UniqueFd();
    const Assignment assignment{info.peer.pid, info.number};
    if (auto ready = ready_.take(std::as_bytes(std::span(&assignment, 1)), socket)) return std::make_unique<WorkerProcess>(std::move(*ready), std::move(connection));
    auto process =
        spawn({"--guest=" + std::to_string(info.peer.pid), "--client=" + std::to_string(info.number)}, socket);
    if (!process) return std::unexpected(process.error());
    return std::make_unique<WorkerProcess>(std::move(*process), std::move(connection));
  }
  Result<platform::ChildProcess> spawn(std::vector<std::string> own_options, const platform::UniqueFd& socket) {
    std::vector<std::string> options = command_.client_options;
    std::ranges::move(own_options, std::back_inserter(options));
    std::ranges::move(observation_options(command_.observation), std::back_inserter(options));
    return platform::ChildProcess::spawn(command_of(command_, std::move(options), {socket.get(), profile_.get()}));
  }

  const WorkerCommand command_;
  const platform::UniqueFd profile_;
  ReadyWorkers ready_;
};

}  // namespace

Result<Probe> Probe::start(const WorkerCommand& command) {
  auto output = platform::anonymous_file("pvgpu-probe");
  if (!output) return std::unexpected(output.error());
  auto process = platform::ChildProcess::spawn(command_of(command, {"--probe"}, {output->get()}));
  if (!process) return std::unexpected(process.error());
  return Probe(std::move(*process), std::move(*output));
}

Result<ProbeResult> Probe::result() {
  auto status = process_.poll();
  if (!status) {
    return fail(
        "the host's Vulkan driver did not answer within " + std::to_string(kTimeout.count()) + " s",
        "does vulkaninfo work on this host?");
  }
  if (status->signal == 0 && status->code == kExitUserError) return fail("");
  if (!status->success()) {
    return fail("the host's Vulkan driver ended the process that tried it: " + status->describe(),
                "does vulkaninfo work on this host? another device can be picked with --gpu");
  }
  auto text = platform::read_file(output_.get());
  if (!text) return std::unexpected(text.error());
  auto probe = probe_from_text(*text);
  if (!probe) return fail("the probe of the host's Vulkan driver wrote nothing");
  return *probe;
}

Result<ClientWorkers> worker_processes(WorkerCommand command, const ProbeResult& probe) {
  auto file = platform::sealed_file(probe_to_text(probe), "pvgpu-profile");
  if (!file) return std::unexpected(file.error());
  auto workers = std::make_shared<GuestWorkers>(std::move(command), std::move(*file));
  return ClientWorkers{[workers](const ClientInfo& info, platform::UniqueFd socket) { return workers->start(info, socket); },
                       [workers](size_t count) { workers->prepare(count); }};
}

}  // namespace pvgpu::frontends::server
