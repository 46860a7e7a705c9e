// The host's Vulkan as a context sees it: the loader, the devices that guests may use, and for each
// a profile that says what is passed through, emulated or hidden, and why. Opened once per process,
// before any context; immutable afterwards, so every thread may read it.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/extensions.h"
#include "host/profile.h"
#include "platform/error.h"

namespace pvgpu::host {

struct HostOptions {
  std::string
      loader_path;  // empty: $PVGPU_VULKAN_LOADER, then libvulkan.so.1 / libvulkan.1.dylib …
  std::vector<std::string> gpu_selectors;  // index, UUID, name part or PCI address; empty: all
  std::string profile_json;  // profiles taken by another process of this server; empty: test now
  CarriedExtensions carried;
};

class Host {
 public:
  // Loads the loader, enumerates, selects and profiles (with the memory self-test). With
  // profile_json nothing but the loader is touched. The errors say what is missing: no loader, no
  // driver, no device that matches, no memory strategy.
  static Result<std::unique_ptr<Host>> open(const HostOptions& options);
  ~Host();

  // Loads the drivers and keeps them loaded, so that the first context's vkCreateInstance need not; before any context. What goes
  // wrong is left for that to tell.
  void load_driver();

  PFN_vkGetInstanceProcAddr get_instance_proc_addr() const;
  // The selected devices, in the order in which guests see them. Never empty.
  std::span<const DriverProfile> devices() const;
  // Instance extensions that a context must enable besides its own (such as portability
  // enumeration).
  std::span<const char* const> required_instance_extensions() const;
  // Flags for VkInstanceCreateInfo that go with them (ENUMERATE_PORTABILITY, or 0).
  VkInstanceCreateFlags required_instance_flags() const;
  // The file that serves Vulkan here, as the dynamic linker found it.
  const std::string& loader_path() const;
  // The highest VkInstance level that the loader knows.
  uint32_t instance_version() const;
  // What profile_json of another process takes.
  std::string profiles_as_json() const;

 private:
  struct State;
  explicit Host(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Reads the identities of an instance's physical devices, given in the loader's order and all of them: what
// DriverProfile::identity is compared with. Identities of zeros if `instance` cannot tell.
std::vector<DeviceIdentity> identify(PFN_vkGetInstanceProcAddr get_proc, VkInstance instance,
                                     std::span<const VkPhysicalDevice> devices);

}  // namespace pvgpu::host
