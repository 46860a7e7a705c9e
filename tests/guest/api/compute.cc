// Runs three kernels for some rounds and writes all that the device computed to a file, which a
// test compares bit by bit between a native run and one through pvgpu. What has only one right
// answer (whole numbers, the image) is checked here too. Uses what real compute programs use:
// specialization and push constants, several descriptor sets, indirect dispatch, a storage image,
// copies, timeline semaphores.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "floats.h"
#include "image.h"
#include "integers.h"
#include "vulkan_client.h"

namespace {

constexpr uint32_t kSide = 256, kWords = kSide * kSide, kLanes = 64, kRounds = 4;

struct Image {
  VkImage image;
  VkDeviceMemory memory;
  VkImageView view;
};

struct Layouts {
  VkDescriptorSetLayout set;
  VkPipelineLayout pipeline;
};

Image make_image(const client::Device& device) {
  Image result;
  const VkImageCreateInfo info{
      .sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
      .imageType = VK_IMAGE_TYPE_2D,
      .format = VK_FORMAT_R8G8B8A8_UNORM,
      .extent = {kSide, kSide, 1},
      .mipLevels = 1,
      .arrayLayers = 1,
      .samples = VK_SAMPLE_COUNT_1_BIT,
      .tiling = VK_IMAGE_TILING_OPTIMAL,
      .usage = VK_IMAGE_USAGE_STORAGE_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT};
  client::check(vkCreateImage(device.device, &info, nullptr, &result.image), "vkCreateImage");
  VkMemoryRequirements requirements;
  vkGetImageMemoryRequirements(device.device, result.image, &requirements);
  const VkMemoryAllocateInfo allocation{
      .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
      .allocationSize = requirements.size,
      .memoryTypeIndex = client::memory_type(device, requirements.memoryTypeBits, 0)};
  client::check(vkAllocateMemory(device.device, &allocation, nullptr, &result.memory),
                "vkAllocateMemory");
  client::check(vkBindImageMemory(device.device, result.image, result.memory, 0),
                "vkBindImageMemory");
  const VkImageViewCreateInfo view{.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
                                   .image = result.image,
                                   .viewType = VK_IMAGE_VIEW_TYPE_2D,
                                   .format = info.format,
                                   .subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1}};
  client::check(vkCreateImageView(device.device, &view, nullptr, &result.view),
                "vkCreateImageView");
  return result;
}

Layouts make_layouts(const client::Device& device) {
  std::array<VkDescriptorSetLayoutBinding, 4> bindings{};
  for (uint32_t i = 0; i < bindings.size(); ++i) {
    bindings[i] = {.binding = i,
                   .descriptorType = i == 3 ? VK_DESCRIPTOR_TYPE_STORAGE_IMAGE
                                            : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                   .descriptorCount = 1,
                   .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT};
  }
  Layouts result;
  const VkDescriptorSetLayoutCreateInfo set{
      .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
      .bindingCount = bindings.size(),
      .pBindings = bindings.data()};
  client::check(vkCreateDescriptorSetLayout(device.device, &set, nullptr, &result.set),
                "vkCreateDescriptorSetLayout");
  const VkPushConstantRange push{.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
                                 .size = sizeof(uint32_t)};
  const VkPipelineLayoutCreateInfo layout{.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                          .setLayoutCount = 1,
                                          .pSetLayouts = &result.set,
                                          .pushConstantRangeCount = 1,
                                          .pPushConstantRanges = &push};
  client::check(vkCreatePipelineLayout(device.device, &layout, nullptr, &result.pipeline),
                "vkCreatePipelineLayout");
  return result;
}

VkPipeline make_pipeline(const client::Device& device, const Layouts& layouts,
                         std::span<const uint32_t> code) {
  const VkShaderModuleCreateInfo module_info{.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
                                             .codeSize = code.size_bytes(),
                                             .pCode = code.data()};
  VkShaderModule module;
  client::check(vkCreateShaderModule(device.device, &module_info, nullptr, &module),
                "vkCreateShaderModule");
  const VkSpecializationMapEntry entry{.constantID = 0, .offset = 0, .size = sizeof kLanes};
  const VkSpecializationInfo specialization{
      .mapEntryCount = 1, .pMapEntries = &entry, .dataSize = sizeof kLanes, .pData = &kLanes};
  const VkComputePipelineCreateInfo info{
      .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
      .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                .module = module,
                .pName = "main",
                .pSpecializationInfo = &specialization},
      .layout = layouts.pipeline};
  VkPipeline result;
  client::check(vkCreateComputePipelines(device.device, VK_NULL_HANDLE, 1, &info, nullptr, &result),
                "vkCreateComputePipelines");
  vkDestroyShaderModule(device.device, module, nullptr);
  return result;
}

