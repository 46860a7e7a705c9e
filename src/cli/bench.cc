#include "cli/bench.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <thread>

#include "bench/client_process.h"
#include "bench/runner.h"
#include "cli/guest_environment.h"
#include "cli/peer_server.h"
#include "cli/private_server.h"
#include "host/loader.h"
#include "host/probe_instance.h"
#include "host/selector.h"
#include "platform/own_path.h"
#include "platform/signals.h"
#include "platform/temporary_folder.h"

namespace pvgpu::cli {
namespace {

using bench::ClientCommand;
using bench::Outcome;
using bench::Side;
using bench::Work;
using platform::SignalQueue;

// A work takes some seconds; a driver that waits for what never comes ends it.
constexpr int kDeadline = 30, kQuickDeadline = 20, kTrialDeadline = 8;

// A guest whose server cannot share memory with it waits for ever for the memory in which it would
// see fences signal. So told, it asks the server instead.
constexpr const char* kWithoutFeedback =
    "VN_PERF=no_fence_feedback,no_semaphore_feedback,no_event_feedback,no_query_feedback";

// It lies beside this program.
Result<std::string> find_client() {
  std::error_code error;
  const auto path =
      std::filesystem::path(platform::own_path()).parent_path() / "pvgpu-bench-client";
  if (!std::filesystem::is_regular_file(path, error)) {
    return fail("there is no " + path.string(), "it belongs beside pvgpu and is built with it");
  }
  return path.string();
}

// The GPU to measure, as every side can find it.
struct ChosenGpu {
  std::string loader;  // through which it was found
  std::string name;
  size_t index = 0;  // for --gpu of our server
  size_t nth = 0;    // among those of this name, for everybody else
};

Result<ChosenGpu> choose_gpu(const host::HostOptions& options) {
  auto loader = host::Loader::open(options.loader_path);
  if (!loader) return std::unexpected(loader.error());
  auto instance = host::ProbeInstance::create(*loader);
  if (!instance) return std::unexpected(instance.error());
  const auto devices = instance->summaries();
  const auto selected = host::select_devices(devices, options.gpu_selectors);
  if (!selected) return std::unexpected(selected.error());
  const host::DeviceSummary& chosen = devices[selected->front()];
  const auto same_name = std::ranges::count(
      devices.begin(), devices.begin() + static_cast<ptrdiff_t>(selected->front()),
      chosen.identity.name, [](const host::DeviceSummary& device) { return device.identity.name; });
  return ChosenGpu{.loader = loader->path(),
                   .name = chosen.identity.name,
                   .index = selected->front(),
                   .nth = static_cast<size_t>(same_name)};
}

class Runs {
 public:
  Runs(const BenchOptions& options, std::string client, ChosenGpu gpu, const SignalQueue& signals)
      : options_(options), client_(std::move(client)), gpu_(std::move(gpu)), signals_(signals) {}

  ClientCommand native() const {
    ClientCommand command = basic(gpu_.nth);
    add(command, {"--loader", gpu_.loader});
    return command;
  }

  ClientCommand guest(const std::string& socket, bool software_wsi, size_t nth) const {
    ClientCommand command = basic(nth);
    command.prefix = options_.guest_command;
    add(command, {"--socket", socket});
    if (!options_.guest_icd.empty()) add(command, {"--icd", options_.guest_icd});
    if (software_wsi) add(command, {"--software-wsi"});
    return command;
  }

  ClientCommand ours(const PrivateServer& server) const {
    // Our server shows guests this GPU alone.
    ClientCommand command = guest(server.socket_path(), !server.memory_is_dma_buf(), 0);
    command.variables = our_variables();
    return command;
  }
  // As `pvgpu run` does.
  static std::vector<std::string> our_variables() {
    if (std::getenv("VN_PERF")) return {};
    return {std::string("VN_PERF=") + kAskingGuest};
  }

