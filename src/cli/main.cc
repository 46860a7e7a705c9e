// The `pvgpu` program: turns the command line into options and calls what does the work.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/bench.h"
#include "cli/parity.h"
#include "cli/qemu.h"
#include "cli/run.h"
#include "cli/vm_options.h"
#include "display/display.h"
#include "frontends/server/serve.h"
#include "frontends/server/worker.h"
#include "host/host.h"
#include "host/info.h"
#include "observe/log.h"
#include "observe/user_error.h"
#include "platform/hypervisor.h"
#include "venus/context.h"

namespace pvgpu::cli {
namespace {

using frontends::server::Isolation;
using frontends::server::kExitUserError;

constexpr const char* kDescription =
    "pvgpu gives programs in virtual machines and containers a Vulkan GPU: it is the host side of\n"
    "Mesa's Venus driver. The quickest way to try it:  pvgpu run -- vkcube";
// What Mesa connects to when VTEST_SOCKET_NAME is not set.
constexpr const char* kDefaultSocket = "/tmp/.virgl_test";

struct Settings {
  std::string log_level;  // empty: the subcommand's default
  std::vector<std::string> gpus;
  std::string loader;
  bool list_gpus = false;
  bool json = false;
  bool parity = false, strict = false;
  std::string guest_icd, guest_command;
  std::string peer = "virgl_test_server";
  bool no_peer = false, list_works = false, quick = false;
  std::vector<std::string> only;
  int rounds = 5;
  std::string html;
  std::string socket = kDefaultSocket;
  std::string isolation = "process";
  std::string sandbox = "auto";
  size_t max_clients = 1024;
  size_t ready_workers = 2, ready_contexts = 1;
  int ready_fd = -1;
  pid_t parent = 0;
  std::string icd;
  bool probe = false, ready = false, machine = false, memory_slots = false;
  std::string context;
  uint64_t window = uint64_t{4} << 30;
  uint32_t shmem_bit = 22;
  std::string display = "none", display_size = "1280x800";
  int socket_fd = -1;
  pid_t supervisor = 0;
  frontends::server::GuestInfo guest{.own_process = true};
  frontends::server::Observation observation;
  VmOptions vm;
};

int fail_with(const Error& error) {
  observe::print_error(error);
  return kExitUserError;
}

void add_log_option(CLI::App& app, Settings& settings) {
  app.add_option("--log-level", settings.log_level,
                 "trace, debug, info, warn, error or off; default: the variable PVGPU_LOG")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}))
      ->option_text("LEVEL");
}

void add_host_options(CLI::App& app, Settings& settings) {
  app.add_option("--gpu", settings.gpus,
                 "Only this GPU of the host: its index, UUID, PCI address, or a part of its name;\n"
                 "with #N behind it, the N-th (from 0) of several that match.\n"
                 "Can be given several times; guests see the GPUs in that order")
      ->option_text("SELECTOR")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--vulkan-loader", settings.loader,
                 "The Vulkan loader to use instead of the system's")
      ->option_text("PATH");
  app.add_flag("--list-gpus", settings.list_gpus, "List the host's GPUs for --gpu, and exit");
  add_log_option(app, settings);
}

// Where a program of ours becomes the guest. With `needed`, only beside that option.
void add_guest_options(CLI::App& app, Settings& settings, CLI::Option* needed = nullptr) {
  CLI::Option* command = app.add_option(
      "--guest-command", settings.guest_command,
      "What to put before the program that runs in the guest, for a shell");
  CLI::Option* icd =
      app.add_option("--guest-icd", settings.guest_icd,
                     "Manifest of Mesa's Venus driver (virtio_icd.*.json), in the guest's system");
  command->option_text("WORDS");
  icd->option_text("PATH");
  if (!needed) return;
  command->needs(needed);
  icd->needs(needed);
}

// Of what starts workers, and of workers.
void add_sandbox_option(CLI::App& app, Settings& settings) {
  app.add_option("--sandbox", settings.sandbox,
                 "What the processes that hold guests' contexts may do besides. on: no programs, connections,\n"
                 "signals to others or files to write but the driver's caches, or no guest is served;\n"
                 "auto (default): the same as far as this system can, with software drivers and NVIDIA's (with\n"
                 "others it was never tried); off: all that this user may")
      ->check(CLI::IsMember({"auto", "on", "off"}))
      ->option_text("WHEN");
}

