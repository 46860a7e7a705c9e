#include "host/selector.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "host/result_name.h"

namespace pvgpu::host {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

std::string without_dashes(std::string_view text) {
  std::string result = lower(text);
  std::erase(result, '-');
  return result;
}

bool is_uuid(std::string_view text) {
  const std::string digits = without_dashes(text);
  return digits.size() == 2 * VK_UUID_SIZE &&
         std::all_of(digits.begin(), digits.end(),
                     [](unsigned char c) { return std::isxdigit(c) != 0; });
}

// "0000:01:00.0" for "01:00.0"; other text unchanged.
std::string full_pci_address(std::string_view text) {
  const std::string address = lower(text);
  return std::count(address.begin(), address.end(), ':') == 1 ? "0000:" + address : address;
}

// The devices with this UUID, in an order that does not depend on the loader's unless they are the
// same to all that Vulkan tells.
std::vector<size_t> with_uuid(std::span<const DeviceSummary> devices, std::string_view digits) {
  std::vector<size_t> found;
  for (size_t i = 0; i < devices.size(); ++i) {
    if (without_dashes(uuid_text(devices[i].identity.device_uuid)) == digits) found.push_back(i);
  }
  std::ranges::stable_sort(found, {}, [&](size_t i) { return devices[i].identity.driver_uuid; });
  return found;
}

// The UUID as a selector of this device alone.
std::string uuid_selector(std::span<const DeviceSummary> devices, size_t index) {
  const std::string uuid = uuid_text(devices[index].identity.device_uuid);
  const std::vector<size_t> same = with_uuid(devices, without_dashes(uuid));
  if (same.size() == 1) return uuid;
  return fmt::format("{}#{}", uuid, std::ranges::find(same, index) - same.begin());
}

// One list of matches for the first of the readings of `selector` that applies.
std::vector<size_t> match(std::span<const DeviceSummary> devices, std::string_view selector) {
  std::vector<size_t> found;
  auto collect = [&](auto matches) {
    for (size_t i = 0; i < devices.size(); ++i) {
      if (matches(devices[i])) found.push_back(i);
    }
    return !found.empty();
  };
  if (is_uuid(selector)) return with_uuid(devices, without_dashes(selector));
  size_t index = 0;
  const char* end = selector.data() + selector.size();
  auto [stop, error] = std::from_chars(selector.data(), end, index);
  if (error == std::errc{} && stop == end) {
    if (index < devices.size()) found.push_back(index);
    // A longer number may be part of a name: "4090". A short one is a slip of an index.
    if (!found.empty() || selector.size() <= 2) return found;
  }
  const std::string address = full_pci_address(selector);
  if (collect([&](const DeviceSummary& device) {
        return !device.pci_address.empty() && device.pci_address == address;
      })) {
    return found;
  }
  const std::string part = lower(selector);
  collect([&](const DeviceSummary& device) {
    return lower(device.identity.name).find(part) != std::string::npos;
  });
  return found;
}

// The same, and "SELECTOR#N".
std::vector<size_t> match_numbered(std::span<const DeviceSummary> devices,
                                   std::string_view selector) {
  if (selector.empty()) return {};
  std::vector<size_t> found = match(devices, selector);
  const size_t mark = selector.rfind('#');
  if (!found.empty() || mark == std::string_view::npos || mark == 0) return found;
  size_t number = 0;
  const char* end = selector.data() + selector.size();
  auto [stop, error] = std::from_chars(selector.data() + mark + 1, end, number);
  if (error != std::errc{} || stop != end) return {};
  found = match(devices, selector.substr(0, mark));
  if (number >= found.size()) return {};
  return {found[number]};
}

}  // namespace

std::string uuid_text(std::span<const uint8_t, VK_UUID_SIZE> uuid) {
  std::string text;
  for (size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", uuid[i]);
  }
  return text;
}

std::string device_list(std::span<const DeviceSummary> devices) {
  std::string text;
  for (size_t i = 0; i < devices.size(); ++i) {
    const DeviceSummary& device = devices[i];
    text += fmt::format("{}  {}  {}  Vulkan {}  {}{}{}\n", i, device.identity.name,
                        device_type_name(device.type), version_text(device.api_version),
                        device.pci_address, device.pci_address.empty() ? "" : "  ",
                        uuid_selector(devices, i));
  }
  return text;
}

int device_rank(VkPhysicalDeviceType type) {
  switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
      return 0;
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
      return 1;
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
      return 2;
    case VK_PHYSICAL_DEVICE_TYPE_CPU:
      return 3;
    default:
      return 4;
  }
}

Result<std::vector<size_t>> select_devices(std::span<const DeviceSummary> devices,
                                           std::span<const std::string> selectors) {
  std::vector<size_t> selected;
  if (selectors.empty()) {
    for (size_t i = 0; i < devices.size(); ++i) selected.push_back(i);
    return selected;
  }
  std::string names;
  for (size_t i = 0; i < devices.size(); ++i) {
    names += fmt::format("{}{} = {}", i ? ", " : "", i, devices[i].identity.name);
  }
  const std::string hint = fmt::format(
      "the devices are: {}; an index, UUID, PCI address or part of a name selects one, with #N behind "
      "it the N-th of several", names);
  for (const std::string& selector : selectors) {
    const std::vector<size_t> found = match_numbered(devices, selector);
    if (found.empty()) return fail(fmt::format("no GPU matches \"{}\"", selector), hint);
    if (found.size() > 1) {
      return fail(fmt::format("\"{}\" matches {} GPUs", selector, found.size()), hint);
    }
    if (std::find(selected.begin(), selected.end(), found[0]) == selected.end()) {
      selected.push_back(found[0]);
    }
  }
  return selected;
}

}  // namespace pvgpu::host
