// Makes random, valid sequences of Vulkan calls and prints a digest of all that each left in memory. The same seed gives the
// same calls, so a test compares the lines of a native run with those of a run through pvgpu.
//   usage: random_sequences FIRST_SEED COUNT
// What is random: which objects live, what is recorded (copies, clears, blits, kernels, directly or in secondary command
// buffers, with events and queries between), how work is submitted and waited for, and what the host reads and writes meanwhile.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "mix_buffers.h"
#include "vulkan_client.h"

namespace {

using client::check;

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15) {}
  uint32_t next() {  // splitmix64, the upper half
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return static_cast<uint32_t>((z ^ (z >> 31)) >> 32);
  }
  uint32_t below(uint32_t bound) { return next() % bound; }
  uint32_t between(uint32_t low, uint32_t high) { return low + below(high - low + 1); }
  bool one_in(uint32_t n) { return below(n) == 0; }

 private:
  uint64_t state_;
};

// FNV-1a.
class Digest {
 public:
  void add(const void* data, size_t size) {
    for (size_t i = 0; i < size; ++i) value_ = (value_ ^ static_cast<const uint8_t*>(data)[i]) * 0x100000001b3;
  }
  uint64_t value() const { return value_; }

 private:
  uint64_t value_ = 0xcbf29ce484222325;
};

struct Image {
  VkImage image;
  VkDeviceMemory memory;
  uint32_t side, levels, layers;

  uint32_t side_of(uint32_t level) const { return std::max(side >> level, 1u); }
};

// A submission whose end nobody has waited for yet.
struct InFlight {
  VkCommandBuffer commands;
  VkFence fence;
};

constexpr uint32_t kLanes = 32;
constexpr VkDeviceSize kStagingSize = 64 * 64 * 4;
constexpr VkImageLayout kLayout = VK_IMAGE_LAYOUT_GENERAL;

// What lives as long as the device.
struct Kernel {
  VkDescriptorSetLayout set_layout;
  VkPipelineLayout layout;
  VkPipeline pipeline;
};

Kernel make_kernel(const client::Device& device) {
  Kernel result;
  std::array<VkDescriptorSetLayoutBinding, 2> bindings{};
  for (uint32_t i = 0; i < bindings.size(); ++i)
    bindings[i] = {i, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr};
  const VkDescriptorSetLayoutCreateInfo set{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
                                            .bindingCount = bindings.size(),
                                            .pBindings = bindings.data()};
  check(vkCreateDescriptorSetLayout(device.device, &set, nullptr, &result.set_layout), "vkCreateDescriptorSetLayout");
  const VkPushConstantRange push{.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT, .size = 8};
  const VkPipelineLayoutCreateInfo layout{.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                          .setLayoutCount = 1,
                                          .pSetLayouts = &result.set_layout,
                                          .pushConstantRangeCount = 1,
                                          .pPushConstantRanges = &push};
  check(vkCreatePipelineLayout(device.device, &layout, nullptr, &result.layout), "vkCreatePipelineLayout");
  const VkShaderModuleCreateInfo code{
      .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = sizeof mix_buffers_spirv, .pCode = mix_buffers_spirv};
  VkShaderModule module;
  check(vkCreateShaderModule(device.device, &code, nullptr, &module), "vkCreateShaderModule");
  const VkSpecializationMapEntry entry{.constantID = 0, .offset = 0, .size = sizeof kLanes};
  const VkSpecializationInfo specialization{1, &entry, sizeof kLanes, &kLanes};
  const VkComputePipelineCreateInfo info{.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
                                         .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                                                   .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                                                   .module = module,
                                                   .pName = "main",
                                                   .pSpecializationInfo = &specialization},
                                         .layout = result.layout};
  check(vkCreateComputePipelines(device.device, VK_NULL_HANDLE, 1, &info, nullptr, &result.pipeline),
        "vkCreateComputePipelines");
  vkDestroyShaderModule(device.device, module, nullptr);
  return result;
}

void destroy(const client::Device& device, const Kernel& kernel) {
  vkDestroyPipeline(device.device, kernel.pipeline, nullptr);
  vkDestroyPipelineLayout(device.device, kernel.layout, nullptr);
  vkDestroyDescriptorSetLayout(device.device, kernel.set_layout, nullptr);
}

