#include "host/probe_instance.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "host/result_name.h"
#include "observe/log.h"

namespace pvgpu::host {
namespace {

constexpr const char* kPortability = VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME;

// MoltenVK counts its versions as 10402 for 1.4.2. Older ones do not keep imported memory resident, so that the GPU's writes to it
// get lost.
constexpr uint32_t kOldestMoltenVk = 10402;
std::string moltenvk_version(uint32_t version) {
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

template <class Function>
bool load(PFN_vkGetInstanceProcAddr get, VkInstance instance, const char* name,
          Function& function) {
  function = reinterpret_cast<Function>(get(instance, name));
  return function != nullptr;
}

bool load_all(PFN_vkGetInstanceProcAddr get, VkInstance instance, InstanceFunctions& f) {
  return load(get, instance, "vkDestroyInstance", f.destroy_instance) &&
         load(get, instance, "vkEnumeratePhysicalDevices", f.enumerate_physical_devices) &&
         load(get, instance, "vkGetPhysicalDeviceProperties", f.get_properties) &&
         load(get, instance, "vkGetPhysicalDeviceProperties2", f.get_properties2) &&
         load(get, instance, "vkGetPhysicalDeviceMemoryProperties", f.get_memory_properties) &&
         load(get, instance, "vkGetPhysicalDeviceQueueFamilyProperties",
              f.get_queue_family_properties) &&
         load(get, instance, "vkEnumerateDeviceExtensionProperties",
              f.enumerate_device_extensions) &&
         load(get, instance, "vkGetPhysicalDeviceExternalBufferProperties",
              f.get_external_buffer_properties) &&
         load(get, instance, "vkGetPhysicalDeviceExternalSemaphoreProperties",
              f.get_external_semaphore_properties) &&
         load(get, instance, "vkGetPhysicalDeviceExternalFenceProperties",
              f.get_external_fence_properties) &&
         load(get, instance, "vkGetPhysicalDeviceImageFormatProperties2",
              f.get_image_format_properties2) &&
         load(get, instance, "vkCreateDevice", f.create_device) &&
         load(get, instance, "vkGetDeviceProcAddr", f.get_device_proc_addr);
}

bool contains(const std::vector<VkExtensionProperties>& extensions, std::string_view name) {
  return std::any_of(
      extensions.begin(), extensions.end(),
      [&](const VkExtensionProperties& extension) { return name == extension.extensionName; });
}

// "0000:01:00.0", or "" when the driver does not tell.
std::string pci_address(const InstanceFunctions& functions, VkPhysicalDevice device,
                        const std::vector<VkExtensionProperties>& extensions) {
  if (!contains(extensions, VK_EXT_PCI_BUS_INFO_EXTENSION_NAME)) return {};
  VkPhysicalDevicePCIBusInfoPropertiesEXT pci{};
  pci.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PCI_BUS_INFO_PROPERTIES_EXT;
  VkPhysicalDeviceProperties2 properties{};
  properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
  properties.pNext = &pci;
  functions.get_properties2(device, &properties);
  return fmt::format("{:04x}:{:02x}:{:02x}.{:x}", pci.pciDomain, pci.pciBus, pci.pciDevice,
                     pci.pciFunction);
}

struct Described {
  DeviceSummary summary;
  VkDriverId driver_id{};
};

Described describe(const InstanceFunctions& functions, VkPhysicalDevice device) {
  const auto extensions = enumerate_device_extensions(functions, device);
  VkPhysicalDeviceProperties core{};
  functions.get_properties(device, &core);
  VkPhysicalDeviceDriverProperties driver{};
  driver.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES;
  VkPhysicalDeviceIDProperties ids{};
  ids.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES;
  const bool has_driver_properties = core.apiVersion >= VK_API_VERSION_1_2 ||
                                     contains(extensions, VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME);
  ids.pNext = has_driver_properties ? &driver : nullptr;
  VkPhysicalDeviceProperties2 properties{};
  properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
  properties.pNext = &ids;
  functions.get_properties2(device, &properties);

  Described described;
  described.driver_id = driver.driverID;
  DeviceSummary& summary = described.summary;
  std::copy_n(ids.deviceUUID, VK_UUID_SIZE, summary.identity.device_uuid.begin());
  std::copy_n(ids.driverUUID, VK_UUID_SIZE, summary.identity.driver_uuid.begin());
  summary.identity.name = core.deviceName;
  summary.driver_name = driver.driverName;
  summary.pci_address = pci_address(functions, device, extensions);
  summary.type = core.deviceType;
  summary.api_version = core.apiVersion;
  return described;
}

}  // namespace

InstanceNeeds instance_needs(const Loader& loader) {
  if (!contains(loader.instance_extensions(), kPortability)) return {};
  return {{kPortability}, VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR};
}

std::vector<VkExtensionProperties> enumerate_device_extensions(const InstanceFunctions& functions,
                                                               VkPhysicalDevice device) {
  std::vector<VkExtensionProperties> extensions;
  uint32_t count = 0;
  VkResult result = VK_INCOMPLETE;
  while (result == VK_INCOMPLETE) {
    if (functions.enumerate_device_extensions(device, nullptr, &count, nullptr) != VK_SUCCESS) {
      return {};
    }
    extensions.resize(count);
    result = functions.enumerate_device_extensions(device, nullptr, &count, extensions.data());
  }
  if (result != VK_SUCCESS) return {};
  extensions.resize(count);
  return extensions;
}

ProbeInstance::ProbeInstance(ProbeInstance&& other) noexcept
    : functions_(other.functions_),
      instance_(std::exchange(other.instance_, VK_NULL_HANDLE)),
      devices_(std::move(other.devices_)) {}

ProbeInstance::~ProbeInstance() {
  if (instance_ != VK_NULL_HANDLE) functions_.destroy_instance(instance_, nullptr);
}

Result<ProbeInstance> ProbeInstance::create(const Loader& loader) {
  const PFN_vkGetInstanceProcAddr get = loader.get_instance_proc_addr();
  auto create_instance = reinterpret_cast<PFN_vkCreateInstance>(get(nullptr, "vkCreateInstance"));
  if (!create_instance) {
    return fail(fmt::format("{} has no vkCreateInstance", loader.path()),
                "install a newer Vulkan loader");
  }
  const InstanceNeeds needs = instance_needs(loader);
  VkApplicationInfo application{};
  application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
  application.pApplicationName = "pvgpu";
  application.apiVersion = VK_API_VERSION_1_4;
  VkInstanceCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
  info.flags = needs.flags;
  info.pApplicationInfo = &application;
  info.enabledExtensionCount = static_cast<uint32_t>(needs.extensions.size());
  info.ppEnabledExtensionNames = needs.extensions.data();
  ProbeInstance probe;
  VkInstance instance = VK_NULL_HANDLE;
  const VkResult result = create_instance(&info, nullptr, &instance);
  if (result == VK_ERROR_INCOMPATIBLE_DRIVER) {
    return fail("no Vulkan driver found on this host", no_driver_hint());
  }
  if (result != VK_SUCCESS) {
    return fail(fmt::format("vkCreateInstance failed: {}", result_name(result)), no_driver_hint());
  }
  if (!load_all(get, instance, probe.functions_)) {
    if (probe.functions_.destroy_instance) probe.functions_.destroy_instance(instance, nullptr);
    return fail(fmt::format("the Vulkan loader {} lacks Vulkan 1.1 functions", loader.path()),
                "install a newer Vulkan loader");
  }
  probe.instance_ = instance;
  if (auto listed = probe.enumerate(); !listed) return std::unexpected(listed.error());
  return probe;
}

Result<void> ProbeInstance::enumerate() {
  std::vector<VkPhysicalDevice> handles;
  uint32_t count = 0;
  VkResult result = VK_INCOMPLETE;
  while (result == VK_INCOMPLETE) {
    result = functions_.enumerate_physical_devices(instance_, &count, nullptr);
    if (result != VK_SUCCESS) break;
    handles.resize(count);
    result = functions_.enumerate_physical_devices(instance_, &count, handles.data());
  }
  handles.resize(result == VK_SUCCESS ? count : 0);
  std::string left_out;
  for (VkPhysicalDevice handle : handles) {
    VkPhysicalDeviceProperties core{};
    functions_.get_properties(handle, &core);
    std::string reason;
    Device device{handle, {}};
    if (core.apiVersion < VK_API_VERSION_1_1) {
      reason = "Vulkan 1.0 only";
    } else {
      Described described = describe(functions_, handle);
      if (described.driver_id == VK_DRIVER_ID_MESA_VENUS) {
        reason = "Mesa's Venus, itself a guest's driver";
      } else if (described.driver_id == VK_DRIVER_ID_MOLTENVK && core.driverVersion < kOldestMoltenVk) {
        reason = fmt::format("MoltenVK {}, which loses what the GPU writes to imported memory; {} or newer is needed",
                             moltenvk_version(core.driverVersion), moltenvk_version(kOldestMoltenVk));
      }
      device.summary = std::move(described.summary);
    }
    if (reason.empty()) {
      devices_.push_back(std::move(device));
      continue;
    }
    LOG_DEBUG("device {} left out: {}", core.deviceName, reason);
    left_out += fmt::format("{}{} ({})", left_out.empty() ? "" : ", ", core.deviceName, reason);
  }
  if (devices_.empty()) {
    return fail(left_out.empty() ? std::string("no Vulkan device found on this host")
                                 : fmt::format("no usable Vulkan device: left out {}", left_out),
                no_driver_hint());
  }
  std::vector<DeviceIdentity> identities;
  for (const Device& device : devices_) identities.push_back(device.summary.identity);
  count_occurrences(identities);
  for (size_t i = 0; i < devices_.size(); ++i) devices_[i].summary.identity = identities[i];
  std::stable_sort(devices_.begin(), devices_.end(), [](const Device& a, const Device& b) {
    return device_rank(a.summary.type) < device_rank(b.summary.type);
  });
  return {};
}

std::vector<DeviceSummary> ProbeInstance::summaries() const {
  std::vector<DeviceSummary> summaries;
  for (const Device& device : devices_) summaries.push_back(device.summary);
  return summaries;
}

}  // namespace pvgpu::host
