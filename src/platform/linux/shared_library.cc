#include "platform/shared_library.h"

#include <dlfcn.h>

namespace pvgpu::platform {

void* open_shared_library(const std::string& name, int version, std::string& error) {
  void* library = ::dlopen(("lib" + name + ".so." + std::to_string(version)).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) error = ::dlerror();
  return library;
}

}  // namespace pvgpu::platform