class Sequence {
 public:
  Sequence(const client::Device& device, const Kernel& kernel, uint64_t seed)
      : device_(device), kernel_(kernel), random_(seed), staging_(client::make_buffer(device, kStagingSize, kUsage)) {
    const VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 2 * kMaxSets};
    const VkDescriptorPoolCreateInfo pool{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                          .maxSets = kMaxSets,
                                          .poolSizeCount = 1,
                                          .pPoolSizes = &size};
    check(vkCreateDescriptorPool(device_.device, &pool, nullptr, &sets_), "vkCreateDescriptorPool");
    const VkEventCreateInfo event{.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO};
    check(vkCreateEvent(device_.device, &event, nullptr, &event_), "vkCreateEvent");
    const VkQueryPoolCreateInfo queries{
        .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO, .queryType = VK_QUERY_TYPE_OCCLUSION, .queryCount = kQueries};
    check(vkCreateQueryPool(device_.device, &queries, nullptr, &queries_), "vkCreateQueryPool");
    const VkSemaphoreCreateInfo semaphore{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
    check(vkCreateSemaphore(device_.device, &semaphore, nullptr, &semaphore_), "vkCreateSemaphore");
    while (buffers_.size() < 3) add_buffer();
    while (images_.size() < 2) add_image();
  }

  uint64_t run() {
    for (uint32_t step = random_.between(5, 15); step > 0; --step) {
      submit();
      if (random_.one_in(2)) host_step();
    }
    wait_for_all();
    const uint64_t digest = digest_of_everything();
    destroy();
    return digest;
  }

 private:
  static constexpr VkBufferUsageFlags kUsage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT |
                                               VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT;
  static constexpr uint32_t kMaxSets = 1024, kQueries = 4, kMostBuffers = 8, kMostImages = 5;

  // -- Objects ---------------------------------------------------------------------------------------

  client::Buffer& any_buffer() { return buffers_[random_.below(static_cast<uint32_t>(buffers_.size()))]; }
  Image& any_image() { return images_[random_.below(static_cast<uint32_t>(images_.size()))]; }

  void add_buffer() {
    buffers_.push_back(client::make_buffer(device_, 256 * random_.between(1, 64), kUsage));
    for (uint32_t& word : buffers_.back().words()) word = random_.next();
  }

