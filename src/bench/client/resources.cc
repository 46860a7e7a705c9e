#include "bench/client/resources.h"

namespace pvgpu::bench::client {
namespace {

Memory allocate(const Gpu& gpu, const VkMemoryRequirements& requirements,
                VkMemoryPropertyFlags wanted, VkMemoryPropertyFlags preferred) {
  const uint32_t type = gpu.memory_type(requirements.memoryTypeBits, wanted, preferred);
  return Memory(gpu, VkMemoryAllocateInfo{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                          .allocationSize = requirements.size,
                                          .memoryTypeIndex = type});
}

RenderPass make_render_pass(const Gpu& gpu) {
  const VkAttachmentDescription attachment = target_attachment();
  const VkAttachmentReference color{.attachment = 0,
                                    .layout = VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL};
  const VkSubpassDescription subpass{.pipelineBindPoint = VK_PIPELINE_BIND_POINT_GRAPHICS,
                                     .colorAttachmentCount = 1,
                                     .pColorAttachments = &color};
  // Frames in flight draw into the same image, one after the other.
  const VkSubpassDependency dependency{
      .srcSubpass = VK_SUBPASS_EXTERNAL,
      .dstSubpass = 0,
      .srcStageMask = VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT,
      .dstStageMask = VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT,
      .srcAccessMask = VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT,
      .dstAccessMask = VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT};
  return RenderPass(gpu, VkRenderPassCreateInfo{.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO,
                                                .attachmentCount = 1,
                                                .pAttachments = &attachment,
                                                .subpassCount = 1,
                                                .pSubpasses = &subpass,
                                                .dependencyCount = 1,
                                                .pDependencies = &dependency});
}

}  // namespace

BoundBuffer::BoundBuffer(const Gpu& gpu, VkDeviceSize size, VkBufferUsageFlags usage,
                         VkMemoryPropertyFlags wanted, VkMemoryPropertyFlags preferred) {
  buffer =
      Buffer(gpu, VkBufferCreateInfo{
                      .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .size = size, .usage = usage});
  VkMemoryRequirements requirements;
  gpu.vk.GetBufferMemoryRequirements(gpu.device, buffer, &requirements);
  memory = allocate(gpu, requirements, wanted, preferred);
  check(gpu.vk.BindBufferMemory(gpu.device, buffer, memory, 0), "vkBindBufferMemory");
  if (wanted & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) {
    check(gpu.vk.MapMemory(gpu.device, memory, 0, VK_WHOLE_SIZE, 0, &mapped), "vkMapMemory");
  }
}

Target::Target(const Gpu& gpu) {
  image = Image(gpu, image_info(kFormat, kSize, VK_IMAGE_TILING_OPTIMAL,
                                VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT));
  VkMemoryRequirements requirements;
  gpu.vk.GetImageMemoryRequirements(gpu.device, image, &requirements);
  memory = allocate(gpu, requirements, 0, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);
  check(gpu.vk.BindImageMemory(gpu.device, image, memory, 0), "vkBindImageMemory");
  view = ImageView(gpu, view_info(image, kFormat));
  pass = make_render_pass(gpu);
  framebuffer =
      Framebuffer(gpu, VkFramebufferCreateInfo{.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
                                               .renderPass = pass,
                                               .attachmentCount = 1,
                                               .pAttachments = view.address(),
                                               .width = kSize,
                                               .height = kSize,
                                               .layers = 1});
}

RoundTrip::RoundTrip(const Gpu& gpu)
    : gpu_(gpu),
      image_(gpu, image_info(VK_FORMAT_R8G8B8A8_UNORM, 16, VK_IMAGE_TILING_LINEAR,
                             VK_IMAGE_USAGE_TRANSFER_SRC_BIT)) {}

void RoundTrip::operator()() const {
  const VkImageSubresource subresource{.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT};
  VkSubresourceLayout layout;
  gpu_.vk.GetImageSubresourceLayout(gpu_.device, image_, &subresource, &layout);
}

VkAttachmentDescription target_attachment() {
  return {.format = Target::kFormat,
          .samples = VK_SAMPLE_COUNT_1_BIT,
          .loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
          .storeOp = VK_ATTACHMENT_STORE_OP_STORE,
          .stencilLoadOp = VK_ATTACHMENT_LOAD_OP_DONT_CARE,
          .stencilStoreOp = VK_ATTACHMENT_STORE_OP_DONT_CARE,
          .initialLayout = VK_IMAGE_LAYOUT_UNDEFINED,
          .finalLayout = VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL};
}

VkImageCreateInfo image_info(VkFormat format, uint32_t size, VkImageTiling tiling,
                             VkImageUsageFlags usage) {
  return {.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
          .imageType = VK_IMAGE_TYPE_2D,
          .format = format,
          .extent = {size, size, 1},
          .mipLevels = 1,
          .arrayLayers = 1,
          .samples = VK_SAMPLE_COUNT_1_BIT,
          .tiling = tiling,
          .usage = usage,
          .initialLayout = VK_IMAGE_LAYOUT_UNDEFINED};
}

VkImageViewCreateInfo view_info(VkImage image, VkFormat format) {
  return {.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
          .image = image,
          .viewType = VK_IMAGE_VIEW_TYPE_2D,
          .format = format,
          .subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1}};
}

std::vector<VkDescriptorSet> allocate_sets(const Gpu& gpu, VkDescriptorPool pool, VkDescriptorSetLayout layout, uint32_t count) {
  const std::vector<VkDescriptorSetLayout> layouts(count, layout);
  std::vector<VkDescriptorSet> sets(count);
  const VkDescriptorSetAllocateInfo info{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                         .descriptorPool = pool,
                                         .descriptorSetCount = count,
                                         .pSetLayouts = layouts.data()};
  check(gpu.vk.AllocateDescriptorSets(gpu.device, &info, sets.data()), "vkAllocateDescriptorSets");
  return sets;
}

PipelineLayout make_pipeline_layout(const Gpu& gpu, VkShaderStageFlags stages,
                                    uint32_t push_constant_bytes) {
  const VkPushConstantRange range{.stageFlags = stages, .size = push_constant_bytes};
  return PipelineLayout(
      gpu, VkPipelineLayoutCreateInfo{.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                      .pushConstantRangeCount = 1,
                                      .pPushConstantRanges = &range});
}

}  // namespace pvgpu::bench::client
