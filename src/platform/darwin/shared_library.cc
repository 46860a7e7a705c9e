#include "platform/shared_library.h"

#include <dlfcn.h>

namespace pvgpu::platform {

void* open_shared_library(const std::string& name, int version, std::string& error) {
  // Under the hardened runtime a bare name is looked for in the system's folders only: so Homebrew's are named.
  for (const char* folder : {"", "/opt/homebrew/lib/", "/usr/local/lib/"}) {
    const std::string path = folder + ("lib" + name + "." + std::to_string(version)) + ".dylib";
    if (void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) return library;
    error = ::dlerror();
  }
  return nullptr;
}

}  // namespace pvgpu::platform
