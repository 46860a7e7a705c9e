// Memory, semaphores and fences as file descriptors, within one process: exported, imported again,
// on the same device and on another one.
#include <unistd.h>

#include <algorithm>

#include "chain.h"

namespace corners {
namespace {

using client::check;

const char* name_of(VkExternalMemoryHandleTypeFlagBits type) {
  return type == VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT ? "dma-buf" : "opaque";
}

VkExternalMemoryFeatureFlags memory_features(const Lab& lab,
                                             VkExternalMemoryHandleTypeFlagBits type) {
  const VkPhysicalDeviceExternalBufferInfo info{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
      .usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT,
      .handleType = type};
  VkExternalBufferProperties properties{.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES};
  vkGetPhysicalDeviceExternalBufferProperties(lab.physical, &info, &properties);
  return properties.externalMemoryProperties.externalMemoryFeatures;
}

struct SharedBuffer {
  VkBuffer buffer;
  VkDeviceMemory memory;
};

// A buffer that may be shared, in memory made or imported as `next` says. A memory type among
// `types` that is allowed.
SharedBuffer shared_buffer(Lab& lab, VkExternalMemoryHandleTypeFlagBits handle, const void* next,
                           VkDeviceSize size, uint32_t types, VkDeviceSize* allocated) {
  const VkExternalMemoryBufferCreateInfo external{
      .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
      .handleTypes = VkExternalMemoryHandleTypeFlags(handle)};
  const VkBufferCreateInfo info{
      .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
      .pNext = &external,
      .size = size,
      .usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT};
  SharedBuffer result;
  check(vkCreateBuffer(lab.device, &info, nullptr, &result.buffer), "vkCreateBuffer");
  lab.at_end([&lab, result] { vkDestroyBuffer(lab.device, result.buffer, nullptr); });
  VkMemoryRequirements requirements;
  vkGetBufferMemoryRequirements(lab.device, result.buffer, &requirements);
  if (*allocated == 0) *allocated = requirements.size;
  const VkMemoryAllocateInfo allocation{
      .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
      .pNext = next,
      .allocationSize = *allocated,
      .memoryTypeIndex = client::memory_type(lab, requirements.memoryTypeBits & types,
                                             VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT)};
  check(vkAllocateMemory(lab.device, &allocation, nullptr, &result.memory), "vkAllocateMemory");
  lab.at_end([&lab, result] { vkFreeMemory(lab.device, result.memory, nullptr); });
  check(vkBindBufferMemory(lab.device, result.buffer, result.memory, 0), "vkBindBufferMemory");
  return result;
}

int export_memory(const Lab& lab, VkDeviceMemory memory, VkExternalMemoryHandleTypeFlagBits type) {
  const VkMemoryGetFdInfoKHR info{
      .sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR, .memory = memory, .handleType = type};
  int fd = -1;
  check(FN(lab, vkGetMemoryFdKHR)(lab.device, &info, &fd), "vkGetMemoryFdKHR");
  expect(fd >= 0, "a descriptor is exported");
  return fd;
}

uint32_t importable_types(const Lab& lab, int fd, VkExternalMemoryHandleTypeFlagBits type) {
  if (type == VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT) return ~0u;
  VkMemoryFdPropertiesKHR properties{.sType = VK_STRUCTURE_TYPE_MEMORY_FD_PROPERTIES_KHR};
  check(FN(lab, vkGetMemoryFdPropertiesKHR)(lab.device, type, fd, &properties),
        "vkGetMemoryFdPropertiesKHR");
  return properties.memoryTypeBits;
}

void fill(Lab& lab, const SharedBuffer& buffer, uint32_t value) {
  lab.run([&](VkCommandBuffer commands) {
    vkCmdFillBuffer(commands, buffer.buffer, 0, VK_WHOLE_SIZE, value);
  });
}

void expect_filled(Lab& lab, const SharedBuffer& buffer, VkDeviceSize size, uint32_t value,
                   const char* what) {
  const client::Buffer output = lab.buffer(size, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
  lab.run([&](VkCommandBuffer commands) {
    const VkBufferCopy region{0, 0, size};
    vkCmdCopyBuffer(commands, buffer.buffer, output.buffer, 1, &region);
  });
  expect(std::ranges::all_of(output.words(), [&](uint32_t word) { return word == value; }), what);
  say("%s: all words %x", what, value);
}

void share(Lab& lab, Lab& importer, VkExternalMemoryHandleTypeFlagBits type) {
  constexpr VkDeviceSize kSize = 65536;
  const VkExternalMemoryFeatureFlags features = memory_features(lab, type);
  say("%s: features %x", name_of(type), features);
  constexpr VkExternalMemoryFeatureFlags kBoth =
      VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT | VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT;
  if ((features & kBoth) != kBoth) throw Absent{std::string(name_of(type)) + " memory"};
  const VkExportMemoryAllocateInfo exported{.sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
                                            .handleTypes = VkExternalMemoryHandleTypeFlags(type)};
  VkDeviceSize size = 0;
  const SharedBuffer original = shared_buffer(lab, type, &exported, kSize, ~0u, &size);
  fill(lab, original, 0xabc00000);
  const int fd = export_memory(lab, original.memory, type);
  const int second = export_memory(lab, original.memory, type);
  close(second);
  const uint32_t types = importable_types(importer, fd, type);
  const VkImportMemoryFdInfoKHR imported{
      .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR, .handleType = type, .fd = fd};
  const SharedBuffer other = shared_buffer(importer, type, &imported, kSize, types, &size);
  expect_filled(importer, other, kSize, 0xabc00000, "what the exporter wrote");
  fill(importer, other, 0xdef00001);
  expect_filled(lab, original, kSize, 0xdef00001, "what the importer wrote");
}

Needs memory_needs() {
  return Needs().extension(VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME);
}

Needs dma_buf_needs() {
  return memory_needs().extension(VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME);
}

Needs semaphore_needs() {
  return Needs().extension(VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME);
}

void submit(const Lab& lab, VkCommandBuffer commands, VkSemaphore wait, VkSemaphore signal,
            VkFence fence = VK_NULL_HANDLE) {
  const VkPipelineStageFlags stages = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
  const VkSubmitInfo info{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                          .waitSemaphoreCount = wait ? 1u : 0u,
                          .pWaitSemaphores = &wait,
                          .pWaitDstStageMask = &stages,
                          .commandBufferCount = commands ? 1u : 0u,
                          .pCommandBuffers = &commands,
                          .signalSemaphoreCount = signal ? 1u : 0u,
                          .pSignalSemaphores = &signal};
  check(vkQueueSubmit(lab.queue, 1, &info, fence), "vkQueueSubmit");
}

// One semaphore is signalled after a step, its payload moves to another one, the next step waits
// for that.
void hand_over(VkExternalSemaphoreHandleTypeFlagBits type, VkSemaphoreImportFlags flags,
               const char* what) {
  Lab lab(semaphore_needs());
  const VkPhysicalDeviceExternalSemaphoreInfo ask{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_SEMAPHORE_INFO, .handleType = type};
  VkExternalSemaphoreProperties properties{.sType =
                                               VK_STRUCTURE_TYPE_EXTERNAL_SEMAPHORE_PROPERTIES};
  vkGetPhysicalDeviceExternalSemaphoreProperties(lab.physical, &ask, &properties);
  constexpr VkExternalSemaphoreFeatureFlags kBoth =
      VK_EXTERNAL_SEMAPHORE_FEATURE_EXPORTABLE_BIT | VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT;
  if ((properties.externalSemaphoreFeatures & kBoth) != kBoth) throw Absent{what};
  Chain chain(lab);
  const VkExportSemaphoreCreateInfo exported{
      .sType = VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO,
      .handleTypes = VkExternalSemaphoreHandleTypeFlags(type)};
  for (uint32_t round = 0; round < 6; ++round) {
    const VkSemaphore from = lab.semaphore(&exported), to = lab.semaphore();
    const VkCommandBuffer first = lab.command_buffer(lab.commands);
    begin(first);
    chain.step(first, round);
    end(first);
    submit(lab, first, VK_NULL_HANDLE, from);
    const VkSemaphoreGetFdInfoKHR get{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_GET_FD_INFO_KHR,
                                      .semaphore = from,
                                      .handleType = type};
    int fd = -2;
    check(FN(lab, vkGetSemaphoreFdKHR)(lab.device, &get, &fd), "vkGetSemaphoreFdKHR");
    const VkImportSemaphoreFdInfoKHR import{.sType = VK_STRUCTURE_TYPE_IMPORT_SEMAPHORE_FD_INFO_KHR,
                                            .semaphore = to,
                                            .flags = flags,
                                            .handleType = type,
                                            .fd = fd};
    check(FN(lab, vkImportSemaphoreFdKHR)(lab.device, &import), "vkImportSemaphoreFdKHR");
    const VkCommandBuffer second = lab.command_buffer(lab.commands);
    begin(second);
    chain.step(second, 100 + round);
    end(second);
    submit(lab, second, to, VK_NULL_HANDLE);
    for (uint32_t add : {round, 100 + round}) chain.expect_step(add);
  }
  check(vkQueueWaitIdle(lab.queue), "vkQueueWaitIdle");
  chain.check(what);
}

void hand_fence_over(VkExternalFenceHandleTypeFlagBits type, VkFenceImportFlags flags,
                     const char* what) {
  Lab lab(Needs().extension(VK_KHR_EXTERNAL_FENCE_FD_EXTENSION_NAME));
  const VkPhysicalDeviceExternalFenceInfo ask{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_FENCE_INFO, .handleType = type};
  VkExternalFenceProperties properties{.sType = VK_STRUCTURE_TYPE_EXTERNAL_FENCE_PROPERTIES};
  vkGetPhysicalDeviceExternalFenceProperties(lab.physical, &ask, &properties);
  constexpr VkExternalFenceFeatureFlags kBoth =
      VK_EXTERNAL_FENCE_FEATURE_EXPORTABLE_BIT | VK_EXTERNAL_FENCE_FEATURE_IMPORTABLE_BIT;
  if ((properties.externalFenceFeatures & kBoth) != kBoth) throw Absent{what};
  Chain chain(lab);
  const VkExportFenceCreateInfo exported{.sType = VK_STRUCTURE_TYPE_EXPORT_FENCE_CREATE_INFO,
                                         .handleTypes = VkExternalFenceHandleTypeFlags(type)};
  const VkFence from = lab.fence(&exported), to = lab.fence();
  for (uint32_t round = 0; round < 3; ++round) {
    const VkCommandBuffer commands = lab.command_buffer(lab.commands);
    begin(commands);
    chain.step(commands, round);
    end(commands);
    submit(lab, commands, VK_NULL_HANDLE, VK_NULL_HANDLE, from);
    const VkFenceGetFdInfoKHR get{
        .sType = VK_STRUCTURE_TYPE_FENCE_GET_FD_INFO_KHR, .fence = from, .handleType = type};
    int fd = -2;
    check(FN(lab, vkGetFenceFdKHR)(lab.device, &get, &fd), "vkGetFenceFdKHR");
    const VkImportFenceFdInfoKHR import{.sType = VK_STRUCTURE_TYPE_IMPORT_FENCE_FD_INFO_KHR,
                                        .fence = to,
                                        .flags = flags,
                                        .handleType = type,
                                        .fd = fd};
    check(FN(lab, vkImportFenceFdKHR)(lab.device, &import), "vkImportFenceFdKHR");
    check(vkWaitForFences(lab.device, 1, &to, VK_TRUE, UINT64_MAX), "vkWaitForFences");
    say("imported: VkResult %d", vkGetFenceStatus(lab.device, to));
    chain.expect_step(round);
    chain.check(what);
    check(vkResetFences(lab.device, 1, &to), "vkResetFences");
    check(vkQueueWaitIdle(lab.queue), "vkQueueWaitIdle");
    check(vkResetFences(lab.device, 1, &from), "vkResetFences");
  }
}

}  // namespace

CORNER(memory_fd) {
  Lab lab(memory_needs());
  share(lab, lab, VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT);
}

CORNER(memory_fd_between_devices) {
  Lab lab(memory_needs()), other(memory_needs());
  share(lab, other, VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT);
}

CORNER(dma_buf) {
  Lab lab(dma_buf_needs());
  share(lab, lab, VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT);
}

CORNER(dma_buf_between_devices) {
  Lab lab(dma_buf_needs());
  Lab other(dma_buf_needs());
  share(lab, other, VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT);
}

CORNER(semaphore_fd) {
  hand_over(VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_FD_BIT, 0, "opaque semaphores");
}

CORNER(semaphore_sync_fd) {
  hand_over(VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT, VK_SEMAPHORE_IMPORT_TEMPORARY_BIT,
            "sync-fd semaphores");
}

CORNER(fence_fd) {
  hand_fence_over(VK_EXTERNAL_FENCE_HANDLE_TYPE_OPAQUE_FD_BIT, VK_FENCE_IMPORT_TEMPORARY_BIT,
                  "opaque fences");
}

CORNER(fence_sync_fd) {
  hand_fence_over(VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT, VK_FENCE_IMPORT_TEMPORARY_BIT,
                  "sync-fd fences");
}

}  // namespace corners