// What is observed of guests while they run.
void add_latency_option(CLI::App& app, Settings& settings) {
  app.add_option("--latency", settings.observation.latency,
                 "Measure where the time between a guest's command and our answer goes. When a guest ends,\n"
                 "a line of JSON is appended to FILE; to - a table is printed")
      ->option_text("FILE");
}

void add_observation_options(CLI::App& app, Settings& settings) {
  app.add_option("--record", settings.observation.record,
                 "Record all that the host decodes of the guest, for bench/ and for bug reports; of later\n"
                 "guests to FILE.2, FILE.3 and so on")
      ->option_text("FILE");
  add_latency_option(app, settings);
}

void set_log_level(const Settings& settings, observe::Level otherwise) {
  observe::set_level(observe::parse_level(settings.log_level).value_or(otherwise));
}

host::HostOptions host_options(const Settings& settings) {
  host::HostOptions options;
  options.carried = venus::carried_extensions();
  options.loader_path = settings.loader;
  options.gpu_selectors = settings.gpus;
  return options;
}

int list_gpus(const Settings& settings) {
  auto text = host::list_gpus_text(host_options(settings));
  if (!text) return fail_with(text.error());
  std::fputs(text->c_str(), stdout);
  return EXIT_SUCCESS;
}

frontends::server::SandboxMode sandbox_mode(const Settings& settings) {
  return frontends::server::parse_sandbox_mode(settings.sandbox).value();  // checked when it was parsed
}

// The options that `pvgpu serve` takes too.
std::vector<std::string> server_arguments(const Settings& settings) {
  std::vector<std::string> arguments = {"--log-level=" + (settings.log_level.empty() ? "warn" : settings.log_level),
                                        "--sandbox=" + settings.sandbox};
  if (!settings.loader.empty()) arguments.push_back("--vulkan-loader=" + settings.loader);
  for (const std::string& gpu : settings.gpus) arguments.push_back("--gpu=" + gpu);
  if (!settings.observation.record.empty()) arguments.push_back("--record=" + settings.observation.record);
  if (!settings.observation.latency.empty()) arguments.push_back("--latency=" + settings.observation.latency);
  return arguments;
}

bool wants_colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) == 1 && (!no_colour || !no_colour[0]);
}

int parity(const Settings& settings) {
  set_log_level(settings, observe::Level::kWarn);
  auto report = cli::parity({.host = host_options(settings),
                             .server_arguments = server_arguments(settings),
                             .guest_icd = settings.guest_icd,
                             .guest_command = settings.guest_command,
                             .json = settings.json,
                             .colour = wants_colour()});
  if (!report) return fail_with(report.error());
  std::fputs(report->text.c_str(), stdout);
  return settings.strict && !report->explained ? EXIT_FAILURE : EXIT_SUCCESS;
}

int info(const Settings& settings) {
  set_log_level(settings, observe::Level::kWarn);
  auto host = host::Host::open(host_options(settings));
  if (!host) return fail_with(host.error());
  std::string text = settings.json ? host::info_json(**host) : host::info_text(**host, wants_colour());
  if (!settings.json) {
    const bool tried = std::ranges::all_of((*host)->devices(), frontends::server::is_tried);
    text += "\nsandbox of workers: " + (tried ? frontends::server::describe_sandbox(frontends::server::SandboxMode::kAuto)
                                              : "not on by itself, since it was never tried with such a driver; --sandbox on") + "\n";
  }
  std::fputs(text.c_str(), stdout);
  return EXIT_SUCCESS;
}

