// restrict_files by Landlock: a list of what may be done where, checked by the kernel whenever a path is used.
#include <fcntl.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string_view>

#include "platform/fd.h"
#include "platform/linux/sandbox.h"
#include "platform/process.h"
#include "platform/sandbox.h"
#include "platform/system_call.h"

namespace pvgpu::platform {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kRead = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr uint64_t kWrite = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE;
constexpr uint64_t kCreate = kWrite | LANDLOCK_ACCESS_FS_MAKE_REG;
constexpr uint64_t kDevice = kRead | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_IOCTL_DEV;
constexpr uint64_t kCache = kRead | kCreate | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                            LANDLOCK_ACCESS_FS_REFER;
// Of what is no folder.
constexpr uint64_t kOfFiles = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | kWrite | LANDLOCK_ACCESS_FS_IOCTL_DEV;

// Devices of GPUs as the drivers of Linux call them, by how their names begin, and those that hold nothing.
constexpr std::string_view kDevices[] = {"dri",    "nvidia", "kfd",   "dxg", "udmabuf", "dma_heap", "mali",   "kgsl",
                                         "nvhost", "nvmap",  "nvgpu", "pvr", "null",    "zero",     "random", "urandom"};
// Where drivers keep compiled shaders, below the user's cache folder.
constexpr std::string_view kCaches[] = {"mesa_shader_cache",    "mesa_shader_cache_db", "mesa_shader_cache_sf",
                                        "radv_builtin_shaders", "nvidia",               "AMD"};

// The version of Landlock's interface; 0: there is none.
int landlock_version() {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version > 0 ? static_cast<int>(version) : 0;
}

// All that `version` can refuse.
landlock_ruleset_attr everything(int version) {
  landlock_ruleset_attr all{};
  all.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
  if (version >= 2) all.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER;
  if (version >= 3) all.handled_access_fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
  if (version >= 4) all.handled_access_net = LANDLOCK_ACCESS_NET_BIND_TCP | LANDLOCK_ACCESS_NET_CONNECT_TCP;
  if (version >= 5) all.handled_access_fs |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
  if (version >= 6) all.scoped = LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | LANDLOCK_SCOPE_SIGNAL;
  if (kSanitized) all.handled_access_fs &= ~uint64_t{LANDLOCK_ACCESS_FS_EXECUTE};
  return all;
}

class Rules {
 public:
  static Result<Rules> create(int version) {
    const landlock_ruleset_attr all = everything(version);
    UniqueFd fd(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0)));
    if (!fd.valid()) return system_error("cannot create Landlock rules", errno);
    return Rules(std::move(fd), all.handled_access_fs);
  }

  // What does not exist needs no rule: it cannot come to be.
  void allow(const fs::path& path, uint64_t access) {
    const UniqueFd fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
    struct statx status{};
    // Of folders on other machines, what is known here: they may not answer.
    if (!fd.valid() || ::statx(fd.get(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &status) != 0) return;
    if (!S_ISDIR(status.stx_mode)) access &= kOfFiles;
    const landlock_path_beneath_attr rule{.allowed_access = access & handled_, .parent_fd = fd.get()};
    if (rule.allowed_access == 0 || ::syscall(SYS_landlock_add_rule, fd_.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0) return;
    // Of pipes and the like, which Landlock leaves alone.
    if (errno != EBADFD && error_ == 0) error_ = errno;
  }

  Result<void> enforce() const {
    if (error_ != 0) return system_error("cannot add Landlock rules", error_);
    if (::syscall(SYS_landlock_restrict_self, fd_.get(), 0) != 0) return system_error("cannot enforce Landlock rules", errno);
    return {};
  }

 private:
  Rules(UniqueFd fd, uint64_t handled) : fd_(std::move(fd)), handled_(handled) {}

  UniqueFd fd_;
  uint64_t handled_;
  int error_ = 0;
};

bool begins_like(std::string_view name, std::span<const std::string_view> beginnings) {
  return std::ranges::any_of(beginnings, [&](std::string_view beginning) { return name.starts_with(beginning); });
}

// False if `folder` cannot be listed.
bool for_each_entry(const fs::path& folder, auto action) {
  std::error_code error;
  for (auto it = fs::directory_iterator(folder, error); !error && it != fs::directory_iterator(); it.increment(error)) action(it->path());
  return !error;
}

// Everything may be read but devices, whose reading can be more than that: what is typed, what disks hold.
void allow_reading(Rules& rules) {
  const bool listed = for_each_entry("/", [&](const fs::path& path) {
    if (path != "/dev") rules.allow(path, kRead);
  });
  if (!listed) rules.allow("/", kRead);
  rules.allow("/dev", LANDLOCK_ACCESS_FS_READ_DIR);
}

void allow_devices(Rules& rules) {
  for_each_entry("/dev", [&](const fs::path& path) {
    if (begins_like(path.filename().native(), kDevices)) rules.allow(path, kDevice);
  });
  rules.allow("/dev/shm", kCache);  // POSIX shared memory
}

fs::path of_environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// Those that exist: the driver has made its own when the server tried it.
void allow_caches(Rules& rules) {
  std::vector<fs::path> folders = {of_environment("MESA_SHADER_CACHE_DIR"), of_environment("MESA_GLSL_CACHE_DIR"), of_environment("XDG_CACHE_HOME")};
  // Mesa asks the users' database for the home, others the environment.
  std::vector<fs::path> homes = {of_environment("HOME")};
  if (const passwd* user = ::getpwuid(::getuid())) homes.emplace_back(user->pw_dir);
  for (const fs::path& home : homes) {
    if (home.empty()) continue;
    folders.push_back(home / ".cache");
    rules.allow(home / ".nv", kCache);
  }
  for (const fs::path& folder : folders) {
    if (folder.empty()) continue;
    for (const std::string_view name : kCaches) rules.allow(folder / name, kCache);
  }
  if (const fs::path folder = of_environment("__GL_SHADER_DISK_CACHE_PATH"); !folder.empty()) rules.allow(folder, kCache);
}

void allow_file(Rules& rules, const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::exists(status) && !fs::is_regular_file(status)) return rules.allow(path, kWrite);
  rules.allow(path.has_parent_path() ? path.parent_path() : fs::path("."), kCreate);
}

}  // namespace

const bool kSandboxIsTried = true;

Result<std::string> file_restriction() {
  if (const int version = landlock_version()) return "Landlock " + std::to_string(version);
  return fail("this kernel has no Landlock", "Linux 5.13 and later has it, unless its lsm= parameter leaves it out");
}

Result<void> restrict_files(const std::vector<std::string>& files) {
  if (!kSanitized && current_usage().threads > 1) return fail("cannot restrict what files are written: other threads exist already");
  if (auto given_up = give_up_new_privileges(); !given_up) return given_up;
  // Some of them are ways around the rules below.
  if (auto given_up = give_up_capabilities(); !given_up) return given_up;
  if (const auto possible = file_restriction(); !possible) return std::unexpected(possible.error());
  auto rules = Rules::create(landlock_version());
  if (!rules) return std::unexpected(rules.error());
  allow_reading(*rules);
  allow_devices(*rules);
  allow_caches(*rules);
  for (const std::string& file : files) allow_file(*rules, file);
  return rules->enforce();
}

}  // namespace pvgpu::platform
