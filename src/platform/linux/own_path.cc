#include "platform/own_path.h"

#include <filesystem>
#include <system_error>

namespace pvgpu::platform {

std::string own_path() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).string();
}

}  // namespace pvgpu::platform
