// pvgpu-bench-client, which `pvgpu bench` starts: natively, and in a guest's system, where nothing
// of ours is installed. So it needs the C library alone, and finds Mesa's Venus driver by itself.
// It does one work, prints what it measured as a line of JSON, and ends; a driver that never
// returns is ended by the alarm.
//
//   pvgpu-bench-client --work NAME --deadline SECONDS [--quick] [--loader FILE] [--gpu NAME] [--nth
//   N]
//                      [--socket PATH] [--icd FILE] [--software-wsi]
//
// With --socket it is a guest of the vtest server there; otherwise this environment chooses the
// drivers.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "bench/client/failure.h"
#include "bench/client/works.h"
#include "bench/works.h"
#include "cli/guest_environment.h"
#include "describe/icd.h"

extern char** environ;  // POSIX has it, and not every system a header for it

namespace pvgpu::bench::client {
namespace {

constexpr int kUsage = 2;

struct Options {
  std::map<std::string, std::string, std::less<>> values;

  bool has(std::string_view name) const { return values.contains(name); }
  std::string get(std::string_view name) const {
    const auto found = values.find(name);
    return found == values.end() ? std::string() : found->second;
  }
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const bool takes_value = name != "--quick" && name != "--software-wsi";
    options.values[name] = takes_value && i + 1 < argc ? argv[++i] : "";
  }
  return options;
}

void (*function_of(std::string_view work))(Bench&) {
  static const std::map<std::string_view, void (*)(Bench&)> functions = {
      {"start-up", start_up},
      {"round-trip", round_trip},
      {"round-trip-idle", round_trip_idle},
      {"submit", submit},
      {"submit-idle", submit_idle},
      {"wait", wait},
      {"record", record},
      {"threads", threads},
      {"draws", draws},
      {"descriptors", descriptors},
      {"objects", objects},
      {"pipelines", pipelines},
      {"memory", memory},
      {"transfer", transfer},
      {"device-memory", device_memory},
      {"present", present},
  };
  const auto found = functions.find(work);
  return found == functions.end() ? nullptr : found->second;
}

// Makes the loader find the Venus driver, and the driver the socket.
void become_guest(const Options& options) {
  cli::GuestSettings settings;
  settings.socket_path = options.get("--socket");
  settings.software_wsi = options.has("--software-wsi");
  settings.icds = {options.get("--icd")};
  if (settings.icds.front().empty()) {
    auto found = describe::find_virtio_icds(
        describe::icd_folders([](const char* name) -> const char* { return std::getenv(name); }));
    if (!found) fail(found.error().what);
    settings.icds = *found;
  }
  std::vector<std::string> current;
  for (char** entry = environ; *entry; ++entry) current.emplace_back(*entry);
  const std::vector<std::string> wanted = cli::guest_environment(current, settings);
  for (const std::string& entry : current) ::unsetenv(entry.substr(0, entry.find('=')).c_str());
  for (const std::string& entry : wanted) {
    const size_t equals = entry.find('=');
    ::setenv(entry.substr(0, equals).c_str(), entry.c_str() + equals + 1, 1);
  }
}

void print(const Outcome& outcome) {
  const std::string line = to_json_line(outcome);
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  const Work* work = find_work(options.get("--work"));
  const auto function = work ? function_of(work->name) : nullptr;
  const int deadline = std::atoi(options.get("--deadline").c_str());
  if (!function || deadline <= 0) {
    std::fputs("started by pvgpu bench; see pvgpu bench --help\n", stderr);
    return kUsage;
  }
  ::alarm(static_cast<unsigned>(deadline));

  Outcome outcome;
  on_failure([&](const std::string& why) {
    outcome.failure = why;
    print(outcome);
  });
  if (options.has("--socket")) become_guest(options);
  {
    const auto nth = static_cast<uint32_t>(std::atoi(options.get("--nth").c_str()));
    Bench bench({.loader = options.get("--loader"), .name = options.get("--gpu"), .nth = nth},
                options.has("--quick"), outcome);
    function(bench);
  }
  for (const Figure& figure : work->figures) {
    if (!outcome.figures.contains(figure.name))
      fail(std::string(figure.name) + " was not measured");
  }
  print(outcome);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace pvgpu::bench::client

int main(int argc, char** argv) {
  return pvgpu::bench::client::main(argc, argv);
}
