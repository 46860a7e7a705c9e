#include "bench/client/triangle.h"

#include "bench/client/shader_code.h"

namespace pvgpu::bench::client {

TrianglePipelines::TrianglePipelines(const Gpu& gpu, VkRenderPass pass)
    : gpu_(gpu),
      pass_(pass),
      layout_(make_pipeline_layout(gpu, VK_SHADER_STAGE_VERTEX_BIT, kPushConstantBytes)),
      vertex_(make_shader(gpu, triangle_vertex_code())),
      fragment_(make_shader(gpu, triangle_fragment_code())) {}

Pipeline TrianglePipelines::create(int32_t variant, VkPipelineCache cache) const {
  const VkSpecializationMapEntry entry{.constantID = 0, .offset = 0, .size = sizeof(variant)};
  const VkSpecializationInfo constants{
      .mapEntryCount = 1, .pMapEntries = &entry, .dataSize = sizeof(variant), .pData = &variant};
  const auto stage = [&](VkShaderStageFlagBits which, VkShaderModule module) {
    return VkPipelineShaderStageCreateInfo{
        .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
        .stage = which,
        .module = module,
        .pName = "main",
        .pSpecializationInfo = &constants};
  };
  const VkPipelineShaderStageCreateInfo stages[] = {stage(VK_SHADER_STAGE_VERTEX_BIT, vertex_),
                                                    stage(VK_SHADER_STAGE_FRAGMENT_BIT, fragment_)};
  const VkPipelineVertexInputStateCreateInfo vertices{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_VERTEX_INPUT_STATE_CREATE_INFO};
  const VkPipelineInputAssemblyStateCreateInfo assembly{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_INPUT_ASSEMBLY_STATE_CREATE_INFO,
      .topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST};
  const VkViewport viewport{0, 0, Target::kSize, Target::kSize, 0, 1};
  const VkRect2D scissor{{0, 0}, {Target::kSize, Target::kSize}};
  const VkPipelineViewportStateCreateInfo view{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_VIEWPORT_STATE_CREATE_INFO,
      .viewportCount = 1,
      .pViewports = &viewport,
      .scissorCount = 1,
      .pScissors = &scissor};
  const VkPipelineRasterizationStateCreateInfo raster{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_STATE_CREATE_INFO, .lineWidth = 1};
  const VkPipelineMultisampleStateCreateInfo samples{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_MULTISAMPLE_STATE_CREATE_INFO,
      .rasterizationSamples = VK_SAMPLE_COUNT_1_BIT};
  const VkPipelineColorBlendAttachmentState attachment{.colorWriteMask = 0xf};
  const VkPipelineColorBlendStateCreateInfo blend{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_COLOR_BLEND_STATE_CREATE_INFO,
      .attachmentCount = 1,
      .pAttachments = &attachment};
  const VkGraphicsPipelineCreateInfo info{.sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
                                          .stageCount = 2,
                                          .pStages = stages,
                                          .pVertexInputState = &vertices,
                                          .pInputAssemblyState = &assembly,
                                          .pViewportState = &view,
                                          .pRasterizationState = &raster,
                                          .pMultisampleState = &samples,
                                          .pColorBlendState = &blend,
                                          .layout = layout_,
                                          .renderPass = pass_};
  VkPipeline pipeline = VK_NULL_HANDLE;
  check(gpu_.vk.CreateGraphicsPipelines(gpu_.device, cache, 1, &info, nullptr, &pipeline),
        "vkCreateGraphicsPipelines");
  return Pipeline(gpu_, pipeline);
}

}  // namespace pvgpu::bench::client
