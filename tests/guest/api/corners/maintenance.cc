// What the maintenance extensions added: second forms of old commands, answers without objects.
#include <array>
#include <cstdint>
#include <cstring>

#include "chain.h"
#include "cover_vert.h"
#include "gradient_frag.h"
#include "image_atomics64_comp.h"

namespace corners {
namespace {

using client::check;

void say_layout(const char* what, const VkSubresourceLayout& layout) {
  const auto wide = [](VkDeviceSize size) { return static_cast<unsigned long long>(size); };
  say("%s: offset %llu, size %llu, pitches %llu %llu %llu", what, wide(layout.offset),
      wide(layout.size), wide(layout.rowPitch), wide(layout.arrayPitch), wide(layout.depthPitch));
}

}  // namespace

// The layout of a linear image is the same before and after there is one; an index buffer is
// bound with its size.
CORNER(maintenance_5) {
  Lab lab(Needs()
              .extension(VK_KHR_MAINTENANCE_5_EXTENSION_NAME)
              .FEATURE(VkPhysicalDeviceMaintenance5FeaturesKHR, maintenance5));
  const VkImageCreateInfo image_info{.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
                                     .imageType = VK_IMAGE_TYPE_2D,
                                     .format = VK_FORMAT_R8G8B8A8_UNORM,
                                     .extent = {100, 37, 1},
                                     .mipLevels = 1,
                                     .arrayLayers = 1,
                                     .samples = VK_SAMPLE_COUNT_1_BIT,
                                     .tiling = VK_IMAGE_TILING_LINEAR,
                                     .usage = VK_IMAGE_USAGE_TRANSFER_DST_BIT};
  const VkImageSubresource2KHR of{.sType = VK_STRUCTURE_TYPE_IMAGE_SUBRESOURCE_2_KHR,
                                  .imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0}};
  const VkDeviceImageSubresourceInfoKHR ask{
      .sType = VK_STRUCTURE_TYPE_DEVICE_IMAGE_SUBRESOURCE_INFO_KHR,
      .pCreateInfo = &image_info,
      .pSubresource = &of};
  VkSubresourceLayout2KHR early{.sType = VK_STRUCTURE_TYPE_SUBRESOURCE_LAYOUT_2_KHR};
  FN(lab, vkGetDeviceImageSubresourceLayoutKHR)(lab.device, &ask, &early);
  VkImage image;
  check(vkCreateImage(lab.device, &image_info, nullptr, &image), "vkCreateImage");
  VkSubresourceLayout2KHR late{.sType = VK_STRUCTURE_TYPE_SUBRESOURCE_LAYOUT_2_KHR};
  FN(lab, vkGetImageSubresourceLayout2KHR)(lab.device, image, &of, &late);
  vkDestroyImage(lab.device, image, nullptr);
  say_layout("without an image", early.subresourceLayout);
  say_layout("with one", late.subresourceLayout);