  void add_image() {
    Image image{.side = random_.between(1, 64), .levels = 1, .layers = random_.between(1, 2)};
    while (image.side_of(image.levels - 1) > 1 && image.levels < 3 && random_.one_in(2)) ++image.levels;
    const VkImageCreateInfo info{.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
                                 .imageType = VK_IMAGE_TYPE_2D,
                                 .format = VK_FORMAT_R8G8B8A8_UNORM,
                                 .extent = {image.side, image.side, 1},
                                 .mipLevels = image.levels,
                                 .arrayLayers = image.layers,
                                 .samples = VK_SAMPLE_COUNT_1_BIT,
                                 .tiling = VK_IMAGE_TILING_OPTIMAL,
                                 .usage = VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT};
    check(vkCreateImage(device_.device, &info, nullptr, &image.image), "vkCreateImage");
    VkMemoryRequirements requirements;
    vkGetImageMemoryRequirements(device_.device, image.image, &requirements);
    const VkMemoryAllocateInfo allocation{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                          .allocationSize = requirements.size,
                                          .memoryTypeIndex = client::memory_type(device_, requirements.memoryTypeBits, 0)};
    check(vkAllocateMemory(device_.device, &allocation, nullptr, &image.memory), "vkAllocateMemory");
    check(vkBindImageMemory(device_.device, image.image, image.memory, 0), "vkBindImageMemory");
    client::run(device_, [&](VkCommandBuffer commands) {
      const VkImageMemoryBarrier barrier{.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
                                         .dstAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
                                         .oldLayout = VK_IMAGE_LAYOUT_UNDEFINED,
                                         .newLayout = kLayout,
                                         .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
                                         .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
                                         .image = image.image,
                                         .subresourceRange = whole(image)};
      vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 0, nullptr, 0,
                           nullptr, 1, &barrier);
      clear(commands, image, whole(image));
    });
    images_.push_back(image);
  }

  static VkImageSubresourceRange whole(const Image& image) {
    return {VK_IMAGE_ASPECT_COLOR_BIT, 0, image.levels, 0, image.layers};
  }

  void destroy(const Image& image) {
    vkDestroyImage(device_.device, image.image, nullptr);
    vkFreeMemory(device_.device, image.memory, nullptr);
  }

  void destroy() {
    for (client::Buffer& buffer : buffers_) client::destroy(device_, buffer);
    for (const Image& image : images_) destroy(image);
    client::destroy(device_, staging_);
    vkDestroySemaphore(device_.device, semaphore_, nullptr);
    vkDestroyQueryPool(device_.device, queries_, nullptr);
    vkDestroyEvent(device_.device, event_, nullptr);
    vkDestroyDescriptorPool(device_.device, sets_, nullptr);
  }

  // -- Recording -------------------------------------------------------------------------------------

  void fill(VkCommandBuffer commands) {
    const client::Buffer& buffer = any_buffer();
    const VkDeviceSize offset = 4 * random_.below(static_cast<uint32_t>(buffer.size / 4));
    const VkDeviceSize size = 4 * random_.between(1, static_cast<uint32_t>((buffer.size - offset) / 4));
    vkCmdFillBuffer(commands, buffer.buffer, offset, random_.one_in(3) ? VK_WHOLE_SIZE : size, random_.next());
  }

  void update(VkCommandBuffer commands) {
    const client::Buffer& buffer = any_buffer();
    std::vector<uint32_t> words(random_.between(1, static_cast<uint32_t>(buffer.size / 4)));
    for (uint32_t& word : words) word = random_.next();
    const VkDeviceSize room = buffer.size / 4 - words.size();
    vkCmdUpdateBuffer(commands, buffer.buffer, 4 * random_.below(static_cast<uint32_t>(room + 1)), 4 * words.size(),
                      words.data());
  }

  void copy_buffer(VkCommandBuffer commands) {
    const client::Buffer &from = any_buffer(), &to = any_buffer();
    if (from.buffer == to.buffer) return fill(commands);
    std::array<VkBufferCopy, 3> regions;
    const uint32_t count = random_.between(1, regions.size());
    // Each region writes a third of its own, so that none overlap.
    const auto third = static_cast<uint32_t>(to.size / 4 / 3);
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t words = random_.between(1, std::min(third, static_cast<uint32_t>(from.size / 4)));
      regions[i] = {4 * random_.below(static_cast<uint32_t>(from.size / 4) - words + 1),
                    4 * (third * i + random_.below(third - words + 1)), 4 * VkDeviceSize{words}};
    }
    vkCmdCopyBuffer(commands, from.buffer, to.buffer, count, regions.data());
  }

  void clear(VkCommandBuffer commands, const Image& image, VkImageSubresourceRange range) {
    VkClearColorValue color;
    for (float& channel : color.float32) channel = static_cast<float>(random_.below(256)) / 255;
    vkCmdClearColorImage(commands, image.image, kLayout, &color, 1, &range);
  }

  VkImageSubresourceLayers any_part(const Image& image) {
    return {VK_IMAGE_ASPECT_COLOR_BIT, random_.below(image.levels), random_.below(image.layers), 1};
  }

  void clear_image(VkCommandBuffer commands) {
    const Image& image = any_image();
    const VkImageSubresourceLayers part = any_part(image);
    clear(commands, image, {VK_IMAGE_ASPECT_COLOR_BIT, part.mipLevel, 1, part.baseArrayLayer, 1});
  }

  void copy_between(VkCommandBuffer commands, bool to_image) {
    const Image& image = any_image();
    const client::Buffer& buffer = any_buffer();
    const VkImageSubresourceLayers part = any_part(image);
    uint32_t side = random_.between(1, image.side_of(part.mipLevel));
    while (VkDeviceSize{side} * side * 4 > buffer.size) side /= 2;
    const uint32_t room = image.side_of(part.mipLevel) - side;
    const VkDeviceSize rest = buffer.size - VkDeviceSize{side} * side * 4;
    const VkBufferImageCopy region{
        .bufferOffset = 4 * random_.below(static_cast<uint32_t>(rest / 4) + 1),
        .imageSubresource = part,
        .imageOffset = {static_cast<int32_t>(random_.below(room + 1)), static_cast<int32_t>(random_.below(room + 1)), 0},
        .imageExtent = {side, side, 1}};
    if (to_image)
      vkCmdCopyBufferToImage(commands, buffer.buffer, image.image, kLayout, 1, &region);
    else
      vkCmdCopyImageToBuffer(commands, image.image, kLayout, buffer.buffer, 1, &region);
  }

  void copy_image(VkCommandBuffer commands) {
    const Image &from = any_image(), &to = any_image();
    if (from.image == to.image) return clear_image(commands);
    const VkImageSubresourceLayers source = any_part(from), target = any_part(to);
    const uint32_t side = random_.between(1, std::min(from.side_of(source.mipLevel), to.side_of(target.mipLevel)));
    const auto offset = [&](uint32_t room) {
      return VkOffset3D{static_cast<int32_t>(random_.below(room + 1)), static_cast<int32_t>(random_.below(room + 1)), 0};
    };
    const VkOffset3D from_offset = offset(from.side_of(source.mipLevel) - side);
    const VkOffset3D to_offset = offset(to.side_of(target.mipLevel) - side);
    const VkImageCopy region{source, from_offset, target, to_offset, {side, side, 1}};
    vkCmdCopyImage(commands, from.image, kLayout, to.image, kLayout, 1, &region);
  }

  void blit(VkCommandBuffer commands) {
    const Image &from = any_image(), &to = any_image();
    if (from.image == to.image) return clear_image(commands);
    const VkImageSubresourceLayers source = any_part(from), target = any_part(to);
    const auto corner = [](uint32_t side) { return VkOffset3D{static_cast<int32_t>(side), static_cast<int32_t>(side), 1}; };
    VkImageBlit region{.srcSubresource = source, .dstSubresource = target};
    region.srcOffsets[1] = corner(from.side_of(source.mipLevel));
    region.dstOffsets[1] = corner(to.side_of(target.mipLevel));
    vkCmdBlitImage(commands, from.image, kLayout, to.image, kLayout, 1, &region, VK_FILTER_NEAREST);
  }

  VkDescriptorSet make_set(const client::Buffer& source, const client::Buffer& target) {
    const VkDescriptorSetAllocateInfo info{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                           .descriptorPool = sets_,
                                           .descriptorSetCount = 1,
                                           .pSetLayouts = &kernel_.set_layout};
    VkDescriptorSet set;
    check(vkAllocateDescriptorSets(device_.device, &info, &set), "vkAllocateDescriptorSets");
    const VkDescriptorBufferInfo infos[] = {{source.buffer, 0, VK_WHOLE_SIZE}, {target.buffer, 0, target.size}};
    const VkWriteDescriptorSet write{.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                     .dstSet = set,
                                     .descriptorCount = 2,
                                     .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                     .pBufferInfo = infos};
    vkUpdateDescriptorSets(device_.device, 1, &write, 0, nullptr);
    return set;
  }

  void dispatch(VkCommandBuffer commands) {
    const client::Buffer &source = any_buffer(), &target = any_buffer();
    if (source.buffer == target.buffer) return update(commands);
    const VkDescriptorSet set = make_set(source, target);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel_.pipeline);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel_.layout, 0, 1, &set, 0, nullptr);
    const uint32_t push[] = {random_.next(), random_.below(1000)};
    vkCmdPushConstants(commands, kernel_.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof push, push);
    const uint32_t groups = random_.between(1, 8);
    if (random_.one_in(2)) return vkCmdDispatch(commands, groups, 1, 1);
    const VkDispatchIndirectCommand indirect{groups, 1, 1};
    vkCmdUpdateBuffer(commands, staging_.buffer, 0, sizeof indirect, &indirect);
    barrier(commands);
    vkCmdDispatchIndirect(commands, staging_.buffer, 0);
  }

  void query(VkCommandBuffer commands) {
    const client::Buffer& buffer = any_buffer();
    vkCmdResetQueryPool(commands, queries_, 0, kQueries);
    for (uint32_t i = 0; i < kQueries; ++i) {
      vkCmdBeginQuery(commands, queries_, i, 0);
      vkCmdEndQuery(commands, queries_, i);
    }
    vkCmdCopyQueryPoolResults(commands, queries_, 0, kQueries, buffer.buffer, 0, 8,
                              VK_QUERY_RESULT_WAIT_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT);
  }

  void event(VkCommandBuffer commands) {
    vkCmdSetEvent(commands, event_, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
    const VkMemoryBarrier all{.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                              .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
                              .dstAccessMask = VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT};
    vkCmdWaitEvents(commands, 1, &event_, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 1, &all, 0,
                    nullptr, 0, nullptr);
    vkCmdResetEvent(commands, event_, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
  }

  void secondary(VkCommandBuffer commands) {
    const VkCommandBufferInheritanceInfo inheritance{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO};
    VkCommandBuffer inner = begin(VK_COMMAND_BUFFER_LEVEL_SECONDARY, &inheritance);
    for (uint32_t i = random_.between(1, 3); i > 0; --i) record_one(inner, false);
    check(vkEndCommandBuffer(inner), "vkEndCommandBuffer");
    vkCmdExecuteCommands(commands, 1, &inner);
    secondaries_.push_back(inner);
  }

  void record_one(VkCommandBuffer commands, bool primary) {
    switch (random_.below(primary ? 11 : 9)) {
      case 0: fill(commands); break;
      case 1: update(commands); break;
      case 2: copy_buffer(commands); break;
      case 3: clear_image(commands); break;
      case 4: copy_between(commands, true); break;
      case 5: copy_between(commands, false); break;
      case 6: copy_image(commands); break;
      case 7: blit(commands); break;
      case 8: dispatch(commands); break;
      case 9: random_.one_in(2) ? query(commands) : event(commands); break;
      case 10: secondary(commands); break;
    }
    barrier(commands);
  }

  void barrier(VkCommandBuffer commands) {
    const VkMemoryBarrier all{.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                              .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT | VK_ACCESS_MEMORY_READ_BIT,
                              .dstAccessMask = VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT};
    vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 1, &all, 0,
                         nullptr, 0, nullptr);
  }

  VkCommandBuffer begin(VkCommandBufferLevel level, const VkCommandBufferInheritanceInfo* inheritance) {
    const VkCommandBufferAllocateInfo allocation{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                                 .commandPool = device_.commands,
                                                 .level = level,
                                                 .commandBufferCount = 1};
    VkCommandBuffer commands;
    check(vkAllocateCommandBuffers(device_.device, &allocation, &commands), "vkAllocateCommandBuffers");
    const VkCommandBufferBeginInfo info{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                        .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
                                        .pInheritanceInfo = inheritance};
    check(vkBeginCommandBuffer(commands, &info), "vkBeginCommandBuffer");
    return commands;
  }

  VkCommandBuffer record() {
    VkCommandBuffer commands = begin(VK_COMMAND_BUFFER_LEVEL_PRIMARY, nullptr);
    barrier(commands);  // after whatever was submitted before
    for (uint32_t i = random_.between(1, 12); i > 0; --i) record_one(commands, true);
    client::full_barrier(commands);
    check(vkEndCommandBuffer(commands), "vkEndCommandBuffer");
    return commands;
  }

  // -- Submitting and waiting ------------------------------------------------------------------------

  void submit() {
    const bool chained = random_.one_in(3);
    std::array<VkCommandBuffer, 2> commands = {record(), VK_NULL_HANDLE};
    if (chained) commands[1] = record();
    const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    const std::array<VkSubmitInfo, 2> infos = {
        VkSubmitInfo{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                     .commandBufferCount = 1,
                     .pCommandBuffers = &commands[0],
                     .signalSemaphoreCount = chained ? 1u : 0u,
                     .pSignalSemaphores = &semaphore_},
        VkSubmitInfo{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                     .waitSemaphoreCount = 1,
                     .pWaitSemaphores = &semaphore_,
                     .pWaitDstStageMask = &stage,
                     .commandBufferCount = 1,
                     .pCommandBuffers = &commands[1]}};
    const VkFenceCreateInfo info{.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkFence fence;
    check(vkCreateFence(device_.device, &info, nullptr, &fence), "vkCreateFence");
    if (chained && random_.one_in(2)) {
      check(vkQueueSubmit(device_.queue, 1, &infos[0], VK_NULL_HANDLE), "vkQueueSubmit");
      check(vkQueueSubmit(device_.queue, 1, &infos[1], fence), "vkQueueSubmit");
    } else {
      check(vkQueueSubmit(device_.queue, chained ? 2 : 1, infos.data(), fence), "vkQueueSubmit");
    }
    if (chained) in_flight_.push_back({commands[0], VK_NULL_HANDLE});
    in_flight_.push_back({commands[chained ? 1 : 0], fence});
    // The event is one for all: what uses it must not run beside another use.
    if (random_.one_in(2)) wait_for_all();
  }

  void wait_for_all() {
    switch (random_.below(3)) {
      case 0:
        for (const InFlight& work : in_flight_)
          if (work.fence) check(vkWaitForFences(device_.device, 1, &work.fence, VK_TRUE, UINT64_MAX), "vkWaitForFences");
        break;
      case 1: check(vkQueueWaitIdle(device_.queue), "vkQueueWaitIdle"); break;
      default: check(vkDeviceWaitIdle(device_.device), "vkDeviceWaitIdle"); break;
    }
    for (const InFlight& work : in_flight_) {
      if (work.fence) {
        check(vkGetFenceStatus(device_.device, work.fence), "vkGetFenceStatus");
        vkDestroyFence(device_.device, work.fence, nullptr);
      }
      vkFreeCommandBuffers(device_.device, device_.commands, 1, &work.commands);
    }
    in_flight_.clear();
    if (!secondaries_.empty())
      vkFreeCommandBuffers(device_.device, device_.commands, static_cast<uint32_t>(secondaries_.size()), secondaries_.data());
    secondaries_.clear();
  }

  // -- The host between submissions ------------------------------------------------------------------

  void host_step() {
    wait_for_all();
    switch (random_.below(5)) {
      case 0: {
        auto words = any_buffer().words();
        for (uint32_t i = random_.between(1, 100); i > 0; --i) words[random_.below(static_cast<uint32_t>(words.size()))] ^= random_.next();
        break;
      }
      case 1:
        if (buffers_.size() < kMostBuffers) add_buffer();
        break;
      case 2:
        if (images_.size() < kMostImages) add_image();
        break;
      case 3:
        if (buffers_.size() > 2) {
          const auto victim = buffers_.begin() + random_.below(static_cast<uint32_t>(buffers_.size()));
          digest_.add(victim->mapped, victim->size);
          client::destroy(device_, *victim);
          buffers_.erase(victim);
        }
        break;
      case 4:
        if (images_.size() > 1) {
          destroy(images_.back());
          images_.pop_back();
        }
        check(vkResetCommandPool(device_.device, device_.commands,
                                 random_.one_in(2) ? VK_COMMAND_POOL_RESET_RELEASE_RESOURCES_BIT : 0),
              "vkResetCommandPool");
        break;
    }
  }

  uint64_t digest_of_everything() {
    for (const client::Buffer& buffer : buffers_) digest_.add(buffer.mapped, buffer.size);
    for (const Image& image : images_) {
      for (uint32_t level = 0; level < image.levels; ++level) {
        for (uint32_t layer = 0; layer < image.layers; ++layer) {
          const uint32_t side = image.side_of(level);
          client::run(device_, [&](VkCommandBuffer commands) {
            const VkBufferImageCopy region{.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, level, layer, 1},
                                           .imageExtent = {side, side, 1}};
            vkCmdCopyImageToBuffer(commands, image.image, kLayout, staging_.buffer, 1, &region);
          });
          digest_.add(staging_.mapped, size_t{side} * side * 4);
        }
      }
    }
    return digest_.value();
  }

  const client::Device& device_;
  const Kernel& kernel_;
  Random random_;
  Digest digest_;
  client::Buffer staging_;
  std::vector<client::Buffer> buffers_;
  std::vector<Image> images_;
  std::vector<InFlight> in_flight_;
  std::vector<VkCommandBuffer> secondaries_;
  VkDescriptorPool sets_ = VK_NULL_HANDLE;
  VkEvent event_ = VK_NULL_HANDLE;
  VkQueryPool queries_ = VK_NULL_HANDLE;
  VkSemaphore semaphore_ = VK_NULL_HANDLE;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) client::fail("usage: random_sequences FIRST_SEED COUNT");
  const uint64_t first = std::strtoull(argv[1], nullptr, 10), count = std::strtoull(argv[2], nullptr, 10);
  constexpr uint64_t kSequencesPerDevice = 50;
  for (uint64_t i = 0; i < count;) {
    client::Device device = client::open("random_sequences");
    const Kernel kernel = make_kernel(device);
    for (uint64_t end = std::min(count, i + kSequencesPerDevice); i < end; ++i) {
      const uint64_t digest = Sequence(device, kernel, first + i).run();
      std::printf("%llu %016llx\n", static_cast<unsigned long long>(first + i), static_cast<unsigned long long>(digest));
      std::fflush(stdout);
    }
    destroy(device, kernel);
    client::close(device);
  }
}
