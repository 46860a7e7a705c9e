#include "bench/client/vulkan.h"

#include <dlfcn.h>

#include "bench/client/failure.h"

namespace pvgpu::bench::client {

void Vulkan::load(const std::string& loader) {
  void* library = nullptr;
  for (const char* name : {loader.c_str(), "libvulkan.so.1", "libvulkan.1.dylib"}) {
    if (!library && name[0]) library = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!loader.empty()) break;
  }
  if (!library) fail("there is no Vulkan loader");
  GetInstanceProcAddr =
      reinterpret_cast<PFN_vkGetInstanceProcAddr>(::dlsym(library, "vkGetInstanceProcAddr"));
  if (!GetInstanceProcAddr) fail("the Vulkan loader has no vkGetInstanceProcAddr");
  CreateInstance =
      reinterpret_cast<PFN_vkCreateInstance>(GetInstanceProcAddr(nullptr, "vkCreateInstance"));
  EnumerateInstanceExtensionProperties =
      reinterpret_cast<PFN_vkEnumerateInstanceExtensionProperties>(
          GetInstanceProcAddr(nullptr, "vkEnumerateInstanceExtensionProperties"));
}

// Expands to nothing for the functions that are loaded elsewhere.
#define NOT_HERE(name)

void Vulkan::load_instance(VkInstance instance) {
#define LOAD(name) name = reinterpret_cast<PFN_vk##name>(GetInstanceProcAddr(instance, "vk" #name));
#define INSTANCE_FUNCTION LOAD
#define DEVICE_FUNCTION NOT_HERE
#define WINDOW_FUNCTION LOAD
#include "bench/client/functions.inc"
#undef LOAD
}

void Vulkan::load_device(VkDevice device) {
#define LOAD(name) name = reinterpret_cast<PFN_vk##name>(GetDeviceProcAddr(device, "vk" #name));
#define INSTANCE_FUNCTION NOT_HERE
#define DEVICE_FUNCTION LOAD
#define WINDOW_FUNCTION NOT_HERE
#include "bench/client/functions.inc"
#undef LOAD
}

}  // namespace pvgpu::bench::client