int serve(const Settings& settings) {
  set_log_level(settings, observe::Level::kInfo);
  frontends::server::ServeOptions options;
  options.socket_path = settings.socket;
  options.worker.loader_path = settings.loader;
  options.worker.gpu_selectors = settings.gpus;
  options.worker.log_level =
      observe::parse_level(settings.log_level).value_or(observe::Level::kInfo);
  options.max_clients = settings.max_clients;
  options.worker.sandbox = sandbox_mode(settings);
  options.worker.ready_workers = settings.ready_workers;
  options.isolation = settings.isolation == "thread" ? Isolation::kThread : Isolation::kProcess;
  options.worker.observation = settings.observation;
  options.ready_fd = settings.ready_fd;
  options.end_with_parent = settings.parent;
  auto served = frontends::server::serve(options);
  return served ? EXIT_SUCCESS : fail_with(served.error());
}

int device(const Settings& settings) {
  set_log_level(settings, observe::Level::kInfo);
  const auto display = display::parse_display(settings.display, settings.display_size);
  if (!display) return fail_with(display.error());
  if (auto possible = display::check_display(*display); !possible) return fail_with(possible.error());
  frontends::server::ServeOptions options;
  options.socket_path = settings.socket;
  options.socket_fd = settings.socket_fd;
  options.invitation =
      "QEMU (11.1 or newer) needs -chardev socket,id=gpu,path={} -device " + qemu_device("gpu") + " and memory with share=on";
  options.vtest_farewell = false;
  options.worker.loader_path = settings.loader;
  options.worker.gpu_selectors = settings.gpus;
  options.worker.log_level = observe::parse_level(settings.log_level).value_or(observe::Level::kInfo);
  options.worker.sandbox = sandbox_mode(settings);
  options.worker.client_options = {"--machine", "--window=" + std::to_string(settings.window),
                                   "--shmem-feature-bit=" + std::to_string(settings.shmem_bit),
                                   "--isolation=" + settings.isolation,
                                   "--ready-workers=" + std::to_string(settings.ready_contexts),
                                   "--display=" + settings.display,
                                   "--display-size=" + settings.display_size};
  options.worker.observation = settings.observation;
  if (settings.memory_slots) options.worker.client_options.push_back("--memory-slots");
  options.max_clients = settings.max_clients;
  options.ready_fd = settings.ready_fd;
  options.end_with_parent = settings.parent;
  auto served = frontends::server::serve(options);
  return served ? EXIT_SUCCESS : fail_with(served.error());
}

int run(const Settings& settings, std::vector<std::string> program) {
  set_log_level(settings, observe::Level::kWarn);
  RunOptions options;
  options.program = std::move(program);
  options.icd = settings.icd;
  options.server_arguments = server_arguments(settings);
  auto code = cli::run(options);
  return code ? *code : fail_with(code.error());
}

int vm(const Settings& settings, const CLI::App& command) {
  set_log_level(settings, observe::Level::kWarn);
  VmOptions options = settings.vm;
  options.device_arguments = server_arguments(settings);
  options.device_arguments.push_back("--isolation=" + settings.isolation);
  options.device_arguments.push_back("--ready-workers=" + std::to_string(settings.ready_contexts));
  if (command.count("--window") > 0) options.device_arguments.push_back("--window=" + std::to_string(settings.window));
  auto code = cli::vm(std::move(options));
  return code ? *code : fail_with(code.error());
}

int bench(const Settings& settings) {
  set_log_level(settings, observe::Level::kWarn);
  if (settings.list_works) {
    std::fputs(bench_list().c_str(), stdout);
    return EXIT_SUCCESS;
  }
  auto text =
      cli::bench({.host = host_options(settings),
                  .server_log_level = settings.log_level.empty() ? "warn" : settings.log_level,
                  .guest_icd = settings.guest_icd,
                  .guest_command = settings.guest_command,
                  .peer = settings.no_peer ? "" : settings.peer,
                  .only = settings.only,
                  .rounds = settings.rounds,
                  .quick = settings.quick,
                  .json = settings.json,
                  .html = settings.html});
  if (!text) return fail_with(text.error());
  std::fputs(text->c_str(), stdout);
  return EXIT_SUCCESS;
}

