#include "host/loader.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>

#include "observe/log.h"
#include "platform/vulkan_library.h"

namespace pvgpu::host {
namespace {

constexpr const char* kLoaderVariable = "PVGPU_VULKAN_LOADER";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

void* open_library(const char* name, std::string& errors) {
  void* library = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char* error = ::dlerror();
    if (!errors.empty()) errors += "; ";
    errors += error ? error : name;
  }
  return library;
}

std::string file_of(void* symbol, const std::string& otherwise) {
  Dl_info info{};
  if (::dladdr(symbol, &info) != 0 && info.dli_fname) return info.dli_fname;
  return otherwise;
}

template <class Function>
Function global_function(PFN_vkGetInstanceProcAddr get, const char* name) {
  return reinterpret_cast<Function>(get(nullptr, name));
}

std::vector<VkExtensionProperties> enumerate_extensions(PFN_vkGetInstanceProcAddr get) {
  auto enumerate = global_function<PFN_vkEnumerateInstanceExtensionProperties>(
      get, "vkEnumerateInstanceExtensionProperties");
  std::vector<VkExtensionProperties> extensions;
  if (!enumerate) return extensions;
  uint32_t count = 0;
  VkResult result = VK_INCOMPLETE;
  while (result == VK_INCOMPLETE) {  // the list may grow between the two calls
    if (enumerate(nullptr, &count, nullptr) != VK_SUCCESS) return {};
    extensions.resize(count);
    result = enumerate(nullptr, &count, extensions.data());
  }
  if (result != VK_SUCCESS) return {};
  extensions.resize(count);
  return extensions;
}

}  // namespace

Result<Loader> Loader::open(const std::string& path) {
  const std::string wanted = path.empty() ? environment(kLoaderVariable) : path;
  std::string errors;
  void* library = nullptr;
  std::string name = wanted;
  if (!wanted.empty()) {
    library = open_library(wanted.c_str(), errors);
  } else {
    for (const char* candidate : platform::vulkan_library_names()) {
      name = candidate;
      library = open_library(candidate, errors);
      if (library) break;
    }
  }
  if (!library) {
    return fail(fmt::format("cannot open the Vulkan loader: {}", errors), platform::kInstallVulkanLoader);
  }
  void* symbol = ::dlsym(library, "vkGetInstanceProcAddr");
  if (!symbol) {
    ::dlclose(library);
    return fail(fmt::format("{} is not a Vulkan loader: it has no vkGetInstanceProcAddr", name),
                platform::kInstallVulkanLoader);
  }
  Loader loader;
  loader.get_ = reinterpret_cast<PFN_vkGetInstanceProcAddr>(symbol);
  loader.path_ = file_of(symbol, name);
  auto version =
      global_function<PFN_vkEnumerateInstanceVersion>(loader.get_, "vkEnumerateInstanceVersion");
  if (!version || version(&loader.instance_version_) != VK_SUCCESS ||
      loader.instance_version_ < VK_API_VERSION_1_1) {
    return fail(fmt::format("the Vulkan loader {} knows Vulkan 1.0 only", loader.path_),
                "install a newer Vulkan loader");
  }
  loader.extensions_ = enumerate_extensions(loader.get_);
  LOG_DEBUG("Vulkan loader {}, instance level {}.{}.{}", loader.path_,
            VK_API_VERSION_MAJOR(loader.instance_version_),
            VK_API_VERSION_MINOR(loader.instance_version_),
            VK_API_VERSION_PATCH(loader.instance_version_));
  return loader;
}

std::string no_driver_hint() {
  for (const char* variable : {"VK_DRIVER_FILES", "VK_ICD_FILENAMES"}) {
    const std::string files = environment(variable);
    if (files.empty()) continue;
    std::string looked_at;
    std::istringstream list(files);
    for (std::string file; std::getline(list, file, ':');) {
      if (file.empty()) continue;
      if (!looked_at.empty()) looked_at += ", ";
      looked_at += file;
      looked_at += ::access(file.c_str(), R_OK) == 0 ? " (gives no device)" : " (cannot be read)";
    }
    return fmt::format(
        "{} is set and names: {}; correct or unset it, VK_LOADER_DEBUG=all tells more", variable,
        looked_at);
  }
  return platform::kInstallVulkanDriver;
}

}  // namespace pvgpu::host
