// The log: one line an event, to standard error, levelled, coloured only on a terminal.
// Thread-safe. A line is built only when its level is enabled. Formatting is fmt's: LOG_INFO("ring
// {} idle", id).
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string_view>

namespace pvgpu::observe {

enum class Level { kTrace, kDebug, kInfo, kWarn, kError, kOff };

// nullopt for a word that is no level ("trace", "debug", "info", "warn", "error", "off").
std::optional<Level> parse_level(std::string_view word);
std::string_view level_name(Level level);

void set_level(Level level);
bool enabled(Level level);
// Shown in every line of this process, such as the guest process's name. Set before threads start.
void set_tag(std::string_view tag);
void write(Level level, std::string_view line);

template <class... Args>
void log(Level level, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(level)) write(level, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace pvgpu::observe

#define LOG_TRACE(...) ::pvgpu::observe::log(::pvgpu::observe::Level::kTrace, __VA_ARGS__)
#define LOG_DEBUG(...) ::pvgpu::observe::log(::pvgpu::observe::Level::kDebug, __VA_ARGS__)
#define LOG_INFO(...) ::pvgpu::observe::log(::pvgpu::observe::Level::kInfo, __VA_ARGS__)
#define LOG_WARN(...) ::pvgpu::observe::log(::pvgpu::observe::Level::kWarn, __VA_ARGS__)
#define LOG_ERROR(...) ::pvgpu::observe::log(::pvgpu::observe::Level::kError, __VA_ARGS__)