int worker(const Settings& settings) {
  set_log_level(settings, observe::Level::kInfo);
  frontends::server::WorkerOptions options;
  using Kind = frontends::server::WorkerOptions::Kind;
  if (settings.probe) options.kind = Kind::kProbe;
  if (settings.machine) options.kind = Kind::kMachine;
  if (!settings.context.empty()) options.kind = Kind::kContext;
  options.contexts_in_threads = settings.isolation == "thread";
  options.ready_contexts = settings.ready_contexts;
  options.context_name = settings.context;
  options.log_level = observe::parse_level(settings.log_level).value_or(observe::Level::kInfo);
  auto display = display::parse_display(settings.display, settings.display_size);
  if (!display) return fail_with(display.error());
  options.machine = {.window_bytes = settings.window,
                     .shmem_feature_bit = settings.shmem_bit,
                     .memory_slots = settings.memory_slots,
                     .display = *std::move(display),
                     .number = settings.guest.number};
  options.supervisor = settings.supervisor;
  options.guest = settings.guest;
  options.ready = settings.ready;
  options.observation = settings.observation;
  options.sandbox = sandbox_mode(settings);
  options.loader_path = settings.loader;
  options.gpu_selectors = settings.gpus;
  return frontends::server::run_worker(options);
}

CLI::App* add_run(CLI::App& app, Settings& settings) {
  CLI::App* command =
      app.add_subcommand("run", "Run a program with a private server: pvgpu run -- vkcube");
  command->prefix_command();
  command->usage("Usage: pvgpu run [OPTIONS] -- PROGRAM [ARGUMENTS...]");
  command->footer(
      "The exit code is the program's own, or 128 + N after signal N.\n"
      "VN_PERF=no_fence_feedback,no_semaphore_feedback is set, with which guests wait less long for the GPU;\n"
      "set VN_PERF yourself, to nothing for example, to have it otherwise.");
  command->add_option("--icd", settings.icd, "Manifest of Mesa's Venus driver (virtio_icd.*.json)")
      ->option_text("PATH");
  add_observation_options(*command, settings);
  add_sandbox_option(*command, settings);
  add_host_options(*command, settings);
  return command;
}

CLI::App* add_serve(CLI::App& app, Settings& settings) {
  CLI::App* command = app.add_subcommand("serve", "Serve many guests on a socket (vtest protocol)");
  command->footer(
      "A guest is a program that runs with VN_DEBUG=vtest VTEST_SOCKET_NAME=PATH and Mesa's Venus\n"
      "driver (VK_DRIVER_FILES=…/virtio_icd.*.json). It waits less long for the GPU with\n"
      "VN_PERF=no_fence_feedback,no_semaphore_feedback. SIGINT and SIGTERM stop the server.\n"
      "Readiness goes to --ready-fd and to systemd; a socket of systemd is used if there is one.");
  command
      ->add_option("--socket", settings.socket,
                   "Where to listen; default: /tmp/.virgl_test, which is Mesa's own")
      ->option_text("PATH");
  command
      ->add_option("--max-clients", settings.max_clients,
                   "Guests to serve at a time, at most; default: 1024")
      ->check(CLI::Range(size_t{1}, size_t{1000000}))
      ->option_text("N");
  command
      ->add_option("--ready-workers", settings.ready_workers,
                   "Workers to keep ready, with the driver loaded, for guests that come; default: 2")
      ->check(CLI::Range(size_t{0}, size_t{64}))
      ->option_text("N");
  command
      ->add_option("--isolation", settings.isolation,
                   "process (default): a worker process for each guest; thread: for debugging")
      ->check(CLI::IsMember({"process", "thread"}))
      ->option_text("KIND");
  command
      ->add_option("--ready-fd", settings.ready_fd,
                   "Write READY=1 to this descriptor once guests can connect, and close it")
      ->check(CLI::Range(0, 1 << 20))
      ->option_text("FD");
  command->add_option("--parent", settings.parent)->group("");
  add_observation_options(*command, settings);
  add_sandbox_option(*command, settings);
  add_host_options(*command, settings);
  return command;
}

