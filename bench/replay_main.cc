// pvgpu_replay: how fast recorded streams are decoded. See docs/performance.md.
#include <valgrind/callgrind.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>

#include "observe/log.h"
#include "replay.h"

namespace {

using namespace pvgpu;

int complain(const Error& error) {
  fmt::print(stderr, "pvgpu_replay: {}\n", error.what);
  return 1;
}

void print_commands(const bench::Replay::Counts& counts) {
  std::vector<std::pair<uint64_t, std::string>> sorted;
  for (const auto& [name, times] : counts.by_name) sorted.emplace_back(times, name);
  std::ranges::sort(sorted, std::greater{});
  for (const auto& [times, name] : sorted) fmt::print("{:10} {}\n", times, name);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Decodes a recording (pvgpu run --record FILE) on a driver that does nothing, as fast as possible");
  std::string path;
  int repeat = 5;
  bool uncounted = false, list = false;
  app.add_option("FILE", path, "The recording")->required();
  app.add_option("--repeat", repeat, "How often; the fastest counts")->check(CLI::Range(1, 1000000));
  app.add_flag("--uncounted", uncounted, "Only execute, once: for callgrind, with --instr-atstart=no --collect-atstart=no");
  app.add_flag("--list", list, "How often each command is in it");
  CLI11_PARSE(app, argc, argv);
  observe::set_level(observe::Level::kError);
  const auto replay = bench::Replay::load(path);
  if (!replay) return complain(replay.error());
  if (!replay->whole()) fmt::print(stderr, "pvgpu_replay: the recording ends in the middle\n");

  if (uncounted) {
    CALLGRIND_START_INSTRUMENTATION;
    const auto toggle = [] { CALLGRIND_TOGGLE_COLLECT; };
    const auto done = replay->run({.begin = toggle, .end = toggle});
    return done ? 0 : complain(done.error());
  }

  const auto counts = replay->count();
  if (list) {
    print_commands(counts);
    return 0;
  }
  double best = 0;
  for (int i = 0; i < repeat; ++i) {
    std::chrono::steady_clock::time_point start;
    std::chrono::steady_clock::duration total{};
    const auto done = replay->run({.begin = [&] { start = std::chrono::steady_clock::now(); },
                                   .end = [&] { total += std::chrono::steady_clock::now() - start; }});
    if (!done) return complain(done.error());
    const double seconds = std::chrono::duration<double>(total).count();
    if (best == 0 || seconds < best) best = seconds;
  }
  fmt::print("{} commands, {} bytes: {:.4f} s, {:.2f} M commands/s, {:.0f} MB/s\n", counts.commands, counts.bytes, best,
             static_cast<double>(counts.commands) / best / 1e6, static_cast<double>(counts.bytes) / best / 1e6);
  return 0;
}
