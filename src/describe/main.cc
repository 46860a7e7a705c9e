// pvgpu-describe, which `pvgpu info --parity` starts: natively, and in the guest's system, where nothing of ours is installed.
// So it needs the C library alone, and finds Mesa's Venus driver by itself.
//
//   pvgpu-describe native [LOADER]         the Vulkan drivers that this environment chooses
//   pvgpu-describe guest SOCKET [ICD]      Mesa's Venus driver, on the vtest server at SOCKET
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "describe/driver.h"
#include "describe/icd.h"

namespace pvgpu::describe {
namespace {

constexpr int kFailed = 2;

int fail_with(const Error& error) {
  std::fprintf(stderr, "pvgpu-describe: %s\n", error.what.c_str());
  if (!error.hint.empty()) std::fprintf(stderr, "  hint: %s\n", error.hint.c_str());
  return kFailed;
}

// Makes the loader find the Venus driver, and the driver the socket.
Result<void> become_guest(const std::string& socket, const std::string& icd) {
  std::string icds = icd;
  if (icds.empty()) {
    const auto found = find_virtio_icds(icd_folders([](const char* name) { return std::getenv(name); }));
    if (!found) return std::unexpected(found.error());
    for (const std::string& path : *found) icds += (icds.empty() ? "" : ":") + path;
  }
  ::setenv("VK_DRIVER_FILES", icds.c_str(), 1);
  ::setenv("VK_ICD_FILENAMES", icds.c_str(), 1);  // loaders before 1.3.207
  ::unsetenv("VK_LOADER_DRIVERS_SELECT");
  ::unsetenv("VK_LOADER_DRIVERS_DISABLE");
  const char* debug = std::getenv("VN_DEBUG");
  ::setenv("VN_DEBUG", debug && debug[0] ? (std::string(debug) + ",vtest").c_str() : "vtest", 1);
  ::setenv("VTEST_SOCKET_NAME", socket.c_str(), 1);
  return {};
}

int main(const std::vector<std::string>& arguments) {
  const auto at = [&](size_t i) { return i < arguments.size() ? arguments[i] : std::string(); };
  const bool guest = at(0) == "guest" && !at(1).empty();
  if (!guest && at(0) != "native") return fail_with({"started by pvgpu info --parity; see pvgpu info --help", ""});
  if (guest) {
    if (auto became = become_guest(at(1), at(2)); !became) return fail_with(became.error());
  }
  const Result<Description> description = describe_driver(guest ? "" : at(1));
  if (!description) return fail_with(description.error());
  const std::string text = to_text(*description);
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0 ? EXIT_SUCCESS : kFailed;
}

}  // namespace
}  // namespace pvgpu::describe

int main(int argc, char** argv) { return pvgpu::describe::main({argv + 1, argv + argc}); }
