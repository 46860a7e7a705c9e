// Uses every GPU that there is, all at once: says what they are and how they are grouped, makes a
// device of each under one instance, and lets a thread for each fill and copy buffers and check
// them.
#include <algorithm>
#include <cstdio>
#include <thread>
#include <vector>

#include "vulkan_client.h"

namespace {

constexpr uint32_t kRounds = 200;

VkInstance make_instance() {
  const VkApplicationInfo application{.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                      .pApplicationName = "gpus",
                                      .apiVersion = VK_API_VERSION_1_2};
  const VkInstanceCreateInfo info{.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                  .pApplicationInfo = &application};
  VkInstance instance;
  client::check(vkCreateInstance(&info, nullptr, &instance), "vkCreateInstance");
  return instance;
}

std::vector<VkPhysicalDevice> list_gpus(VkInstance instance) {
  uint32_t count = 0;
  client::check(vkEnumeratePhysicalDevices(instance, &count, nullptr),
                "vkEnumeratePhysicalDevices");
  std::vector<VkPhysicalDevice> gpus(count);
  client::check(vkEnumeratePhysicalDevices(instance, &count, gpus.data()),
                "vkEnumeratePhysicalDevices");
  for (size_t i = 0; i < gpus.size(); ++i) {
    VkPhysicalDeviceProperties properties;
    vkGetPhysicalDeviceProperties(gpus[i], &properties);
    uint32_t extensions = 0;
    vkEnumerateDeviceExtensionProperties(gpus[i], nullptr, &extensions, nullptr);
    std::printf("%zu: %s, %u extensions\n", i, properties.deviceName, extensions);
  }
  return gpus;
}

// Each GPU is in one group, and only there.
void check_groups(VkInstance instance, const std::vector<VkPhysicalDevice>& gpus) {
  uint32_t count = 0;
  client::check(vkEnumeratePhysicalDeviceGroups(instance, &count, nullptr),
                "vkEnumeratePhysicalDeviceGroups");
  std::vector<VkPhysicalDeviceGroupProperties> groups(
      count, {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_GROUP_PROPERTIES});
  client::check(vkEnumeratePhysicalDeviceGroups(instance, &count, groups.data()),
                "vkEnumeratePhysicalDeviceGroups");
  std::vector<VkPhysicalDevice> grouped;
  for (const auto& group : groups) {
    grouped.insert(grouped.end(), group.physicalDevices,
                   group.physicalDevices + group.physicalDeviceCount);
  }
  std::printf("%u groups\n", count);
  if (!std::ranges::is_permutation(grouped, gpus))
    client::fail("a GPU is in no group or in several");
}

// Values that no other GPU and no other round has.
void compute(const client::Device& device, uint32_t gpu) {
  constexpr VkBufferUsageFlags kUsage =
      VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
  client::Buffer from = client::make_buffer(device, 65536, kUsage);
  client::Buffer to = client::make_buffer(device, 65536, kUsage);
  for (uint32_t round = 1; round <= kRounds; ++round) {
    const uint32_t value = gpu << 24 | round;
    client::run(device, [&](VkCommandBuffer commands) {
      vkCmdFillBuffer(commands, from.buffer, 0, VK_WHOLE_SIZE, value);
      client::full_barrier(commands);
      const VkBufferCopy whole{.size = from.size};
      vkCmdCopyBuffer(commands, from.buffer, to.buffer, 1, &whole);
    });
    if (!std::ranges::all_of(to.words(), [&](uint32_t word) { return word == value; })) {
      client::fail("a GPU has computed something else");
    }
  }
  client::destroy(device, from);
  client::destroy(device, to);
}

}  // namespace

int main() {
  const VkInstance instance = make_instance();
  const std::vector<VkPhysicalDevice> gpus = list_gpus(instance);
  check_groups(instance, gpus);
  std::vector<client::Device> devices;
  for (VkPhysicalDevice gpu : gpus) devices.push_back(client::make_device(instance, gpu, 0));
  {
    std::vector<std::jthread> threads;
    for (uint32_t i = 0; i < devices.size(); ++i)
      threads.emplace_back([&, i] { compute(devices[i], i + 1); });
  }
  for (client::Device& device : devices) client::destroy(device);
  vkDestroyInstance(instance, nullptr);
  std::printf("%zu computed\n", devices.size());
}
