#include "bench/client/gpu.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "bench/client/failure.h"

namespace pvgpu::bench::client {
namespace {

bool has(std::span<const VkExtensionProperties> extensions, std::string_view name) {
  return std::ranges::any_of(
      extensions, [&](const auto& extension) { return extension.extensionName == name; });
}

void require(std::span<const VkExtensionProperties> there, std::span<const char* const> wanted) {
  for (const char* name : wanted) {
    if (!has(there, name)) fail(std::string("there is no ") + name);
  }
}

}  // namespace

Gpu::Gpu(const GpuChoice& choice, const GpuExtensions& extensions) {
  vk.load(choice.loader);
  create_instance(extensions);
  choose(choice);
  create_device(extensions);
}

Gpu::~Gpu() {
  vk.DeviceWaitIdle(device);
  vk.DestroyDevice(device, nullptr);
  vk.DestroyInstance(instance, nullptr);
}

void Gpu::create_instance(const GpuExtensions& extensions) {
  const VkApplicationInfo application{.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                      .pApplicationName = "pvgpu bench",
                                      .apiVersion = VK_API_VERSION_1_0};
  const VkInstanceCreateInfo info{
      .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
      .pApplicationInfo = &application,
      .enabledExtensionCount = static_cast<uint32_t>(extensions.instance.size()),
      .ppEnabledExtensionNames = extensions.instance.data()};
  const VkResult result = vk.CreateInstance(&info, nullptr, &instance);
  if (result == VK_ERROR_EXTENSION_NOT_PRESENT) tell_missing(extensions);
  check(result, "vkCreateInstance");
  vk.load_instance(instance);
}

// Afterwards: what an explicit layer adds is not listed, but can be enabled.
void Gpu::tell_missing(const GpuExtensions& extensions) const {
  uint32_t count = 0;
  check(vk.EnumerateInstanceExtensionProperties(nullptr, &count, nullptr),
        "vkEnumerateInstanceExtensionProperties");
  std::vector<VkExtensionProperties> there(count);
  check(vk.EnumerateInstanceExtensionProperties(nullptr, &count, there.data()),
        "vkEnumerateInstanceExtensionProperties");
  require(there, extensions.instance);
}

void Gpu::choose(const GpuChoice& choice) {
  uint32_t count = 0;
  check(vk.EnumeratePhysicalDevices(instance, &count, nullptr), "vkEnumeratePhysicalDevices");
  std::vector<VkPhysicalDevice> devices(count);
  check(vk.EnumeratePhysicalDevices(instance, &count, devices.data()),
        "vkEnumeratePhysicalDevices");
  uint32_t seen = 0;
  for (VkPhysicalDevice candidate : devices) {
    vk.GetPhysicalDeviceProperties(candidate, &properties_);
    if (!std::string_view(properties_.deviceName).contains(choice.name) || seen++ != choice.nth)
      continue;
    physical = candidate;
    vk.GetPhysicalDeviceMemoryProperties(physical, &memory_);
    return;
  }
  fail("there is no GPU \"" + choice.name + "\" among " + std::to_string(count));
}

void Gpu::create_device(const GpuExtensions& extensions) {
  uint32_t count = 0;
  check(vk.EnumerateDeviceExtensionProperties(physical, nullptr, &count, nullptr),
        "vkEnumerateDeviceExtensionProperties");
  std::vector<VkExtensionProperties> there(count);
  check(vk.EnumerateDeviceExtensionProperties(physical, nullptr, &count, there.data()),
        "vkEnumerateDeviceExtensionProperties");
  require(there, extensions.device);

  vk.GetPhysicalDeviceQueueFamilyProperties(physical, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  vk.GetPhysicalDeviceQueueFamilyProperties(physical, &count, families.data());
  const auto draws = std::ranges::find_if(families, [](const auto& family) {
    return (family.queueFlags & VK_QUEUE_GRAPHICS_BIT) != 0;
  });
  if (draws == families.end()) fail("no queue family draws");
  queue_family = static_cast<uint32_t>(draws - families.begin());

  const float priority = 1;
  const VkDeviceQueueCreateInfo queue_info{.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                           .queueFamilyIndex = queue_family,
                                           .queueCount = 1,
                                           .pQueuePriorities = &priority};
  const VkDeviceCreateInfo info{
      .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
      .queueCreateInfoCount = 1,
      .pQueueCreateInfos = &queue_info,
      .enabledExtensionCount = static_cast<uint32_t>(extensions.device.size()),
      .ppEnabledExtensionNames = extensions.device.data()};
  check(vk.CreateDevice(physical, &info, nullptr, &device), "vkCreateDevice");
  vk.load_device(device);
  vk.GetDeviceQueue(device, queue_family, 0, &queue);
}

uint32_t Gpu::memory_type(uint32_t allowed, VkMemoryPropertyFlags wanted,
                          VkMemoryPropertyFlags preferred) const {
  for (VkMemoryPropertyFlags flags : {wanted | preferred, wanted}) {
    for (uint32_t type = 0; type < memory_.memoryTypeCount; ++type) {
      if ((allowed >> type & 1) && (memory_flags(type) & flags) == flags) return type;
    }
  }
  fail("no memory type fits");
}

VkDeviceSize Gpu::device_local_bytes() const {
  VkDeviceSize most = 0;
  for (const VkMemoryHeap& heap : std::span(memory_.memoryHeaps, memory_.memoryHeapCount))
    if (heap.flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) most = std::max(most, heap.size);
  return most;
}

}  // namespace pvgpu::bench::client
