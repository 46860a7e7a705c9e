#include "parity/guest_driver.h"

#include <charconv>

namespace pvgpu::parity {
namespace {

using describe::Kind;

constexpr uint32_t kAny = 0;

// What Venus does of its own accord, by the Mesa versions [from, until) that do it. What was seen in Mesa 25.0 and not in 26.1
// ends with 26.1 here.
struct Rule {
  Kind kind;
  std::string_view pattern;  // of Fact::name(); * stands for anything
  uint32_t from, until;
  std::string_view reason;
};
constexpr std::string_view kItself = "it tells about itself";
constexpr std::string_view kOwnIdentity = "it makes identities of its own, since caches and handles do not fit the host's driver";
constexpr std::string_view kNoSparse = "it switches sparse binding off on lavapipe";
constexpr Rule kRules[] = {
    {Kind::kExtension, "VK_EXT_memory_budget", 2501, kAny, "it shows it with VN_DEBUG=mem_budget only"},
    {Kind::kExtension, "VK_KHR_external_fence_fd", kAny, kAny, "it has no sync files on a vtest socket, only on virtio-gpu"},
    {Kind::kExtension, "VK_KHR_external_semaphore_fd", kAny, kAny, "it has no sync files on a vtest socket, only on virtio-gpu"},
    {Kind::kExtension, "*", kAny, kAny, "it is not among the extensions that this version passes on"},
    {Kind::kFeature, "VkPhysicalDeviceFeatures.sparse*", kAny, 2601, kNoSparse},
    {Kind::kFeature, "VkPhysicalDeviceExtendedDynamicState3FeaturesEXT.*", kAny, kAny,
     "it leaves out the dynamic states of extensions that it does not pass on"},
    {Kind::kProperty, "*.fragmentShadingRateWithCustomSampleLocations", kAny, kAny,
     "it leaves out what belongs to VK_EXT_sample_locations"},
    {Kind::kFeature, "*.accelerationStructureHostCommands", kAny, kAny, "it builds acceleration structures on the device only"},
    {Kind::kProperty, "VkPhysicalDeviceProperties.limits.sparseAddressSpaceSize", kAny, 2601, kNoSparse},
    {Kind::kProperty, "VkPhysicalDeviceProperties.sparseProperties.*", kAny, 2601, kNoSparse},
    {Kind::kProperty, "VkPhysicalDeviceProperties.apiVersion", kAny, 2501, "it knows Vulkan up to 1.3"},
    {Kind::kProperty, "VkPhysicalDeviceProperties.apiVersion", 2501, kAny,
     "it names the oldest of three: the driver's level, this host's registry and its own headers"},
    {Kind::kProperty, "VkPhysicalDeviceProperties.deviceName", kAny, kAny, kItself},
    {Kind::kProperty, "VkPhysicalDeviceProperties.driverVersion", kAny, kAny, kItself},
    {Kind::kProperty, "VkPhysicalDeviceProperties.pipelineCacheUUID", kAny, kAny, kOwnIdentity},
    {Kind::kProperty, "*.driverID", kAny, kAny, kItself},
    {Kind::kProperty, "*.driverName", kAny, kAny, kItself},
    {Kind::kProperty, "*.driverInfo", kAny, kAny, kItself},
    {Kind::kProperty, "*.conformanceVersion.*", kAny, kAny, kItself},
    {Kind::kProperty, "*.deviceUUID", kAny, kAny, kOwnIdentity},
    {Kind::kProperty, "*.driverUUID", kAny, kAny, kOwnIdentity},
    {Kind::kProperty, "*.deviceLUID*", kAny, kAny, kOwnIdentity},
    {Kind::kProperty, "*.deviceNodeMask", kAny, kAny, kOwnIdentity},
    {Kind::kProperty, "VkPhysicalDeviceLayeredApiPropertiesListKHR.*", kAny, kAny, "it names the host's driver as the one below it"},
    {Kind::kFormat, "VK_FORMAT_*X6*VkFormatProperties*", 2600, kAny, "it passes on a fixed list of features of video formats"},
    {Kind::kFormat, "VK_FORMAT_*X4*VkFormatProperties*", 2600, kAny, "it passes on a fixed list of features of video formats"},
    {Kind::kFormat, "VK_FORMAT_*PLANE_4*VkFormatProperties*", 2600, kAny, "it passes on a fixed list of features of video formats"},
    {Kind::kInstanceExtension, "*", kAny, kAny, "the guest's loader and driver make instances; the host is not asked"},
};

bool matches(std::string_view pattern, std::string_view name) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  if (!name.starts_with(pattern.substr(0, star))) return false;
  name.remove_prefix(star);
  const std::string_view rest = pattern.substr(star + 1);
  for (;; name.remove_prefix(1)) {
    if (matches(rest, name)) return true;
    if (name.empty()) return false;
  }
}

}  // namespace

uint32_t mesa_version(std::string_view driver_info) {
  constexpr std::string_view kPrefix = "Mesa ";
  if (!driver_info.starts_with(kPrefix)) return 0;
  const char* end = driver_info.data() + driver_info.size();
  uint32_t major = 0, minor = 0;
  const auto dot = std::from_chars(driver_info.data() + kPrefix.size(), end, major).ptr;
  if (dot == end || *dot != '.') return 0;
  std::from_chars(dot + 1, end, minor);
  return major * 100 + minor;
}

std::string_view guest_driver_reason(Kind kind, std::string_view name, uint32_t mesa) {
  for (const Rule& rule : kRules) {
    if (rule.kind != kind || mesa < rule.from || (rule.until != kAny && mesa >= rule.until)) continue;
    if (matches(rule.pattern, name)) return rule.reason;
  }
  return "";
}

}  // namespace pvgpu::parity