// Of `pvgpu device` and of the workers that it starts.
void add_machine_options(CLI::App& command, Settings& settings) {
  command
      .add_option("--isolation", settings.isolation,
                  "process (default): a worker process for each guest process that uses the GPU;\n"
                  "thread: one process for each virtual machine, for debugging")
      ->check(CLI::IsMember({"process", "thread"}))
      ->option_text("KIND");
  command
      .add_option("--ready-workers", settings.ready_contexts,
                  "Workers to keep ready for each virtual machine, with the driver loaded, for programs that start\n"
                  "to use the GPU; default: 1")
      ->check(CLI::Range(size_t{0}, size_t{64}))
      ->option_text("N");
  command
      .add_option("--window", settings.window,
                  "Room for memory that a virtual machine's processes have mapped at a time, such as 512M\n"
                  "or 8G; default: 4G. A power of two; takes addresses of the guest, no memory")
      ->transform(CLI::AsSizeValue(false))
      ->check([](const std::string& bytes) {
        // It becomes a PCI region.
        const uint64_t size = std::strtoull(bytes.c_str(), nullptr, 10);
        return std::has_single_bit(size) && size >= (uint64_t{1} << 20) ? "" : "no power of two from 1M up";
      })
      ->option_text("BYTES");
  command
      .add_option("--shmem-feature-bit", settings.shmem_bit,
                  "vhost-user's number for SHMEM_MAP, if your QEMU has another; default: 22")
      ->check(CLI::Range(0u, 63u))
      ->option_text("BIT");
  command
      .add_option("--display", settings.display,
                  "Where guests' displays are to be seen, to look at only:\n"
                  "none (default): guests have no display on this device;\n"
                  "png:FOLDER: the newest pictures in FOLDER/vm-N, N counting the machines that connect;\n"
                  "vnc:HOST:PORT: a VNC server without a password for each machine, at the first free port from\n"
                  "PORT on, which the log tells")
      ->option_text("WHERE");
  command.add_option("--display-size", settings.display_size, "What guests are told that the display has; default: 1280x800")
      ->option_text("WIDTHxHEIGHT");
  command.add_flag("--memory-slots", settings.memory_slots,
                   "Spares QEMU complaints about mapped memory; but QEMU 11.1 crashes then when a guest\n"
                   "reboots while its programs use the GPU");
}

CLI::App* add_device(CLI::App& app, Settings& settings) {
  CLI::App* command =
      app.add_subcommand("device", "Serve a virtio-gpu device to virtual machines (vhost-user)");
  command->footer(
      "For QEMU 11.1 and newer; start this first, then\n"
      "  qemu-system-x86_64 … -m 2G -object " + std::string(platform::kSharedMemoryBackend) + ",id=ram,size=2G,share=on -machine memory-backend=ram\n"
      "    -chardev socket,id=gpu,path=PATH\n"
      "    -device vhost-user-test-device-pci,virtio-id=16,num_vqs=2,vq_size=256,config_size=16,chardev=gpu\n"
      "(config_size=20 where this host's pages are larger than 4 KiB; pvgpu qemu-args prints what this host needs)\n"
      "The guest needs Linux 6.12 or so with virtio-gpu, and Mesa's Venus driver. docs/virtual-machines.md tells more.");
  command->add_option("--socket,--socket-path", settings.socket, "Where to listen")->option_text("PATH");
  command->add_option("--fd", settings.socket_fd, "A listening socket that this process inherits, instead")
      ->check(CLI::Range(0, 1 << 20))
      ->option_text("FD");
  command
      ->add_option("--max-machines", settings.max_clients, "Virtual machines to serve at a time, at most; default: 1024")
      ->check(CLI::Range(size_t{1}, size_t{1000000}))
      ->option_text("N");
  command
      ->add_option("--ready-fd", settings.ready_fd,
                   "Write READY=1 to this descriptor once virtual machines can connect, and close it")
      ->check(CLI::Range(0, 1 << 20))
      ->option_text("FD");
  command->add_option("--parent", settings.parent)->group("");
  add_machine_options(*command, settings);
  add_latency_option(*command, settings);
  add_sandbox_option(*command, settings);
  add_host_options(*command, settings);
  return command;
}