VkDescriptorPool make_descriptor_pool(const client::Device& device) {
  const std::array<VkDescriptorPoolSize, 2> sizes{
      {{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 6}, {VK_DESCRIPTOR_TYPE_STORAGE_IMAGE, 2}}};
  const VkDescriptorPoolCreateInfo info{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                        .maxSets = 2,
                                        .poolSizeCount = sizes.size(),
                                        .pPoolSizes = sizes.data()};
  VkDescriptorPool pool;
  client::check(vkCreateDescriptorPool(device.device, &info, nullptr, &pool),
                "vkCreateDescriptorPool");
  return pool;
}

VkDescriptorSet make_set(const client::Device& device, VkDescriptorPool pool,
                         const Layouts& layouts, std::array<VkBuffer, 3> buffers,
                         VkImageView view) {
  const VkDescriptorSetAllocateInfo allocation{
      .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
      .descriptorPool = pool,
      .descriptorSetCount = 1,
      .pSetLayouts = &layouts.set};
  VkDescriptorSet set;
  client::check(vkAllocateDescriptorSets(device.device, &allocation, &set),
                "vkAllocateDescriptorSets");
  std::array<VkDescriptorBufferInfo, 3> infos;
  for (size_t i = 0; i < buffers.size(); ++i) infos[i] = {buffers[i], 0, VK_WHOLE_SIZE};
  const VkDescriptorImageInfo image{VK_NULL_HANDLE, view, VK_IMAGE_LAYOUT_GENERAL};
  const std::array<VkWriteDescriptorSet, 2> writes{
      {{.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
        .dstSet = set,
        .dstBinding = 0,
        .descriptorCount = 1,
        .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
        .pBufferInfo = infos.data()},
       {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
        .dstSet = set,
        .dstBinding = 3,
        .descriptorCount = 1,
        .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_IMAGE,
        .pImageInfo = &image}}};
  vkUpdateDescriptorSets(device.device, writes.size(), writes.data(), 0, nullptr);
  for (uint32_t binding = 1; binding < 3; ++binding) {
    VkWriteDescriptorSet write = writes[0];
    write.dstBinding = binding;
    write.pBufferInfo = &infos[binding];
    vkUpdateDescriptorSets(device.device, 1, &write, 0, nullptr);
  }
  return set;
}

uint32_t mix_bits(uint32_t value) {
  value ^= value >> 16;
  value *= 0x7feb352du;
  value ^= value >> 15;
  value *= 0x846ca68bu;
  return value ^ (value >> 16);
}

// What integers.comp must have computed.
void verify(uint32_t seed, std::span<const uint32_t> input, std::span<const uint32_t> output,
            std::span<const uint32_t> total, std::span<const uint32_t> picture) {
  uint32_t sum = 0, largest = 0;
  for (uint32_t i = 0; i < kWords; ++i) {
    const uint32_t other = mix_bits(input[i ^ 1] + seed);
    const uint32_t value =
        mix_bits(input[i] + seed) + ((other >> 4) & 0xfffff) * 3 + std::popcount(other);
    if (output[i] != value) client::fail("integers.comp: a word is wrong");
    if (picture[i] != input[i] + seed) client::fail("image.comp: a pixel is wrong");
    sum += value;
    largest = std::max(largest, value);
  }
  if (total[0] != sum || total[1] != largest)
    client::fail("integers.comp: an atomic result is wrong");
}

// Everything that the rounds use, made once.
struct Work {
  client::Device device;
  client::Buffer input, integers, floats, total, picture, arguments;
  Image image;
  Layouts layouts;
  VkPipeline integer_pipeline, float_pipeline, image_pipeline;
  VkDescriptorPool pool;
  VkDescriptorSet integer_set, float_set;
};

