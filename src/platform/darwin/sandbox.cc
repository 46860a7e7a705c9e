// By the profile language that macOS's own services are restricted with. Apple calls the function deprecated, and has nothing in its
// place for a process that is no application. Never run on a Mac yet.
#include <dlfcn.h>
#include <unistd.h>

#include <climits>
#include <cstdint>
#include <cstdlib>
#include <filesystem>

#include "platform/sandbox.h"

namespace pvgpu::platform {
namespace {

// sandbox_init(3), whose header is not everywhere. `flags` 0: `profile` is a profile's text.
using SandboxInit = int (*)(const char* profile, uint64_t flags, char** error);

SandboxInit sandbox_init() { return reinterpret_cast<SandboxInit>(::dlsym(RTLD_DEFAULT, "sandbox_init")); }

// What drivers need beside files is left: IOKit, Metal's compiler (a service), shared memory.
constexpr const char* kProfile =
    "(version 1)\n"
    "(allow default)\n"
    "(deny process-exec*)\n"
    "(deny process-fork)\n"
    "(deny signal (target others))\n"
    "(deny network*)\n"
    "(deny file-write*)\n"
    "(allow file-write-data file-ioctl (literal \"/dev/null\") (literal \"/dev/zero\"))\n";

std::string quoted(const std::string& path) {
  std::string text = "\"";
  for (const char c : path) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

// Paths are compared as they are without links: /private/var, not /var.
std::string real(const std::string& path) {
  std::error_code error;
  const auto resolved = std::filesystem::weakly_canonical(path, error);
  return error ? path : resolved.string();
}

std::string of_configuration(int name) {
  char path[PATH_MAX] = "";
  const size_t size = ::confstr(name, path, sizeof path);
  return size > 0 && size <= sizeof path ? path : "";
}

std::string profile(const std::vector<std::string>& files) {
  std::string text = kProfile;
  // Metal's cache of shaders, and what it compiles by way of.
  for (const int name : {_CS_DARWIN_USER_CACHE_DIR, _CS_DARWIN_USER_TEMP_DIR})
    if (const std::string folder = of_configuration(name); !folder.empty())
      text += "(allow file-write* (subpath " + quoted(real(folder)) + "))\n";
  // Later guests' recordings have a number at the end.
  for (const std::string& file : files) text += "(allow file-write* (prefix " + quoted(real(file)) + "))\n";
  return text;
}

std::string& text_to_enforce() {
  static std::string text;
  return text;
}

Result<std::string> restriction() {
  if (sandbox_init()) return "a sandbox profile";
  return fail("this system has no sandbox_init");
}

}  // namespace

const bool kSandboxIsTried = false;

Result<std::string> file_restriction() { return restriction(); }
Result<std::string> call_restriction() { return restriction(); }

// A process can take one profile in all its life, for all threads: it is taken when the driver is loaded.
Result<void> restrict_files(const std::vector<std::string>& files) {
  if (auto possible = restriction(); !possible) return std::unexpected(possible.error());
  text_to_enforce() = profile(files);
  return {};
}

Result<void> restrict_calls() {
  const SandboxInit enforce = sandbox_init();
  char* error = nullptr;
  if (enforce && enforce(text_to_enforce().c_str(), 0, &error) == 0) return {};
  return fail(std::string("the system does not take the sandbox profile: ") + (error ? error : "no reason told"));
}

}  // namespace pvgpu::platform
