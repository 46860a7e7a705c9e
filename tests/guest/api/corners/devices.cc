// Instances, devices, processes, and what hangs on them.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "chain.h"

namespace corners {
namespace {

using client::check;

// Enough work to show that a device is alive.
void work(Lab& lab, uint32_t seed, const char* what) {
  Chain chain(lab);
  lab.run([&](VkCommandBuffer commands) {
    for (uint32_t i = 0; i < 3; ++i) chain.step(commands, seed + i);
  });
  for (uint32_t i = 0; i < 3; ++i) chain.expect_step(seed + i);
  chain.check(what);
}

}  // namespace

CORNER(several_instances) {
  std::array<std::unique_ptr<Lab>, 4> labs;
  std::array<std::unique_ptr<Chain>, 4> chains;
  for (uint32_t i = 0; i < labs.size(); ++i) {
    labs[i] = std::make_unique<Lab>();
    chains[i] = std::make_unique<Chain>(*labs[i]);
  }
  for (uint32_t round = 0; round < 5; ++round) {
    for (uint32_t i = 0; i < labs.size(); ++i) {
      if (!labs[i]) continue;
      const uint32_t add = round * 10 + i;
      labs[i]->run([&](VkCommandBuffer commands) { chains[i]->step(commands, add); });
      chains[i]->expect_step(add);
      chains[i]->check("one of several");
    }
    labs[(round * 3) % 4].reset();  // in an odd order, the others go on
  }
}

// Devices of one instance and one physical device, used in turn.
CORNER(several_devices) {
  Lab lab;
  constexpr uint32_t kDevices = 3;
  std::array<client::Device, kDevices> devices;
  std::array<client::Buffer, kDevices> buffers;
  for (uint32_t i = 0; i < kDevices; ++i) {
    devices[i] = client::make_device(lab.instance, lab.physical, lab.family);
    buffers[i] = client::make_buffer(devices[i], 4096, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
  }
  for (uint32_t round = 0; round < 6; ++round) {
    const uint32_t i = round % kDevices;
    client::run(devices[i], [&](VkCommandBuffer commands) {
      vkCmdFillBuffer(commands, buffers[i].buffer, 0, VK_WHOLE_SIZE, round * 3 + 1);
    });
  }
  for (uint32_t i = 0; i < kDevices; ++i) {
    say("device %u: %u", i, buffers[i].words()[1023]);
    client::destroy(devices[i], buffers[i]);
    client::destroy(devices[i]);
  }
  work(lab, 5, "the first device, still");
}

// The child of a process that uses Vulkan makes an instance of its own; the parent goes on.
CORNER(fork_in_the_process) {
  Lab lab;
  work(lab, 1, "parent, before");
  int ends[2];
  expect(pipe(ends) == 0, "pipe");
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    {
      Lab own;
      work(own, 2, "child");
    }
    std::fflush(stdout);
    _exit(0);
  }
  close(ends[1]);
  work(lab, 3, "parent, meanwhile");
  std::string told;
  char part[256];
  for (ssize_t n; (n = read(ends[0], part, sizeof part)) > 0;) told.append(part, size_t(n));
  close(ends[0]);
  int status = 0;
  expect(waitpid(child, &status, 0) == child, "waitpid");
  while (!told.empty() && told.back() == '\n') told.pop_back();
  say("%s", told.c_str());
  say("child ended with %d", status);
  work(lab, 4, "parent, afterwards");
}

CORNER(device_groups) {
  Lab lab;
  uint32_t count = 0;
  check(vkEnumeratePhysicalDeviceGroups(lab.instance, &count, nullptr),
        "vkEnumeratePhysicalDeviceGroups");
  std::vector<VkPhysicalDeviceGroupProperties> groups(
      count, {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_GROUP_PROPERTIES});
  check(vkEnumeratePhysicalDeviceGroups(lab.instance, &count, groups.data()),
        "vkEnumeratePhysicalDeviceGroups");
  const auto group = std::ranges::find_if(groups, [&](const auto& g) {
    return std::find(g.physicalDevices, g.physicalDevices + g.physicalDeviceCount, lab.physical) !=
           g.physicalDevices + g.physicalDeviceCount;
  });
  expect(group != groups.end(), "the device is in a group");
  say("%u groups; ours has %u devices, subset allocation %u", count, group->physicalDeviceCount,
      group->subsetAllocation);
  const VkDeviceGroupDeviceCreateInfo members{
      .sType = VK_STRUCTURE_TYPE_DEVICE_GROUP_DEVICE_CREATE_INFO,
      .physicalDeviceCount = group->physicalDeviceCount,
      .pPhysicalDevices = group->physicalDevices};
  client::Device device = client::make_device(lab.instance, lab.physical, lab.family, &members);
  VkPeerMemoryFeatureFlags features = 0;
  if (group->physicalDeviceCount > 1) {
    vkGetDeviceGroupPeerMemoryFeatures(device.device, 0, 0, 1, &features);
    say("peer memory features %x", features);
  }
  client::Buffer buffer = client::make_buffer(device, 256, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
  const VkCommandBufferAllocateInfo allocation{
      .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
      .commandPool = device.commands,
      .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
      .commandBufferCount = 1};
  VkCommandBuffer commands;
  check(vkAllocateCommandBuffers(device.device, &allocation, &commands),
        "vkAllocateCommandBuffers");
  const VkDeviceGroupCommandBufferBeginInfo of_group{
      .sType = VK_STRUCTURE_TYPE_DEVICE_GROUP_COMMAND_BUFFER_BEGIN_INFO, .deviceMask = 1};
  const VkCommandBufferBeginInfo begin_info{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                            .pNext = &of_group};
  check(vkBeginCommandBuffer(commands, &begin_info), "vkBeginCommandBuffer");
  vkCmdSetDeviceMask(commands, 1);
  vkCmdFillBuffer(commands, buffer.buffer, 0, VK_WHOLE_SIZE, 4242);
  barrier(commands);
  end(commands);
  const uint32_t mask = 1;
  const VkDeviceGroupSubmitInfo submit_group{.sType = VK_STRUCTURE_TYPE_DEVICE_GROUP_SUBMIT_INFO,
                                             .commandBufferCount = 1,
                                             .pCommandBufferDeviceMasks = &mask};
  const VkSubmitInfo submit{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                            .pNext = &submit_group,
                            .commandBufferCount = 1,
                            .pCommandBuffers = &commands};
  check(vkQueueSubmit(device.queue, 1, &submit, VK_NULL_HANDLE), "vkQueueSubmit");
  check(vkQueueWaitIdle(device.queue), "vkQueueWaitIdle");
  say("filled with %u", buffer.words()[63]);
  client::destroy(device, buffer);
  client::destroy(device);
}

CORNER(private_data) {
  Lab lab(Needs().FEATURE(VkPhysicalDeviceVulkan13Features, privateData));
  std::array<VkPrivateDataSlot, 3> slots;
  for (VkPrivateDataSlot& slot : slots) {
    const VkPrivateDataSlotCreateInfo info{.sType =
                                               VK_STRUCTURE_TYPE_PRIVATE_DATA_SLOT_CREATE_INFO};
    check(vkCreatePrivateDataSlot(lab.device, &info, nullptr, &slot), "vkCreatePrivateDataSlot");
  }
  const VkFence fence = lab.fence();
  const client::Buffer buffer = lab.buffer(64, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
  for (uint32_t i = 0; i < slots.size(); ++i) {
    check(vkSetPrivateData(lab.device, VK_OBJECT_TYPE_FENCE, uint64_t(fence), slots[i], i + 100),
          "vkSetPrivateData");
    check(vkSetPrivateData(lab.device, VK_OBJECT_TYPE_DEVICE, uint64_t(lab.device), slots[i],
                           i + 200),
          "vkSetPrivateData");
  }
  const auto get = [&](VkObjectType type, uint64_t object, VkPrivateDataSlot slot) {
    uint64_t data = 77;
    vkGetPrivateData(lab.device, type, object, slot, &data);
    return static_cast<unsigned long long>(data);
  };
  for (VkPrivateDataSlot slot : slots) {
    say("fence %llu, device %llu, buffer %llu", get(VK_OBJECT_TYPE_FENCE, uint64_t(fence), slot),
        get(VK_OBJECT_TYPE_DEVICE, uint64_t(lab.device), slot),
        get(VK_OBJECT_TYPE_BUFFER, uint64_t(buffer.buffer), slot));
    vkDestroyPrivateDataSlot(lab.device, slot, nullptr);
  }
}

// Names for objects and labels for work. Who looks at the host's calls finds these words.
CORNER(debug_utils) {
  Lab lab(Needs().instance_extension(VK_EXT_DEBUG_UTILS_EXTENSION_NAME));
  Chain chain(lab);
  const auto name = [&](VkObjectType type, uint64_t object, const char* text) {
    const VkDebugUtilsObjectNameInfoEXT info{
        .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT,
        .objectType = type,
        .objectHandle = object,
        .pObjectName = text};
    check(FN(lab, vkSetDebugUtilsObjectNameEXT)(lab.device, &info), "vkSetDebugUtilsObjectNameEXT");
  };
  name(VK_OBJECT_TYPE_BUFFER, uint64_t(chain.buffer.buffer), "corner's buffer");
  name(VK_OBJECT_TYPE_QUEUE, uint64_t(lab.queue), "corner's queue");
  name(VK_OBJECT_TYPE_DEVICE, uint64_t(lab.device), "corner's device");
  name(VK_OBJECT_TYPE_PIPELINE, uint64_t(chain.pipeline), nullptr);
  const std::array<uint8_t, 4> tag{1, 2, 3, 4};
  const VkDebugUtilsObjectTagInfoEXT tag_info{
      .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_TAG_INFO_EXT,
      .objectType = VK_OBJECT_TYPE_BUFFER,
      .objectHandle = uint64_t(chain.buffer.buffer),
      .tagName = 7,
      .tagSize = tag.size(),
      .pTag = tag.data()};
  check(FN(lab, vkSetDebugUtilsObjectTagEXT)(lab.device, &tag_info), "vkSetDebugUtilsObjectTagEXT");
  const VkDebugUtilsLabelEXT label{.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_LABEL_EXT,
                                   .pLabelName = "corner's label",
                                   .color = {0.5f, 0.25f, 1, 1}};
  FN(lab, vkQueueBeginDebugUtilsLabelEXT)(lab.queue, &label);
  FN(lab, vkQueueInsertDebugUtilsLabelEXT)(lab.queue, &label);
  lab.run([&](VkCommandBuffer commands) {
    FN(lab, vkCmdBeginDebugUtilsLabelEXT)(commands, &label);
    chain.step(commands, 1);
    FN(lab, vkCmdInsertDebugUtilsLabelEXT)(commands, &label);
    FN(lab, vkCmdEndDebugUtilsLabelEXT)(commands);
  });
  FN(lab, vkQueueEndDebugUtilsLabelEXT)(lab.queue);
  chain.expect_step(1);
  chain.check("labelled work");
}

CORNER(tooling_info) {
  Lab lab;
  uint32_t count = 99;
  check(vkGetPhysicalDeviceToolProperties(lab.physical, &count, nullptr),
        "vkGetPhysicalDeviceToolProperties");
  std::vector<VkPhysicalDeviceToolProperties> tools(
      count, {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TOOL_PROPERTIES});
  check(vkGetPhysicalDeviceToolProperties(lab.physical, &count, tools.data()),
        "vkGetPhysicalDeviceToolProperties");
  const auto layers = std::ranges::count_if(
      tools, [](const auto& tool) { return std::strstr(tool.layer, "validation") == nullptr; });
  say("%td tools besides a validation layer", layers);
}

}  // namespace corners