  const Image picture = lab.image();
  const VkPipeline pipeline =
      lab.graphics_pipeline({.stages = {{VK_SHADER_STAGE_VERTEX_BIT, cover_vert_spirv},
                                        {VK_SHADER_STAGE_FRAGMENT_BIT, gradient_frag_spirv}},
                             .layout = lab.pipeline_layout({})});
  const client::Buffer indices = lab.buffer(64, VK_BUFFER_USAGE_INDEX_BUFFER_BIT);
  for (uint32_t i = 0; i < 3; ++i) indices.words()[4 + i] = 6 + i;  // the third triangle
  lab.run([&](VkCommandBuffer commands) {
    transition(commands, picture, VK_IMAGE_LAYOUT_UNDEFINED,
               VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL);
    begin_rendering(commands, picture);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
    FN(lab, vkCmdBindIndexBuffer2KHR)(commands, indices.buffer, 16, 12, VK_INDEX_TYPE_UINT32);
    vkCmdDrawIndexed(commands, 3, 1, 0, 0, 0);
    vkCmdEndRendering(commands);
    transition(commands, picture, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL,
               VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
  });
  const auto bytes = lab.read(picture, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
  say("the triangle is at depth %u", bytes[2]);
  const VkRenderingAreaInfoKHR area{.sType = VK_STRUCTURE_TYPE_RENDERING_AREA_INFO_KHR,
                                    .colorAttachmentCount = 1,
                                    .pColorAttachmentFormats = &picture.spec.format};
  VkExtent2D granularity{};
  FN(lab, vkGetRenderingAreaGranularityKHR)(lab.device, &area, &granularity);
  say("granularity %ux%u", granularity.width, granularity.height);
}

// Sets and constants bound by the commands' second forms; one result for each memory bound.
CORNER(maintenance_6) {
  Lab lab(Needs()
              .extension(VK_KHR_MAINTENANCE_6_EXTENSION_NAME)
              .FEATURE(VkPhysicalDeviceMaintenance6FeaturesKHR, maintenance6));
  Chain chain(lab);
  const uint32_t add = 31;
  lab.run([&](VkCommandBuffer commands) {
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, chain.pipeline);
    const VkBindDescriptorSetsInfoKHR sets{.sType = VK_STRUCTURE_TYPE_BIND_DESCRIPTOR_SETS_INFO_KHR,
                                           .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
                                           .layout = chain.layout,
                                           .descriptorSetCount = 1,
                                           .pDescriptorSets = &chain.set};
    FN(lab, vkCmdBindDescriptorSets2KHR)(commands, &sets);
    const VkPushConstantsInfoKHR constants{.sType = VK_STRUCTURE_TYPE_PUSH_CONSTANTS_INFO_KHR,
                                           .layout = chain.layout,
                                           .stageFlags = VK_SHADER_STAGE_ALL,
                                           .size = 4,
                                           .pValues = &add};
    FN(lab, vkCmdPushConstants2KHR)(commands, &constants);
    vkCmdDispatch(commands, Chain::kWords / 64, 1, 1);
  });
  chain.expect_step(add);
  chain.check("a step by second forms");

  const VkBufferCreateInfo info{.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                .size = 256,
                                .usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT};
  std::array<VkBuffer, 2> buffers;
  std::array<VkBindBufferMemoryInfo, 2> binds;
  std::array<VkBindMemoryStatusKHR, 2> statuses;
  std::array<VkResult, 2> results{VK_ERROR_UNKNOWN, VK_ERROR_UNKNOWN};
  VkMemoryRequirements requirements;
  for (VkBuffer& buffer : buffers) {
    check(vkCreateBuffer(lab.device, &info, nullptr, &buffer), "vkCreateBuffer");
    vkGetBufferMemoryRequirements(lab.device, buffer, &requirements);
  }
  const VkMemoryAllocateInfo allocation{
      .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
      .allocationSize = 65536,
      .memoryTypeIndex = client::memory_type(lab, requirements.memoryTypeBits, 0)};
  VkDeviceMemory memory;
  check(vkAllocateMemory(lab.device, &allocation, nullptr, &memory), "vkAllocateMemory");
  for (uint32_t i = 0; i < 2; ++i) {
    statuses[i] = {.sType = VK_STRUCTURE_TYPE_BIND_MEMORY_STATUS_KHR, .pResult = &results[i]};
    binds[i] = {.sType = VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_INFO,
                .pNext = &statuses[i],
                .buffer = buffers[i],
                .memory = memory,
                .memoryOffset = i * 32768};
  }
  check(vkBindBufferMemory2(lab.device, 2, binds.data()), "vkBindBufferMemory2");
  say("each bind: VkResult %d, %d", results[0], results[1]);
  for (VkBuffer buffer : buffers) vkDestroyBuffer(lab.device, buffer, nullptr);
  vkFreeMemory(lab.device, memory, nullptr);
}

CORNER(image_atomics_64) {
  Lab lab(Needs()
              .extension(VK_EXT_SHADER_IMAGE_ATOMIC_INT64_EXTENSION_NAME)
              .CORE_FEATURE(shaderInt64)
              .FEATURE(VkPhysicalDeviceShaderImageAtomicInt64FeaturesEXT, shaderImageInt64Atomics));
  const Image image =
      lab.image({.format = VK_FORMAT_R64_UINT,
                 .extent = {4, 4, 1},
                 .usage = VK_IMAGE_USAGE_STORAGE_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT |
                          VK_IMAGE_USAGE_TRANSFER_DST_BIT});
  const VkDescriptorSetLayout set_layout =
      lab.set_layout(std::array{Binding{VK_DESCRIPTOR_TYPE_STORAGE_IMAGE}});
  const VkPipelineLayout layout = lab.pipeline_layout({&set_layout, 1});
  const VkPipeline pipeline = lab.compute_pipeline(layout, image_atomics64_comp_spirv);
  const VkDescriptorSet set = lab.image_set(set_layout, VK_DESCRIPTOR_TYPE_STORAGE_IMAGE, image,
                                            VK_IMAGE_LAYOUT_GENERAL);
  lab.run([&](VkCommandBuffer commands) {
    transition(commands, image, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_GENERAL);
    const VkClearColorValue zero{};
    const VkImageSubresourceRange range = image.range();
    vkCmdClearColorImage(commands, image.image, VK_IMAGE_LAYOUT_GENERAL, &zero, 1, &range);
    barrier(commands);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &set, 0,
                            nullptr);
    vkCmdDispatch(commands, 4, 1, 1);
  });
  const auto bytes = lab.read(image, VK_IMAGE_LAYOUT_GENERAL);
  for (uint64_t texel = 0; texel < 16; ++texel) {
    uint64_t sum = 0, got;
    for (uint64_t i = texel; i < 256; i += 16) sum += i * 0x100000001u;
    std::memcpy(&got, &bytes[texel * 8], 8);
    expect(got == sum, "sixteen sums");
  }
  say_bytes("sums", bytes);
}

}  // namespace corners
