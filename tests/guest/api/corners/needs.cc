#include "needs.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "corner.h"

namespace corners {

Needs::Needs() {
  link(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, sizeof(VkPhysicalDeviceFeatures2));
  // What the Lab's own helpers use.
  FEATURE(VkPhysicalDeviceVulkan13Features, dynamicRendering);
  FEATURE(VkPhysicalDeviceVulkan13Features, synchronization2);
  FEATURE(VkPhysicalDeviceVulkan12Features, timelineSemaphore);
}

Needs&& Needs::extension(const char* name) {
  extensions_.push_back(name);
  return std::move(*this);
}
Needs&& Needs::instance_extension(const char* name) {
  instance_extensions_.push_back(name);
  return std::move(*this);
}
Needs&& Needs::wish(const char* name) {
  wishes_.push_back(name);
  return std::move(*this);
}
Needs&& Needs::queues(uint32_t count) {
  queues_ = count;
  return std::move(*this);
}

Needs&& Needs::core_feature(VkBool32 VkPhysicalDeviceFeatures::*bit, const char* name) {
  auto* core = reinterpret_cast<VkPhysicalDeviceFeatures2*>(links_.front().structure.get());
  bits_.push_back({&(core->features.*bit), name});
  return std::move(*this);
}

void* Needs::link(VkStructureType type, size_t size) {
  for (const Link& link : links_) {
    auto* head = reinterpret_cast<VkBaseOutStructure*>(link.structure.get());
    if (head->sType == type) return head;
  }
  Link& added = links_.emplace_back(std::make_unique<std::byte[]>(size), size);
  auto* head = reinterpret_cast<VkBaseOutStructure*>(added.structure.get());
  head->sType = type;
  if (links_.size() > 1) {
    reinterpret_cast<VkBaseOutStructure*>(links_[links_.size() - 2].structure.get())->pNext = head;
  }
  return head;
}

const VkPhysicalDeviceFeatures2* Needs::chain() const {
  return reinterpret_cast<const VkPhysicalDeviceFeatures2*>(links_.front().structure.get());
}

void Needs::check_extensions(VkPhysicalDevice device) {
  uint32_t count = 0;
  vkEnumerateDeviceExtensionProperties(device, nullptr, &count, nullptr);
  std::vector<VkExtensionProperties> offered(count);
  vkEnumerateDeviceExtensionProperties(device, nullptr, &count, offered.data());
  const auto has = [&](const char* name) {
    return std::ranges::any_of(offered, [&](const VkExtensionProperties& extension) {
      return std::string_view(extension.extensionName) == name;
    });
  };
  for (const char* name : extensions_) {
    if (!has(name)) throw Absent{name};
  }
  for (const char* name : wishes_) {
    if (has(name)) extensions_.push_back(name);
  }
  wishes_.clear();
}

void Needs::check(VkPhysicalDevice device) {
  VkPhysicalDeviceProperties properties;
  vkGetPhysicalDeviceProperties(device, &properties);
  if (properties.apiVersion < VK_API_VERSION_1_3) throw Absent{"Vulkan 1.3"};
  check_extensions(device);
  auto* features = reinterpret_cast<VkPhysicalDeviceFeatures2*>(links_.front().structure.get());
  vkGetPhysicalDeviceFeatures2(device, features);
  for (const Bit& bit : bits_) {
    if (!*bit.bit) throw Absent{bit.name};
  }
  constexpr size_t kHead = sizeof(VkBaseOutStructure);
  for (const Link& link : links_) std::memset(link.structure.get() + kHead, 0, link.size - kHead);
  for (const Bit& bit : bits_) *bit.bit = VK_TRUE;
}

}  // namespace corners
