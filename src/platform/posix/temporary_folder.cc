#include "platform/temporary_folder.h"

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "platform/system_call.h"

namespace pvgpu::platform {

std::string temporary_base() {
  for (const char* variable : {"XDG_RUNTIME_DIR", "TMPDIR"}) {
    const char* value = ::getenv(variable);
    if (value && value[0] == '/' && ::access(value, W_OK | X_OK) == 0) return value;
  }
  return "/tmp";
}

Result<TemporaryFolder> TemporaryFolder::create() {
  const std::string base = temporary_base();
  std::string path = base + "/pvgpu-XXXXXX";
  if (!::mkdtemp(path.data())) return system_error("cannot create a folder in " + base, errno);
  return TemporaryFolder(std::move(path));
}

TemporaryFolder::TemporaryFolder(TemporaryFolder&& other) noexcept
    : path_(std::exchange(other.path_, "")) {}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace pvgpu::platform