  // The peer's side, in the way in which its guest can submit work and wait for it. The error: in
  // none; without text, a signal came.
  Result<Side> peer(const PeerServer& server) const {
    ClientCommand command = guest(server.socket_path(), true, gpu_.nth);
    std::string note = options_.peer;
    auto failure = try_out(command);
    if (failure && !failure->empty()) {
      command.variables = {kWithoutFeedback};
      note += "; its guest cannot share memory with it here, so it polls fences: ";
      note += kWithoutFeedback;
      failure = try_out(command);
    }
    if (!failure) return std::unexpected(failure.error());
    if (!failure->empty()) return fail("its guest cannot submit work: " + *failure);
    return side("peer", note, command);
  }

  Side side(std::string name, std::string note, ClientCommand command) const {
    return {{.name = std::move(name), .note = std::move(note)},
            [this, command = std::move(command)](const Work& work) {
              return bench::run_client(command, work, signals_);
            }};
  }

 private:
  // Why submitting work fails; empty if it does not.
  Result<std::string> try_out(ClientCommand command) const {
    command.deadline_seconds = kTrialDeadline;
    if (!options_.quick) add(command, {"--quick"});
    auto outcome = bench::run_client(command, *bench::find_work("submit"), signals_);
    if (!outcome) return std::unexpected(outcome.error());
    return outcome->failure;
  }

  static void add(ClientCommand& command, std::vector<std::string> words) {
    command.arguments.insert(command.arguments.end(), words.begin(), words.end());
  }

  ClientCommand basic(size_t nth) const {
    ClientCommand command;
    command.program = client_;
    command.deadline_seconds = options_.quick ? kQuickDeadline : kDeadline;
    // Venus wraps the host's name into its own, as far as it fits.
    command.arguments = {"--gpu", gpu_.name.substr(0, 200), "--nth", std::to_string(nth)};
    if (options_.quick) add(command, {"--quick"});
    return command;
  }

  const BenchOptions& options_;
  std::string client_;
  ChosenGpu gpu_;
  const SignalQueue& signals_;
};

// Starts the peer as `server`. The error: why there is nothing to compare with.
Result<Side> peer_side(const Runs& runs, const std::string& program,
                       std::optional<PeerServer>& server) {
  auto started = PeerServer::start(program);
  if (!started) return std::unexpected(started.error());
  server.emplace(std::move(*started));
  return runs.peer(*server);
}

// Where the time goes within a server of ours while its guest does `work`. Empty if the guest fails, which the rounds tell too.
Result<std::vector<bench::Hop>> measure_hops(const Runs& runs, const Work& work, std::vector<std::string> arguments,
                                             const SignalQueue& signals) {
  auto folder = platform::TemporaryFolder::create();
  if (!folder) return std::unexpected(folder.error());
  const std::string path = folder->path() + "/latency";
  arguments.push_back("--latency=" + path);
  {
    auto server = PrivateServer::start(arguments, signals);
    if (!server) return std::unexpected(server.error());
    auto outcome = bench::run_client(runs.ours(*server), work, signals);
    if (!outcome) return std::unexpected(outcome.error());
  }  // the server has ended, and its workers before it
  std::ifstream file(path, std::ios::binary);
  return bench::parse_hops(std::string(std::istreambuf_iterator<char>(file), {}));
}

std::vector<std::pair<std::string, std::string>> about(const BenchOptions& options,
                                                       const ChosenGpu& gpu) {
  utsname system{};
  ::uname(&system);
  return {{"GPU", gpu.name},
          {"machine", fmt::format("{} processors, {} {} {}", std::thread::hardware_concurrency(),
                                  system.sysname, system.release, system.machine)},
          {"time", fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(std::time(nullptr)))},
          {"pvgpu", PVGPU_VERSION},
          {"rounds", fmt::format("{}{}", options.rounds,
                                 options.quick ? ", quick: figures mean little" : "")}};
}

// A line on a terminal that the next one overwrites.
class ProgressLine {
 public:
  ~ProgressLine() {
    if (shown_) std::fputs("\r\033[K", stderr);
  }
  void show(const std::string& text) {
    if (!::isatty(STDERR_FILENO)) return;
    std::fputs(("\r\033[K" + text).c_str(), stderr);
    shown_ = true;
  }

