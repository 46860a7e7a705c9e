#include "host/host.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "host/loader.h"
#include "host/probe_instance.h"
#include "host/profile_json.h"
#include "host/self_test.h"
#include "host/verdicts.h"
#include "observe/log.h"

namespace pvgpu::host {

struct Host::State {
  Loader loader;
  InstanceNeeds needs;
  std::vector<DriverProfile> profiles;
  std::optional<ProbeInstance> loaded;
};

namespace {

void read_properties(const InstanceFunctions& functions, const ProbeInstance::Device& device,
                     DriverProfile& profile) {
  VkPhysicalDeviceDriverProperties driver{};
  driver.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES;
  VkPhysicalDeviceExternalMemoryHostPropertiesEXT import{};
  import.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT;
  VkPhysicalDeviceProperties2 properties{};
  properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
  if (device.summary.api_version >= VK_API_VERSION_1_2 ||
      profile.has_extension(VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME)) {
    properties.pNext = &driver;
  }
  profile.external_memory_host = profile.has_extension(VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME);
  if (profile.external_memory_host) {
    import.pNext = properties.pNext;
    properties.pNext = &import;
  }
  functions.get_properties2(device.handle, &properties);
  profile.driver_name = driver.driverName;
  profile.driver_info = driver.driverInfo;
  profile.driver_id = driver.driverID;
  profile.import_alignment = import.minImportedHostPointerAlignment;
  profile.device_type = properties.properties.deviceType;
  profile.vendor_id = properties.properties.vendorID;
  profile.device_id = properties.properties.deviceID;
  profile.api_version = properties.properties.apiVersion;
  profile.driver_version = properties.properties.driverVersion;
}

void read_sync_fd(const InstanceFunctions& functions, VkPhysicalDevice device,
                  DriverProfile& profile) {
  if (profile.has_extension(VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME)) {
    VkPhysicalDeviceExternalSemaphoreInfo info{};
    info.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_SEMAPHORE_INFO;
    info.handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT;
    VkExternalSemaphoreProperties properties{};
    properties.sType = VK_STRUCTURE_TYPE_EXTERNAL_SEMAPHORE_PROPERTIES;
    functions.get_external_semaphore_properties(device, &info, &properties);
    profile.sync_fd_semaphore_features = properties.externalSemaphoreFeatures;
  }
  if (profile.has_extension(VK_KHR_EXTERNAL_FENCE_FD_EXTENSION_NAME)) {
    VkPhysicalDeviceExternalFenceInfo info{};
    info.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_FENCE_INFO;
    info.handleType = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT;
    VkExternalFenceProperties properties{};
    properties.sType = VK_STRUCTURE_TYPE_EXTERNAL_FENCE_PROPERTIES;
    functions.get_external_fence_properties(device, &info, &properties);
    profile.sync_fd_fence_features = properties.externalFenceFeatures;
  }
}

Result<DriverProfile> take_profile(const InstanceFunctions& functions,
                                   const ProbeInstance::Device& device,
                                   const HostOptions& options) {
  DriverProfile profile;
  profile.identity = device.summary.identity;
  profile.pci_address = device.summary.pci_address;
  profile.driver_extensions = enumerate_device_extensions(functions, device.handle);
  read_properties(functions, device, profile);
  functions.get_memory_properties(device.handle, &profile.memory);
  read_sync_fd(functions, device.handle, profile);
  if (auto tested = test_memory(functions, device.handle, profile); !tested) {
    return std::unexpected(tested.error());
  }
  judge(profile, options.carried);
  return profile;
}

Result<std::vector<DriverProfile>> probe(const Loader& loader, const HostOptions& options) {
  Result<ProbeInstance> instance = ProbeInstance::create(loader);
  if (!instance) return std::unexpected(instance.error());
  const std::vector<DeviceSummary> summaries = instance->summaries();
  Result<std::vector<size_t>> selected = select_devices(summaries, options.gpu_selectors);
  if (!selected) return std::unexpected(selected.error());
  std::vector<DriverProfile> profiles;
  std::vector<Error> unusable;
  for (size_t index : *selected) {
    Result<DriverProfile> profile =
        take_profile(instance->functions(), instance->devices()[index], options);
    if (profile) {
      profiles.push_back(std::move(*profile));
      continue;
    }
    // One that was asked for by name must work; the others are only left out.
    if (!options.gpu_selectors.empty()) return std::unexpected(profile.error());
    unusable.push_back(profile.error());
  }
  // The first is the error itself where there is no other device.
  for (size_t i = profiles.empty() ? 1 : 0; i < unusable.size(); ++i) LOG_WARN("{}; guests will not see it", unusable[i].what);
  if (profiles.empty()) return std::unexpected(unusable.front());
  return profiles;
}

}  // namespace

Host::Host(std::unique_ptr<State> state) : state_(std::move(state)) {}
Host::~Host() = default;

Result<std::unique_ptr<Host>> Host::open(const HostOptions& options) {
  Result<Loader> loader = Loader::open(options.loader_path);
  if (!loader) return std::unexpected(loader.error());
  auto state = std::make_unique<State>();
  state->loader = std::move(*loader);
  state->needs = instance_needs(state->loader);
  Result<std::vector<DriverProfile>> profiles = options.profile_json.empty()
                                                    ? probe(state->loader, options)
                                                    : profiles_from_json(options.profile_json);
  if (!profiles) return std::unexpected(profiles.error());
  state->profiles = std::move(*profiles);
  return std::unique_ptr<Host>(new Host(std::move(state)));
}

void Host::load_driver() {
  if (auto instance = ProbeInstance::create(state_->loader)) state_->loaded.emplace(std::move(*instance));
}

PFN_vkGetInstanceProcAddr Host::get_instance_proc_addr() const {
  return state_->loader.get_instance_proc_addr();
}

std::span<const DriverProfile> Host::devices() const {
  return state_->profiles;
}

std::span<const char* const> Host::required_instance_extensions() const {
  return state_->needs.extensions;
}

VkInstanceCreateFlags Host::required_instance_flags() const {
  return state_->needs.flags;
}

const std::string& Host::loader_path() const {
  return state_->loader.path();
}

uint32_t Host::instance_version() const {
  return state_->loader.instance_version();
}

std::string Host::profiles_as_json() const {
  return profiles_to_json(state_->profiles);
}

std::vector<DeviceIdentity> identify(PFN_vkGetInstanceProcAddr get_proc, VkInstance instance,
                                     std::span<const VkPhysicalDevice> devices) {
  auto get_properties2 = reinterpret_cast<PFN_vkGetPhysicalDeviceProperties2>(
      get_proc(instance, "vkGetPhysicalDeviceProperties2"));
  if (!get_properties2) {
    get_properties2 = reinterpret_cast<PFN_vkGetPhysicalDeviceProperties2>(
        get_proc(instance, "vkGetPhysicalDeviceProperties2KHR"));
  }
  std::vector<DeviceIdentity> identities(devices.size());
  if (!get_properties2) return identities;
  for (size_t i = 0; i < devices.size(); ++i) {
    VkPhysicalDeviceIDProperties ids{};
    ids.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES;
    VkPhysicalDeviceProperties2 properties{};
    properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
    properties.pNext = &ids;
    get_properties2(devices[i], &properties);
    std::copy_n(ids.deviceUUID, VK_UUID_SIZE, identities[i].device_uuid.begin());
    std::copy_n(ids.driverUUID, VK_UUID_SIZE, identities[i].driver_uuid.begin());
    identities[i].name = properties.properties.deviceName;
  }
  count_occurrences(identities);
  return identities;
}

}  // namespace pvgpu::host
