#include "observe/log.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <string>
#include <utility>

#include "observe/log_line.h"
#include "observe/log_sink.h"
#include "platform/system_call.h"

namespace pvgpu::observe {
namespace {

struct NamedLevel {
  std::string_view name;
  Level level;
};
constexpr std::array<NamedLevel, 6> kLevels = {{{"trace", Level::kTrace},
                                                {"debug", Level::kDebug},
                                                {"info", Level::kInfo},
                                                {"warn", Level::kWarn},
                                                {"error", Level::kError},
                                                {"off", Level::kOff}}};

// Relaxed: a line more or less around a change of the level is no harm.
std::atomic<Level> current_level{Level::kInfo};

std::string& tag() {
  static std::string value;
  return value;
}

struct SinkState {
  std::mutex mutex;  // held while the sink runs
  Sink sink;
};
// Never destroyed: threads of drivers may outlive main().
SinkState& sink_state() {
  static auto* state = new SinkState;
  return *state;
}

// False: there is no sink.
bool give_to_sink(Level level, std::string_view line) {
  SinkState& state = sink_state();
  std::lock_guard lock(state.mutex);
  if (!state.sink) return false;
  state.sink(level, printable(line).c_str());
  return true;
}

bool colour_wanted() {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && (!no_colour || no_colour[0] == '\0') &&
         (!terminal || std::string_view(terminal) != "dumb");
}

}  // namespace

std::optional<Level> parse_level(std::string_view word) {
  for (const NamedLevel& entry : kLevels) {
    if (entry.name == word) return entry.level;
  }
  return std::nullopt;
}

std::string_view level_name(Level level) {
  for (const NamedLevel& entry : kLevels) {
    if (entry.level == level) return entry.name;
  }
  return "off";
}

void set_level(Level level) {
  current_level.store(level, std::memory_order_relaxed);
}

bool enabled(Level level) {
  return level != Level::kOff && level >= current_level.load(std::memory_order_relaxed);
}

void set_tag(std::string_view value) {
  tag() = value;
}

void set_sink(Sink sink) {
  SinkState& state = sink_state();
  std::lock_guard lock(state.mutex);
  state.sink = std::move(sink);
}

void write(Level level, std::string_view line) {
  if (give_to_sink(level, line)) return;
  static const bool colour = colour_wanted();
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  std::string out = format_line(level, tag(), line, now, colour);
  // One write for the line, so that lines of several threads and processes do not mix. A pipe may
  // still take a long line in parts; an error means that nobody can read the log.
  std::string_view left = out;
  while (!left.empty()) {
    auto written =
        platform::retry([&] { return ::write(STDERR_FILENO, left.data(), left.size()); });
    if (written <= 0) return;
    left.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace pvgpu::observe