CLI::App* add_info(CLI::App& app, Settings& settings) {
  CLI::App* command = app.add_subcommand("info", "Show what guests get from this host's GPUs, and why");
  command->footer(
      "With --parity a guest's driver is asked too, and every extension, feature, limit, format, queue\n"
      "family and memory type that differs from native is listed with the reason. To ask a guest in a\n"
      "root of its own, which must share this program's folder and /tmp:\n"
      "  pvgpu info --parity --guest-command 'chroot /srv/guest'");
  command->add_flag("--json", settings.json, "For programs: one JSON object");
  auto* parity = command->add_flag("--parity", settings.parity, "Compare a guest with native instead");
  add_guest_options(*command, settings, parity);
  command
      ->add_flag("--strict", settings.strict, "Exit code 1 if a difference has no known reason")
      ->needs(parity);
  add_host_options(*command, settings);
  return command;
}

CLI::App* add_bench(CLI::App& app, Settings& settings) {
  CLI::App* command = app.add_subcommand(
      "bench", "Measure what it costs to be a guest: native, pvgpu and the peer, side by side");
  command->footer(
      "Each work runs in turn natively, through a private server of ours, and through the peer\n"
      "(virglrenderer's virgl_test_server; Debian: virgl-server) if that is installed; then the next\n"
      "round. Takes some minutes, and means something only on a machine that does nothing else.\n"
      "Of several --gpu the first counts. docs/performance.md tells what the figures mean.\n"
      "A guest in a root of its own must share this program's folder and /tmp:\n"
      "  pvgpu bench --guest-command 'chroot /srv/guest' --html bench.html");
  command->add_flag("--list", settings.list_works, "List the works and their figures, and exit");
  command->add_option("--only", settings.only, "Only this work; can be given several times")
      ->option_text("WORK")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command
      ->add_option("--rounds", settings.rounds,
                   "How often to do each work on each side; default: 5")
      ->check(CLI::Range(1, 1000))
      ->option_text("N");
  command->add_flag("--quick", settings.quick,
                    "Only see that all works run: the figures mean little");
  command->add_flag("--json", settings.json, "For programs: one JSON object, with every round");
  command->add_option("--html", settings.html, "Write a page with charts to this file too")
      ->option_text("FILE");
  add_guest_options(*command, settings);
  command
      ->add_option("--peer", settings.peer,
                   "The peer's server, a path or a name; default: virgl_test_server")
      ->option_text("PROGRAM");
  command->add_flag("--no-peer", settings.no_peer, "Without the peer");
  add_host_options(*command, settings);
  return command;
}

CLI::App* add_worker(CLI::App& app, Settings& settings) {
  CLI::App* command = app.add_subcommand("worker", "")->group("");
  command->add_flag("--probe", settings.probe);
  command->add_flag("--machine", settings.machine);
  command->add_option("--context", settings.context);
  add_machine_options(*command, settings);
  command->add_option("--supervisor", settings.supervisor)->required();
  command->add_flag("--ready", settings.ready);
  command->add_option("--guest", settings.guest.pid);
  command->add_option("--client", settings.guest.number);
  add_observation_options(*command, settings);
  add_sandbox_option(*command, settings);
  add_host_options(*command, settings);
  return command;
}

// Cuts the command line of `pvgpu run` and `pvgpu vm` at its first "--", which CLI11 would forget, and returns the
// rest with the "--".
std::vector<std::string> cut_tail(int& argc, char** argv) {
  char** end = argv + argc;
  auto is = [](std::string_view word) {
    return [word](const char* argument) { return argument == word; };
  };
  char** separator = std::find_if(argv, end, is("--"));
  if (std::find_if(argv, separator, is("run")) == separator && std::find_if(argv, separator, is("vm")) == separator) return {};
  argc = static_cast<int>(separator - argv);
  return std::vector<std::string>(separator, end);
}

