#include "host/info.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "host/extensions.h"
#include "host/loader.h"
#include "host/probe_instance.h"
#include "host/result_name.h"
#include "host/selector.h"

namespace pvgpu::host {
namespace {

constexpr size_t kLineWidth = 100;

// Terminal escapes, or nothing.
struct Style {
  std::string_view bold, green, yellow, red, dim, plain;
};
constexpr Style kColour = {"\x1b[1m", "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[2m", "\x1b[0m"};
constexpr Style kNoColour = {};

std::string flags_text(VkMemoryPropertyFlags flags) {
  struct Flag {
    VkMemoryPropertyFlags bit;
    std::string_view name;
  };
  static constexpr Flag kFlags[] = {
      {VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, "DEVICE_LOCAL"},
      {VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT, "HOST_VISIBLE"},
      {VK_MEMORY_PROPERTY_HOST_COHERENT_BIT, "HOST_COHERENT"},
      {VK_MEMORY_PROPERTY_HOST_CACHED_BIT, "HOST_CACHED"},
      {VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT, "LAZILY_ALLOCATED"},
      {VK_MEMORY_PROPERTY_PROTECTED_BIT, "PROTECTED"},
      {VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD, "DEVICE_COHERENT_AMD"},
      {VK_MEMORY_PROPERTY_DEVICE_UNCACHED_BIT_AMD, "DEVICE_UNCACHED_AMD"},
      {VK_MEMORY_PROPERTY_RDMA_CAPABLE_BIT_NV, "RDMA_CAPABLE_NV"},
  };
  std::string text;
  for (const Flag& flag : kFlags) {
    if (!(flags & flag.bit)) continue;
    if (!text.empty()) text += " | ";
    text += flag.name;
  }
  return text.empty() ? "no flags" : text;
}

std::string heap_text(VkDeviceSize size) {
  return fmt::format("{:.1f} GiB", static_cast<double>(size) / (1024.0 * 1024.0 * 1024.0));
}

// The level's two numbers, which is what decides what programs may use.
std::string level_text(uint32_t version) {
  return fmt::format("{}.{}", VK_API_VERSION_MAJOR(version), VK_API_VERSION_MINOR(version));
}

// Words in lines of at most kLineWidth, each indented.
std::string wrap(const std::vector<std::string_view>& words, std::string_view indent) {
  std::string text, line(indent);
  for (std::string_view word : words) {
    if (line.size() > indent.size() && line.size() + 1 + word.size() > kLineWidth) {
      text += line + "\n";
      line = indent;
    }
    if (line.size() > indent.size()) line += ' ';
    line += word;
  }
  if (line.size() > indent.size()) text += line + "\n";
  return text;
}

std::string memory_text(const DriverProfile& profile, const Style& style) {
  std::string text = fmt::format("  {}memory types{}\n", style.bold, style.plain);
  for (uint32_t i = 0; i < profile.memory.memoryTypeCount; ++i) {
    const VkMemoryType& type = profile.memory.memoryTypes[i];
    const MemoryTypePlan& plan = profile.memory_plan[i];
    const VkMemoryHeap& heap = profile.memory.memoryHeaps[type.heapIndex];
    text += fmt::format("    {:2}  heap {} ({})  {}\n", i, type.heapIndex, heap_text(heap.size),
                        flags_text(type.propertyFlags));
    const std::string_view colour = plan.hidden                              ? style.red
                                    : plan.strategy != MemoryStrategy::kNone ? style.green
                                                                             : style.dim;
    text += fmt::format("        {}{}{}{}\n", colour, plan.hidden ? "HOST_VISIBLE hidden: " : "",
                        plan.verdict, style.plain);
  }
  return text;
}

std::string verdict_lines(const DriverProfile& profile, Treatment treatment,
                          std::string_view colour, const Style& style) {
  std::string text;
  for (const FeatureVerdict& verdict : profile.verdicts) {
    if (verdict.treatment != treatment) continue;
    text += fmt::format("    {}{}{}: {}\n", colour, verdict.name, style.plain, verdict.reason);
  }
  if (text.empty()) return text;
  return fmt::format("  {}{}{}\n{}", style.bold, treatment_name(treatment), style.plain, text);
}

// Names with one and the same reason share a paragraph: there are dozens.
std::string grouped_lines(const DriverProfile& profile, Treatment treatment,
                          std::string_view colour, const Style& style) {
  std::vector<std::pair<std::string_view, std::vector<std::string_view>>> by_reason;
  for (const FeatureVerdict& verdict : profile.verdicts) {
    if (verdict.treatment != treatment) continue;
    auto it = std::find_if(by_reason.begin(), by_reason.end(),
                           [&](const auto& group) { return group.first == verdict.reason; });
    if (it == by_reason.end()) it = by_reason.insert(it, {verdict.reason, {}});
    it->second.push_back(verdict.name);
  }
  std::string text;
  for (const auto& [reason, names] : by_reason) {
    text += fmt::format("    {}{}{}:\n{}", colour, reason, style.plain, wrap(names, "      "));
  }
  if (text.empty()) return text;
  return fmt::format("  {}{}{}\n{}", style.bold, treatment_name(treatment), style.plain, text);
}

std::string passed_through_lines(const DriverProfile& profile, const Style& style) {
  std::vector<std::string_view> names;
  for (const FeatureVerdict& verdict : profile.verdicts) {
    if (verdict.treatment == Treatment::kPassedThrough) names.push_back(verdict.name);
  }
  std::sort(names.begin(), names.end());
  return fmt::format("  {}passed through{} ({} extensions)\n{}", style.bold, style.plain,
                     names.size(), wrap(names, "    "));
}

std::string device_text(size_t index, const DriverProfile& profile, const Style& style) {
  std::string text =
      fmt::format("\n{}GPU {}: {}{}\n", style.bold, index, profile.identity.name, style.plain);
  text += fmt::format("  driver         {} {}\n", profile.driver_name, profile.driver_info);
  text += fmt::format("  device         {}, vendor {:#06x}, device {:#06x}\n",
                      device_type_name(profile.device_type), profile.vendor_id, profile.device_id);
  text += fmt::format("  Vulkan         {} on this host\n", version_text(profile.api_version));
  text += fmt::format("  in guests      Vulkan {} with Mesa until 25.0, {} from Mesa 25.1 on\n",
                      level_text(guest_api_version_until_25_0(profile, VK_HEADER_VERSION_COMPLETE)),
                      level_text(guest_api_version_from_25_1(profile, VK_HEADER_VERSION_COMPLETE)));
  text += fmt::format("  PCI address    {}\n",
                      profile.pci_address.empty() ? "none" : profile.pci_address);
  text += fmt::format("  UUID           {}\n", uuid_text(profile.identity.device_uuid));
  text += memory_text(profile, style);
  text += verdict_lines(profile, Treatment::kEmulated, style.yellow, style);
  text += grouped_lines(profile, Treatment::kHidden, style.red, style);
  text += grouped_lines(profile, Treatment::kAbsent, style.dim, style);
  text += passed_through_lines(profile, style);
  return text;
}

using Json = nlohmann::ordered_json;

Json memory_json(const DriverProfile& profile) {
  Json types = Json::array();
  for (uint32_t i = 0; i < profile.memory.memoryTypeCount; ++i) {
    const VkMemoryType& type = profile.memory.memoryTypes[i];
    const MemoryTypePlan& plan = profile.memory_plan[i];
    types.push_back({{"index", i},
                     {"flags", flags_text(type.propertyFlags)},
                     {"heap", type.heapIndex},
                     {"heap_bytes", profile.memory.memoryHeaps[type.heapIndex].size},
                     {"strategy", strategy_name(plan.strategy)},
                     {"hidden", plan.hidden},
                     {"verdict", plan.verdict}});
  }
  return types;
}

Json device_json(const DriverProfile& profile) {
  Json features = Json::array();
  for (const FeatureVerdict& verdict : profile.verdicts) {
    features.push_back({{"name", verdict.name},
                        {"treatment", treatment_name(verdict.treatment)},
                        {"reason", verdict.reason}});
  }
  return {{"name", profile.identity.name},
          {"driver", profile.driver_name},
          {"driver_info", profile.driver_info},
          {"type", device_type_name(profile.device_type)},
          {"vendor_id", profile.vendor_id},
          {"device_id", profile.device_id},
          {"pci_address", profile.pci_address},
          {"uuid", uuid_text(profile.identity.device_uuid)},
          {"vulkan", version_text(profile.api_version)},
          {"guest_vulkan_until_mesa_25_0",
           level_text(guest_api_version_until_25_0(profile, VK_HEADER_VERSION_COMPLETE))},
          {"guest_vulkan_from_mesa_25_1",
           level_text(guest_api_version_from_25_1(profile, VK_HEADER_VERSION_COMPLETE))},
          {"import_alignment", profile.import_alignment},
          {"memory_types", memory_json(profile)},
          {"features", features}};
}

bool shown_to_guest(const DriverProfile& profile, std::string_view name) {
  const auto extensions = guest_device_extensions(profile);
  return std::any_of(
      extensions.begin(), extensions.end(),
      [&](const VkExtensionProperties& extension) { return name == extension.extensionName; });
}

// Vulkan `most` or less, and only 1.2 without what Mesa asks for at 1.3: VK_KHR_synchronization2
// and an importable SYNC_FD, which this host always provides or emulates.
uint32_t guest_level(const DriverProfile& profile, uint32_t registry_version, uint32_t most) {
  const uint32_t level = std::min({profile.api_version, registry_version, most});
  const bool has_sync = shown_to_guest(profile, VK_KHR_SYNCHRONIZATION_2_EXTENSION_NAME) &&
                        shown_to_guest(profile, VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME);
  return has_sync ? level : std::min(level, VK_API_VERSION_1_2);
}

}  // namespace

uint32_t guest_api_version_until_25_0(const DriverProfile& profile, uint32_t registry_version) {
  // Any patch of 1.3, none of 1.4.
  return guest_level(profile, registry_version, VK_API_VERSION_1_4 - 1);
}

uint32_t guest_api_version_from_25_1(const DriverProfile& profile, uint32_t registry_version) {
  return guest_level(profile, registry_version, VK_MAKE_API_VERSION(0, 1, 5, 0) - 1);
}

std::string info_text(const Host& host, bool colour) {
  const Style& style = colour ? kColour : kNoColour;
  std::string text =
      fmt::format("{}Vulkan loader{}  {} (instance level {})\n", style.bold, style.plain,
                  host.loader_path(), version_text(host.instance_version()));
  size_t index = 0;
  for (const DriverProfile& profile : host.devices()) text += device_text(index++, profile, style);
  return text;
}

std::string info_json(const Host& host) {
  Json devices = Json::array();
  for (const DriverProfile& profile : host.devices()) devices.push_back(device_json(profile));
  const Json document = {
      {"loader",
       {{"path", host.loader_path()}, {"instance_version", version_text(host.instance_version())}}},
      {"devices", devices}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<std::string> list_gpus_text(const HostOptions& options) {
  Result<Loader> loader = Loader::open(options.loader_path);
  if (!loader) return std::unexpected(loader.error());
  Result<ProbeInstance> instance = ProbeInstance::create(*loader);
  if (!instance) return std::unexpected(instance.error());
  return device_list(instance->summaries());
}

}  // namespace pvgpu::host
