// What a Lab draws with, and what it records.
#include "lab.h"

namespace corners {

VkPipeline Lab::graphics_pipeline(const GraphicsSpec& spec) {
  std::vector<VkPipelineShaderStageCreateInfo> stages;
  bool mesh = false;
  for (const Stage& stage : spec.stages) {
    stages.push_back({.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                      .stage = stage.stage,
                      .module = shader(stage.code),
                      .pName = "main"});
    mesh |= stage.stage == VK_SHADER_STAGE_MESH_BIT_EXT;
  }
  const VkPipelineVertexInputStateCreateInfo input{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_VERTEX_INPUT_STATE_CREATE_INFO};
  const VkPipelineInputAssemblyStateCreateInfo assembly{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_INPUT_ASSEMBLY_STATE_CREATE_INFO,
      .topology = spec.topology};
  const VkPipelineViewportStateCreateInfo viewport{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_VIEWPORT_STATE_CREATE_INFO,
      .viewportCount = 1,
      .scissorCount = 1};
  const VkPipelineRasterizationStateCreateInfo rasterization{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_STATE_CREATE_INFO,
      .rasterizerDiscardEnable = !spec.rasterize,
      .lineWidth = 1};
  const VkPipelineMultisampleStateCreateInfo multisample{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_MULTISAMPLE_STATE_CREATE_INFO,
      .rasterizationSamples = spec.samples};
  const VkPipelineDepthStencilStateCreateInfo depth{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_DEPTH_STENCIL_STATE_CREATE_INFO,
      .depthTestEnable = spec.depth != VK_FORMAT_UNDEFINED,
      .depthWriteEnable = VK_TRUE,
      .depthCompareOp = VK_COMPARE_OP_LESS};
  const std::vector<VkPipelineColorBlendAttachmentState> attachments(
      spec.colors.size(), VkPipelineColorBlendAttachmentState{.colorWriteMask = 0xf});
  const VkPipelineColorBlendStateCreateInfo blend{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_COLOR_BLEND_STATE_CREATE_INFO,
      .attachmentCount = uint32_t(attachments.size()),
      .pAttachments = attachments.data()};
  const VkDynamicState dynamic_states[]{VK_DYNAMIC_STATE_VIEWPORT, VK_DYNAMIC_STATE_SCISSOR};
  const VkPipelineDynamicStateCreateInfo dynamic{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_DYNAMIC_STATE_CREATE_INFO,
      .dynamicStateCount = 2,
      .pDynamicStates = dynamic_states};
  const VkPipelineRenderingCreateInfo rendering{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_RENDERING_CREATE_INFO,
      .pNext = spec.next,
      .viewMask = spec.view_mask,
      .colorAttachmentCount = uint32_t(spec.colors.size()),
      .pColorAttachmentFormats = spec.colors.data(),
      .depthAttachmentFormat = spec.depth};
  const VkGraphicsPipelineCreateInfo info{.sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
                                          .pNext = spec.render_pass ? spec.next : &rendering,
                                          .flags = spec.flags,
                                          .stageCount = uint32_t(stages.size()),
                                          .pStages = stages.data(),
                                          .pVertexInputState = mesh ? nullptr : &input,
                                          .pInputAssemblyState = mesh ? nullptr : &assembly,
                                          .pViewportState = &viewport,
                                          .pRasterizationState = &rasterization,
                                          .pMultisampleState = &multisample,
                                          .pDepthStencilState = &depth,
                                          .pColorBlendState = &blend,
                                          .pDynamicState = &dynamic,
                                          .layout = spec.layout,
                                          .renderPass = spec.render_pass,
                                          .subpass = spec.subpass};
  VkPipeline pipeline;
  client::check(vkCreateGraphicsPipelines(device, spec.cache, 1, &info, nullptr, &pipeline),
                "vkCreateGraphicsPipelines");
  at_end([=, this] { vkDestroyPipeline(device, pipeline, nullptr); });
  return pipeline;
}

void barrier(VkCommandBuffer commands) {
  client::full_barrier(commands);
}

void transition(VkCommandBuffer commands, const Image& image, VkImageLayout from,
                VkImageLayout to) {
  client::transition(commands, image.image, image.range(), from, to);
}

void begin(VkCommandBuffer commands, VkCommandBufferUsageFlags flags,
           const VkCommandBufferInheritanceInfo* inheritance) {
  const VkCommandBufferBeginInfo info{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                      .flags = flags,
                                      .pInheritanceInfo = inheritance};
  client::check(vkBeginCommandBuffer(commands, &info), "vkBeginCommandBuffer");
}

void end(VkCommandBuffer commands) {
  client::check(vkEndCommandBuffer(commands), "vkEndCommandBuffer");
}

void set_viewport(VkCommandBuffer commands, const Image& image) {
  const VkRect2D area = image.area();
  const VkViewport viewport{0, 0, float(area.extent.width), float(area.extent.height), 0, 1};
  vkCmdSetViewport(commands, 0, 1, &viewport);
  vkCmdSetScissor(commands, 0, 1, &area);
}

void begin_rendering(VkCommandBuffer commands, const Image& image, VkClearColorValue clear,
                     VkRenderingFlags flags, uint32_t view_mask) {
  const VkRenderingAttachmentInfo color{.sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO,
                                        .imageView = image.view,
                                        .imageLayout = VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL,
                                        .loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
                                        .storeOp = VK_ATTACHMENT_STORE_OP_STORE,
                                        .clearValue = {.color = clear}};
  const VkRenderingInfo info{.sType = VK_STRUCTURE_TYPE_RENDERING_INFO,
                             .flags = flags,
                             .renderArea = image.area(),
                             .layerCount = 1,
                             .viewMask = view_mask,
                             .colorAttachmentCount = 1,
                             .pColorAttachments = &color};
  vkCmdBeginRendering(commands, &info);
  if (!(flags & VK_RENDERING_CONTENTS_SECONDARY_COMMAND_BUFFERS_BIT)) {
    set_viewport(commands, image);
  }
}

VkImageAspectFlags aspects_of(VkFormat format) {
  switch (format) {
    case VK_FORMAT_D16_UNORM:
    case VK_FORMAT_D32_SFLOAT:
      return VK_IMAGE_ASPECT_DEPTH_BIT;
    case VK_FORMAT_S8_UINT:
      return VK_IMAGE_ASPECT_STENCIL_BIT;
    case VK_FORMAT_D32_SFLOAT_S8_UINT:
    case VK_FORMAT_D24_UNORM_S8_UINT:
      return VK_IMAGE_ASPECT_DEPTH_BIT | VK_IMAGE_ASPECT_STENCIL_BIT;
    default:
      return VK_IMAGE_ASPECT_COLOR_BIT;
  }
}

size_t texel_size(VkFormat format) {
  switch (format) {
    case VK_FORMAT_R8_UNORM:
    case VK_FORMAT_R8_UINT:
    case VK_FORMAT_S8_UINT:
      return 1;
    case VK_FORMAT_R8G8_UNORM:
    case VK_FORMAT_R5G6B5_UNORM_PACK16:
    case VK_FORMAT_R16_SFLOAT:
    case VK_FORMAT_R16_UINT:
    case VK_FORMAT_D16_UNORM:
      return 2;
    case VK_FORMAT_R16G16B16A16_SFLOAT:
    case VK_FORMAT_R32G32_UINT:
    case VK_FORMAT_R64_UINT:
      return 8;
    case VK_FORMAT_R32G32B32A32_SFLOAT:
    case VK_FORMAT_R32G32B32A32_UINT:
      return 16;
    default:
      return 4;
  }
}

}  // namespace corners