 private:
  bool shown_ = false;
};

Result<void> write_file(const std::string& path, const std::string& contents) {
  std::ofstream file(path, std::ios::binary);
  file << contents;
  if (!file.flush())
    return fail("cannot write " + path, "--html takes a file in a folder that you may write to");
  return {};
}

}  // namespace

Result<std::string> bench(const BenchOptions& options) {
  std::string unknown;
  const auto works = bench::select_works(options.only, unknown);
  if (!unknown.empty()) return fail("there is no work " + unknown, "pvgpu bench --list shows them");
  // Before minutes are spent on what could not be written.
  if (!options.html.empty()) {
    if (auto written = write_file(options.html, ""); !written)
      return std::unexpected(written.error());
  }
  const auto client = find_client();
  if (!client) return std::unexpected(client.error());
  auto signals = SignalQueue::create({SIGINT, SIGTERM, SIGHUP, SIGQUIT});
  if (!signals) return std::unexpected(signals.error());
  const auto gpu = choose_gpu(options.host);
  if (!gpu) return std::unexpected(gpu.error());

  std::vector<std::string> server_arguments = {"--gpu=" + std::to_string(gpu->index),
                                               "--log-level=" + options.server_log_level};
  if (!options.host.loader_path.empty())
    server_arguments.push_back("--vulkan-loader=" + options.host.loader_path);
  auto server = PrivateServer::start(server_arguments, *signals);
  if (!server) return std::unexpected(server.error());

  const Runs runs(options, *client, *gpu, *signals);
  ProgressLine progress;
  std::vector<Side> sides = {runs.side("native", "", runs.native()),
                             runs.side("pvgpu", fmt::format("{}", fmt::join(Runs::our_variables(), " ")), runs.ours(*server))};
  auto facts = about(options, *gpu);
  std::optional<PeerServer> peer;
  if (!options.peer.empty()) {
    progress.show("trying the peer");
    auto side = peer_side(runs, options.peer, peer);
    if (side) {
      sides.push_back(std::move(*side));
    } else if (side.error().what.empty()) {
      return std::unexpected(side.error());
    } else {
      facts.emplace_back("peer", "left out: " + side.error().what);
    }
  }

  auto report = bench::run_works(
      works, sides, options.rounds, [&](const Work& work, const bench::SideInfo& side, int round) {
        progress.show(
            fmt::format("{} {}, round {} of {}", work.name, side.name, round, options.rounds));
      });
  if (!report) return std::unexpected(report.error());
  // Apart from the rounds, because looking at the clock takes time too.
  for (bench::WorkResult& result : report->works) {
    if (!result.work->distribution) continue;
    progress.show(fmt::format("{}, hop by hop", result.work->name));
    auto hops = measure_hops(runs, *result.work, server_arguments, *signals);
    if (!hops) return std::unexpected(hops.error());
    result.hops = std::move(*hops);
  }
  report->about = std::move(facts);
  if (!options.html.empty()) {
    if (auto written = write_file(options.html, bench::to_html(*report)); !written)
      return std::unexpected(written.error());
  }
  return options.json ? bench::to_json(*report) : bench::to_text(*report);
}

std::string bench_list() {
  std::string text;
  for (const Work& work : bench::all_works()) {
    text += fmt::format("{:<16} {}\n", work.name, work.what);
    for (const bench::Figure& figure : work.figures) {
      text += fmt::format("    {:<24} {:<12} {}\n", figure.name, work.unit.name, figure.what);
    }
  }
  return text;
}

}  // namespace pvgpu::cli
