#include "platform/own_path.h"

#include <mach-o/dyld.h>

#include <cstdint>
#include <filesystem>
#include <system_error>

namespace pvgpu::platform {

std::string own_path() {
  uint32_t size = 0;
  ::_NSGetExecutablePath(nullptr, &size);
  std::string path(size, '\0');
  if (::_NSGetExecutablePath(path.data(), &size) != 0) return "";
  std::error_code error;
  return std::filesystem::canonical(path.c_str(), error).string();
}

}  // namespace pvgpu::platform
