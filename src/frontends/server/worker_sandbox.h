// What a worker that holds a guest's context may do besides (platform/sandbox.h): whether it is restricted is the user's choice,
// which each process below a server, a machine or a VMM is told. Main threads.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/profile.h"
#include "platform/error.h"

namespace pvgpu::frontends::server {

enum class SandboxMode {
  kOff,
  kAuto,  // as far as this system can, where it has been tried: on this system, with this driver
  kOn,    // wholly, or no guest is served
};

// nullopt for a word that is no mode ("off", "auto", "on").
std::optional<SandboxMode> parse_sandbox_mode(std::string_view word);
std::string_view sandbox_mode_name(SandboxMode mode);

// Whether the sandbox was ever tried with a driver of this kind: so far with those that need no GPU, and with NVIDIA's.
bool is_tried(const host::DriverProfile& driver);

// What workers get on this system, for people: "files by Landlock 7, system calls by seccomp", or what they lack.
std::string describe_sandbox(SandboxMode mode);

// Before any worker is started: an error if `mode` asks for what this system has not; a warning in the log if it has only a part of
// what it could have.
Result<void> check_sandbox(SandboxMode mode);

class WorkerSandbox {
 public:
  explicit WorkerSandbox(SandboxMode mode) : mode_(mode) {}

  // Before the rest: the drivers that the worker will load. With one that kAuto was never tried with there is no sandbox, and the log
  // says so.
  void meet(std::span<const host::DriverProfile> drivers);
  // In this order, each once; platform/sandbox.h tells when, and what `files` are. False, after a line in the log: the guest must not be
  // served.
  bool restrict_files(const std::vector<std::string>& files);
  bool restrict_calls();

 private:
  bool take(std::string_view what, const Result<std::string>& possible, const Result<void>& restricted);

  SandboxMode mode_;
  std::vector<std::string> in_force_;
};

}  // namespace pvgpu::frontends::server