// The program of `pvgpu run`: what follows "--", or begins at the first word that is no option of
// ours, in which case a "--" belongs to it.
Result<std::vector<std::string>> program_of(std::vector<std::string> words,
                                            std::vector<std::string> tail) {
  if (!words.empty() && words.front().starts_with('-')) {
    return fail("pvgpu run has no option " + words.front(),
                "pvgpu run --help shows the options; the program comes after --");
  }
  if (words.empty() && !tail.empty()) tail.erase(tail.begin());
  words.insert(words.end(), tail.begin(), tail.end());
  if (words.empty()) return fail("pvgpu run needs a program", "for example: pvgpu run -- vkcube");
  return words;
}

// The level of PVGPU_LOG, unless the command line has one.
Result<void> take_log_level_of_environment(Settings& settings) {
  const char* level = std::getenv("PVGPU_LOG");
  if (!settings.log_level.empty() || !level || !level[0]) return {};
  if (!observe::parse_level(level)) {
    return fail(std::string("PVGPU_LOG is \"") + level + "\", which is no level",
                "trace, debug, info, warn, error or off");
  }
  settings.log_level = level;
  return {};
}

int main(int argc, char** argv) {
  std::vector<std::string> tail = cut_tail(argc, argv);
  CLI::App app(kDescription, "pvgpu");
  Settings settings;
  app.set_version_flag("--version", "pvgpu " PVGPU_VERSION);
  app.add_flag("--list-gpus", settings.list_gpus, "List the host's GPUs for --gpu, and exit");
  app.require_subcommand(0, 1);
  CLI::App* run_command = add_run(app, settings);
  CLI::App* serve_command = add_serve(app, settings);
  CLI::App* device_command = add_device(app, settings);
  CLI::App* vm_command = add_vm(app, settings.vm);
  add_machine_options(*vm_command, settings);
  add_latency_option(*vm_command, settings);
  add_sandbox_option(*vm_command, settings);
  add_host_options(*vm_command, settings);
  CLI::App* qemu_args_command = add_qemu_args(app, settings.vm);
  CLI::App* info_command = add_info(app, settings);
  CLI::App* bench_command = add_bench(app, settings);
  CLI::App* worker_command = add_worker(app, settings);
  app.footer("pvgpu COMMAND --help tells about a command.");

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    return fail_with({error.what(), "pvgpu --help shows the commands and their options"});
  }
  if (auto level = take_log_level_of_environment(settings); !level) return fail_with(level.error());
  if (settings.list_gpus) return list_gpus(settings);
  if (settings.sandbox == "on" && settings.isolation == "thread")
    return fail_with({"--isolation thread leaves no process to sandbox", "leave out --sandbox on or --isolation thread"});
  if (!settings.observation.latency.empty() && settings.isolation == "thread" && (device_command->parsed() || vm_command->parsed()))
    return fail_with({"--latency measures in the workers of a virtual machine's programs, and --isolation thread has none",
                      "leave out one of them"});
  if (run_command->parsed()) {
    auto program = program_of(run_command->remaining(), std::move(tail));
    return program ? run(settings, std::move(*program)) : fail_with(program.error());
  }
  if (serve_command->parsed()) return serve(settings);
  if (device_command->parsed()) {
    if (device_command->count("--socket") + device_command->count("--fd") != 1)
      return fail_with({"pvgpu device needs either --socket or --fd", "for example: pvgpu device --socket /run/gpu.sock"});
    return device(settings);
  }
  if (vm_command->parsed()) {
    if (!vm_command->remaining().empty())
      return fail_with({"pvgpu vm has no option " + vm_command->remaining().front(), "pvgpu vm --help shows the options; QEMU's come after --"});
    if (!tail.empty()) settings.vm.more.assign(tail.begin() + 1, tail.end());
    return vm(settings, *vm_command);
  }
  if (qemu_args_command->parsed()) {
    std::puts(shell_line(qemu_arguments(settings.vm.machine)).c_str());
    return EXIT_SUCCESS;
  }
  if (info_command->parsed()) return settings.parity ? parity(settings) : info(settings);
  if (bench_command->parsed()) return bench(settings);
  if (worker_command->parsed()) return worker(settings);
  std::fputs(app.help().c_str(), stderr);
  return kExitUserError;
}

}  // namespace
}  // namespace pvgpu::cli

int main(int argc, char** argv) {
  return pvgpu::cli::main(argc, argv);
}