Work make_work() {
  Work work{.device = client::open("compute")};
  const client::Device& device = work.device;
  const VkBufferUsageFlags storage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;
  work.input = client::make_buffer(device, kWords * 4, storage);
  work.integers = client::make_buffer(device, kWords * 4, storage);
  work.floats = client::make_buffer(device, kWords * 4, storage);
  work.total = client::make_buffer(device, 8, storage);
  work.picture = client::make_buffer(device, kWords * 4, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
  work.arguments = client::make_buffer(device, 12, VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT);
  work.image = make_image(device);
  work.layouts = make_layouts(device);
  work.integer_pipeline = make_pipeline(device, work.layouts, integers_spirv);
  work.float_pipeline = make_pipeline(device, work.layouts, floats_spirv);
  work.image_pipeline = make_pipeline(device, work.layouts, image_spirv);
  work.pool = make_descriptor_pool(device);
  work.integer_set =
      make_set(device, work.pool, work.layouts,
               {work.input.buffer, work.integers.buffer, work.total.buffer}, work.image.view);
  work.float_set =
      make_set(device, work.pool, work.layouts,
               {work.input.buffer, work.floats.buffer, work.total.buffer}, work.image.view);
  for (uint32_t i = 0; i < kWords; ++i) work.input.words()[i] = i * 2654435761u;
  const std::array<uint32_t, 3> groups{kWords / kLanes, 1, 1};
  std::memcpy(work.arguments.mapped, groups.data(), sizeof groups);
  return work;
}

void transition(VkCommandBuffer commands, VkImage image, VkImageLayout from, VkImageLayout to) {
  const VkImageMemoryBarrier barrier{
      .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
      .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
      .dstAccessMask = VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT,
      .oldLayout = from,
      .newLayout = to,
      .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
      .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
      .image = image,
      .subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1}};
  vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                       VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 0, nullptr, 0, nullptr, 1, &barrier);
}

void record_round(const Work& work, VkCommandBuffer commands, uint32_t seed) {
  const auto bind = [&](VkPipeline pipeline, VkDescriptorSet set) {
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, work.layouts.pipeline, 0, 1,
                            &set, 0, nullptr);
  };
  transition(commands, work.image.image, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_GENERAL);
  vkCmdPushConstants(commands, work.layouts.pipeline, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof seed,
                     &seed);
  bind(work.integer_pipeline, work.integer_set);
  vkCmdDispatchIndirect(commands, work.arguments.buffer, 0);
  bind(work.float_pipeline, work.float_set);
  vkCmdDispatch(commands, kWords / kLanes, 1, 1);
  bind(work.image_pipeline, work.integer_set);
  vkCmdDispatch(commands, kWords / kLanes, 1, 1);
  transition(commands, work.image.image, VK_IMAGE_LAYOUT_GENERAL,
             VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
  const VkBufferImageCopy whole{.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
                                .imageExtent = {kSide, kSide, 1}};
  vkCmdCopyImageToBuffer(commands, work.image.image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
                         work.picture.buffer, 1, &whole);
}

void destroy(Work& work) {
  VkDevice device = work.device.device;
  vkDestroyDescriptorPool(device, work.pool, nullptr);
  for (VkPipeline pipeline : {work.integer_pipeline, work.float_pipeline, work.image_pipeline}) {
    vkDestroyPipeline(device, pipeline, nullptr);
  }
  vkDestroyPipelineLayout(device, work.layouts.pipeline, nullptr);
  vkDestroyDescriptorSetLayout(device, work.layouts.set, nullptr);
  vkDestroyImageView(device, work.image.view, nullptr);
  vkDestroyImage(device, work.image.image, nullptr);
  vkFreeMemory(device, work.image.memory, nullptr);
  for (client::Buffer* buffer :
       {&work.input, &work.integers, &work.floats, &work.total, &work.picture, &work.arguments}) {
    client::destroy(work.device, *buffer);
  }
  client::close(work.device);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) client::fail("usage: compute OUTPUT");
  std::FILE* file = std::fopen(argv[1], "wb");
  if (!file) client::fail("cannot write the output");

  Work work = make_work();
  client::Timeline timeline(work.device);
  for (uint32_t round = 0; round < kRounds; ++round) {
    const uint32_t seed = round * 977 + 1;
    std::ranges::fill(work.total.words(), 0);
    timeline.run([&](VkCommandBuffer commands) { record_round(work, commands, seed); });
    verify(seed, work.input.words(), work.integers.words(), work.total.words(),
           work.picture.words());
    for (const client::Buffer* buffer :
         {&work.integers, &work.floats, &work.total, &work.picture}) {
      if (std::fwrite(buffer->mapped, 1, buffer->size, file) != buffer->size) {
        client::fail("cannot write the output");
      }
    }
  }
  timeline.destroy();
  destroy(work);
  if (std::fclose(file) != 0) client::fail("cannot write the output");
  std::puts("computed");
}
