// Which devices a user means: an index ("0"), a UUID with or without dashes, a PCI address
// ("0000:01:00.0" or "01:00.0"), or a part of the name in any case. What matches several devices gets
// "#N" behind it: the N-th of them, from 0, in the order of the indices. Drivers may share a GPU, and
// so its UUID; those are counted in the order of the drivers' UUIDs, which no order of installation
// changes, and only the same driver, installed twice, in the order of the indices. Pure functions;
// any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/profile.h"
#include "platform/error.h"

namespace pvgpu::host {

// What a selector is matched with.
struct DeviceSummary {
  DeviceIdentity identity;
  std::string driver_name, pci_address;
  VkPhysicalDeviceType type{};
  uint32_t api_version = 0;
};

// "5f3a…" as 8-4-4-4-12.
std::string uuid_text(std::span<const uint8_t, VK_UUID_SIZE> uuid);
// A line per device, in the order of the indices. Each ends with what selects this device alone: its
// UUID, with "#N" where several have it.
std::string device_list(std::span<const DeviceSummary> devices);
// The order of indices: discrete, integrated, virtual, cpu, other.
int device_rank(VkPhysicalDeviceType type);

// Indices into `devices`, in the order of the selectors, each once; all of them for no selector.
// A selector that matches no device, or several, is an error that lists them.
Result<std::vector<size_t>> select_devices(std::span<const DeviceSummary> devices,
                                           std::span<const std::string> selectors);

}  // namespace pvgpu::host
