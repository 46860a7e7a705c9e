#include "frontends/server/worker.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "frontends/server/guest.h"
#include "observe/user_error.h"
#include "platform/fd.h"
#include "platform/process.h"
#include "platform/shared_memory.h"
#include "platform/signals.h"
#include "platform/system_call.h"
#include "platform/thread.h"
#include "venus/context.h"

namespace pvgpu::frontends::server {
namespace {

bool is_open(int fd) {
  struct stat status{};
  return ::fstat(fd, &status) == 0;
}

int run_probe(const host::HostOptions& options) {
  platform::UniqueFd output(kProbeOutputFd);
  auto host = host::Host::open(options);
  if (!host) {
    observe::print_error(host.error());
    return kExitUserError;
  }
  std::string text = probe_to_text(probe_of(**host));
  std::string_view left = text;
  while (!left.empty()) {
    auto written = platform::retry([&] { return ::write(output.get(), left.data(), left.size()); });
    if (written <= 0) return EXIT_FAILURE;
    left.remove_prefix(static_cast<size_t>(written));
  }
  return EXIT_SUCCESS;
}

int run_session(host::HostOptions options, const GuestInfo& guest, const Observation& observation) {
  platform::UniqueFd socket(kWorkerSocketFd);
  platform::UniqueFd profile(kWorkerProfileFd);
  auto text = platform::read_file(profile.get());
  auto probe = text ? probe_from_text(*text) : std::nullopt;
  profile.reset();
  if (!probe) {
    LOG_ERROR("the driver profile of the supervisor cannot be read");
    return kExitUserError;
  }
  options.profile_json = std::move(probe->profile_json);
  auto host = host::Host::open(options);
  if (!host) {
    LOG_ERROR("cannot serve pid {}: {}{}{}", guest.pid, host.error().what,
              host.error().hint.empty() ? "" : "; ", host.error().hint);
    return kExitUserError;
  }
  ClientEnd end = serve_guest(**host, std::move(socket), guest, observation);
  return end == ClientEnd::kPoisoned ? kExitPoisoned : EXIT_SUCCESS;
}

}  // namespace

int run_worker(const WorkerOptions& options) {
  platform::set_thread_name(options.probe ? "pvgpu-probe" : "pvgpu-worker");
  if (!platform::end_with_parent(SIGKILL, options.supervisor) || !is_open(kWorkerSocketFd) ||
      (!options.probe && !is_open(kWorkerProfileFd))) {
    observe::print_error(
        {"pvgpu worker is started by pvgpu serve only", "use pvgpu run or pvgpu serve"});
    return kExitUserError;
  }
  platform::ignore_broken_pipes();
  platform::raise_descriptor_limit();
  host::HostOptions host_options;
  host_options.carried = venus::carried_extensions();
  host_options.loader_path = options.loader_path;
  host_options.gpu_selectors = options.gpu_selectors;
  return options.probe ? run_probe(host_options) : run_session(host_options, options.guest, options.observation);
}

std::string probe_to_text(const ProbeResult& result) {
  return result.memory + '\n' + result.profile_json;
}

std::optional<ProbeResult> probe_from_text(const std::string& text) {
  size_t end = text.find('\n');
  if (end == std::string::npos || end == 0 || end + 1 == text.size()) return std::nullopt;
  return ProbeResult{text.substr(0, end), text.substr(end + 1)};
}

ProbeResult probe_of(const host::Host& host) {
  bool dma_buf = std::ranges::any_of(host.devices(), [](const host::DriverProfile& device) {
    return std::ranges::any_of(device.memory_plan, [](const host::MemoryTypePlan& plan) {
      return plan.strategy == host::MemoryStrategy::kDmaBuf;
    });
  });
  return ProbeResult{dma_buf ? "dma_buf" : "host_import", host.profiles_as_json()};
}

}  // namespace pvgpu::frontends::server
