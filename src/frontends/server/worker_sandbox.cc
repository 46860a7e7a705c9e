#include "frontends/server/worker_sandbox.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "observe/log.h"
#include "platform/sandbox.h"

namespace pvgpu::frontends::server {
namespace {

constexpr std::array<std::pair<SandboxMode, std::string_view>, 3> kNames = {
    {{SandboxMode::kOff, "off"}, {SandboxMode::kAuto, "auto"}, {SandboxMode::kOn, "on"}}};

constexpr std::string_view kFiles = "files", kCalls = "system calls";

bool is_wanted(SandboxMode mode) {
  return mode == SandboxMode::kOn || (mode == SandboxMode::kAuto && platform::kSandboxIsTried);
}

std::string part(std::string_view what, const Result<std::string>& possible) {
  return possible ? fmt::format("{} by {}", what, *possible) : fmt::format("{} not restricted: {}", what, possible.error().what);
}

}  // namespace

std::optional<SandboxMode> parse_sandbox_mode(std::string_view word) {
  for (const auto& [mode, name] : kNames)
    if (name == word) return mode;
  return std::nullopt;
}

std::string_view sandbox_mode_name(SandboxMode mode) {
  for (const auto& [known, name] : kNames)
    if (known == mode) return name;
  return "";
}

bool is_tried(const host::DriverProfile& driver) {
  return driver.device_type == VK_PHYSICAL_DEVICE_TYPE_CPU || driver.driver_id == VK_DRIVER_ID_NVIDIA_PROPRIETARY;
}

void WorkerSandbox::meet(std::span<const host::DriverProfile> drivers) {
  const auto untried = std::ranges::find_if_not(drivers, is_tried);
  if (mode_ != SandboxMode::kAuto || untried == drivers.end()) return;
  LOG_INFO("not sandboxed: that was never tried with a driver like that of {}; --sandbox on does it", untried->identity.name);
  mode_ = SandboxMode::kOff;
}

std::string describe_sandbox(SandboxMode mode) {
  const auto files = platform::file_restriction(), calls = platform::call_restriction();
  if (!files && !calls) return fmt::format("none: {}", files.error().what == calls.error().what
                                                            ? files.error().what
                                                            : fmt::format("{}, {}", files.error().what, calls.error().what));
  if (!is_wanted(mode)) return mode == SandboxMode::kOff ? "off" : "not on by itself, since it was never tried on this system; --sandbox on";
  return fmt::format("{}, {}", part(kFiles, files), part(kCalls, calls));
}

Result<void> check_sandbox(SandboxMode mode) {
  const auto files = platform::file_restriction(), calls = platform::call_restriction();
  if (files && calls) return {};
  if (mode == SandboxMode::kOn) {
    const Error& missing = files ? calls.error() : files.error();
    return fail("workers cannot be sandboxed: " + missing.what, "--sandbox auto restricts them as far as this system can");
  }
  if (is_wanted(mode)) LOG_WARN("guests that break into the driver have more in their reach than they should: {}", describe_sandbox(mode));
  return {};
}

bool WorkerSandbox::take(std::string_view what, const Result<std::string>& possible, const Result<void>& restricted) {
  if (restricted) {
    in_force_.push_back(part(what, possible));
    return true;
  }
  // What the system has not was told when the server started.
  if (mode_ == SandboxMode::kAuto && !possible) return true;
  const std::string problem = fmt::format("{} could not be restricted: {}", what, restricted.error().what);
  if (mode_ == SandboxMode::kAuto) {
    LOG_WARN("the guest is served though {}", problem);
    return true;
  }
  LOG_ERROR("the guest is not served: {}; --sandbox auto would", problem);
  return false;
}

bool WorkerSandbox::restrict_files(const std::vector<std::string>& files) {
  if (!is_wanted(mode_)) return true;
  return take(kFiles, platform::file_restriction(), platform::restrict_files(files));
}

bool WorkerSandbox::restrict_calls() {
  if (!is_wanted(mode_)) return true;
  const bool fine = take(kCalls, platform::call_restriction(), platform::restrict_calls());
  if (fine && !in_force_.empty()) LOG_DEBUG("sandboxed: {}", fmt::join(in_force_, ", "));
  return fine;
}

}  // namespace pvgpu::frontends::server
