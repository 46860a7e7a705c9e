// Drawing: attachments in all arrangements, stages beyond vertex and fragment.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "add_input_frag.h"
#include "cover_vert.h"
#include "gradient_frag.h"
#include "grid_mesh.h"
#include "lab.h"
#include "slanted_vert.h"
#include "two_outputs_frag.h"
#include "view_frag.h"
#include "widen_geom.h"

namespace corners {
namespace {

using client::check;

constexpr VkImageUsageFlags kPicture = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT |
                                       VK_IMAGE_USAGE_TRANSFER_SRC_BIT |
                                       VK_IMAGE_USAGE_TRANSFER_DST_BIT;

const std::vector<Stage> kCover{{VK_SHADER_STAGE_VERTEX_BIT, cover_vert_spirv},
                                {VK_SHADER_STAGE_FRAGMENT_BIT, gradient_frag_spirv}};

VkRenderingAttachmentInfo attachment(const Image& image, VkImageLayout layout, VkClearValue clear) {
  return {.sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO,
          .imageView = image.view,
          .imageLayout = layout,
          .loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
          .storeOp = VK_ATTACHMENT_STORE_OP_STORE,
          .clearValue = clear};
}

void to_readable(VkCommandBuffer commands, const Image& image, VkImageLayout from) {
  transition(commands, image, from, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
}

void say_picture(Lab& lab, const char* what, const Image& image) {
  say_bytes(what, lab.read(image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL));
}

}  // namespace

// Two colours of different formats and depth, without a render pass.
CORNER(dynamic_rendering) {
  Lab lab;
  const Image one = lab.image({.usage = kPicture});
  const Image two = lab.image({.format = VK_FORMAT_R32G32B32A32_SFLOAT, .usage = kPicture});
  const Image depth = lab.image(
      {.format = VK_FORMAT_D32_SFLOAT,
       .usage = VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT});
  const VkPipeline pipeline =
      lab.graphics_pipeline({.stages = {{VK_SHADER_STAGE_VERTEX_BIT, slanted_vert_spirv},
                                        {VK_SHADER_STAGE_FRAGMENT_BIT, two_outputs_frag_spirv}},
                             .layout = lab.pipeline_layout({}),
                             .colors = {one.spec.format, two.spec.format},
                             .depth = depth.spec.format});
  lab.run([&](VkCommandBuffer commands) {
    for (const Image& image : {one, two}) {
      transition(commands, image, VK_IMAGE_LAYOUT_UNDEFINED,
                 VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL);
    }
    transition(commands, depth, VK_IMAGE_LAYOUT_UNDEFINED,
               VK_IMAGE_LAYOUT_DEPTH_ATTACHMENT_OPTIMAL);
    const VkRenderingAttachmentInfo colors[]{
        attachment(one, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL, {.color = {{0.5f, 0.25f, 1, 1}}}),
        attachment(two, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL, {.color = {{7, 8, 9, 10}}})};
    const auto depths =
        attachment(depth, VK_IMAGE_LAYOUT_DEPTH_ATTACHMENT_OPTIMAL, {.depthStencil = {0.6f, 0}});
    const VkRenderingInfo info{.sType = VK_STRUCTURE_TYPE_RENDERING_INFO,
                               .renderArea = one.area(),
                               .layerCount = 1,
                               .colorAttachmentCount = 2,
                               .pColorAttachments = colors,
                               .pDepthAttachment = &depths};
    vkCmdBeginRendering(commands, &info);
    set_viewport(commands, one);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
    vkCmdDraw(commands, 6, 1, 0, 0);
    vkCmdEndRendering(commands);
    for (const Image& image : {one, two}) {
      to_readable(commands, image, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL);
    }
    to_readable(commands, depth, VK_IMAGE_LAYOUT_DEPTH_ATTACHMENT_OPTIMAL);
  });
  say_picture(lab, "bytes", one);
  say_picture(lab, "floats", two);
  say_picture(lab, "depths", depth);
}

namespace {

// Two subpasses: the second reads as input what the first drew.
VkRenderPass two_subpasses(Lab& lab) {
  std::array<VkAttachmentDescription, 2> attachments;
  for (auto& one : attachments) {
    one = {.format = VK_FORMAT_R8G8B8A8_UNORM,
           .samples = VK_SAMPLE_COUNT_1_BIT,
           .loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
           .storeOp = VK_ATTACHMENT_STORE_OP_STORE,
           .initialLayout = VK_IMAGE_LAYOUT_UNDEFINED,
           .finalLayout = VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL};
  }
  const VkAttachmentReference first{0, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL},
      second{1, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL},
      input{0, VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL};
  const VkSubpassDescription subpasses[]{{.colorAttachmentCount = 1, .pColorAttachments = &first},
                                         {.inputAttachmentCount = 1,
                                          .pInputAttachments = &input,
                                          .colorAttachmentCount = 1,
                                          .pColorAttachments = &second}};
  constexpr VkPipelineStageFlags kOutput = VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT;
  constexpr VkAccessFlags kWrite = VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT;
  const VkSubpassDependency dependencies[]{
      {VK_SUBPASS_EXTERNAL, 0, kOutput, kOutput, 0, kWrite, 0},
      {VK_SUBPASS_EXTERNAL, 1, kOutput, kOutput, 0, kWrite, 0},
      {0, 1, kOutput, kOutput | VK_PIPELINE_STAGE_FRAGMENT_SHADER_BIT, kWrite,
       kWrite | VK_ACCESS_INPUT_ATTACHMENT_READ_BIT, VK_DEPENDENCY_BY_REGION_BIT},
      {1, VK_SUBPASS_EXTERNAL, kOutput | VK_PIPELINE_STAGE_FRAGMENT_SHADER_BIT,
       VK_PIPELINE_STAGE_TRANSFER_BIT, kWrite, VK_ACCESS_TRANSFER_READ_BIT, 0}};
  const VkRenderPassCreateInfo info{.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO,
                                    .attachmentCount = attachments.size(),
                                    .pAttachments = attachments.data(),
                                    .subpassCount = 2,
                                    .pSubpasses = subpasses,
                                    .dependencyCount = 4,
                                    .pDependencies = dependencies};
  VkRenderPass pass;
  check(vkCreateRenderPass(lab.device, &info, nullptr, &pass), "vkCreateRenderPass");
  lab.at_end([&lab, pass] { vkDestroyRenderPass(lab.device, pass, nullptr); });
  return pass;
}

VkDescriptorSetLayout input_layout(Lab& lab) {
  const VkDescriptorSetLayoutBinding binding{0, VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT, 1,
                                             VK_SHADER_STAGE_FRAGMENT_BIT, nullptr};
  const VkDescriptorSetLayoutCreateInfo info{
      .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
      .bindingCount = 1,
      .pBindings = &binding};
  VkDescriptorSetLayout layout;
  check(vkCreateDescriptorSetLayout(lab.device, &info, nullptr, &layout),
        "vkCreateDescriptorSetLayout");
  lab.at_end([&lab, layout] { vkDestroyDescriptorSetLayout(lab.device, layout, nullptr); });
  return layout;
}

}  // namespace

// A framebuffer that learns its images when the pass begins, and two subpasses.
CORNER(render_pass_subpasses) {
  Lab lab(Needs().FEATURE(VkPhysicalDeviceVulkan12Features, imagelessFramebuffer));
  const VkRenderPass pass = two_subpasses(lab);
  const Image first = lab.image({.usage = kPicture | VK_IMAGE_USAGE_INPUT_ATTACHMENT_BIT});
  const Image second = lab.image({.usage = kPicture});
  const VkDescriptorSetLayout set_layout = input_layout(lab);
  const VkDescriptorSet set =
      lab.image_set(set_layout, VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT, first,
                    VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL);
  const VkPipelineLayout layout = lab.pipeline_layout({&set_layout, 1});
  const VkPipeline draw =
      lab.graphics_pipeline({.stages = kCover, .layout = layout, .render_pass = pass});
  GraphicsSpec spec{.stages = {{VK_SHADER_STAGE_VERTEX_BIT, cover_vert_spirv},
                               {VK_SHADER_STAGE_FRAGMENT_BIT, add_input_frag_spirv}},
                    .layout = layout,
                    .render_pass = pass};
  spec.subpass = 1;
  const VkPipeline add = lab.graphics_pipeline(spec);
  std::array<VkFramebufferAttachmentImageInfo, 2> described;
  for (uint32_t i = 0; i < 2; ++i) {
    const Image& image = i ? second : first;
    described[i] = {.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_ATTACHMENT_IMAGE_INFO,
                    .usage = image.spec.usage,
                    .width = 64,
                    .height = 64,
                    .layerCount = 1,
                    .viewFormatCount = 1,
                    .pViewFormats = i ? &second.spec.format : &first.spec.format};
  }
  const VkFramebufferAttachmentsCreateInfo attachments{
      .sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_ATTACHMENTS_CREATE_INFO,
      .attachmentImageInfoCount = 2,
      .pAttachmentImageInfos = described.data()};
  const VkFramebufferCreateInfo info{.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
                                     .pNext = &attachments,
                                     .flags = VK_FRAMEBUFFER_CREATE_IMAGELESS_BIT,
                                     .renderPass = pass,
                                     .attachmentCount = 2,
                                     .width = 64,
                                     .height = 64,
                                     .layers = 1};
  VkFramebuffer framebuffer;
  check(vkCreateFramebuffer(lab.device, &info, nullptr, &framebuffer), "vkCreateFramebuffer");
  lab.at_end([&lab, framebuffer] { vkDestroyFramebuffer(lab.device, framebuffer, nullptr); });
  lab.run([&](VkCommandBuffer commands) {
    const VkImageView views[]{first.view, second.view};
    const VkRenderPassAttachmentBeginInfo images{
        .sType = VK_STRUCTURE_TYPE_RENDER_PASS_ATTACHMENT_BEGIN_INFO,
        .attachmentCount = 2,
        .pAttachments = views};
    const VkClearValue clears[2]{};
    const VkRenderPassBeginInfo begin{.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
                                      .pNext = &images,
                                      .renderPass = pass,
                                      .framebuffer = framebuffer,
                                      .renderArea = first.area(),
                                      .clearValueCount = 2,
                                      .pClearValues = clears};
    vkCmdBeginRenderPass(commands, &begin, VK_SUBPASS_CONTENTS_INLINE);
    set_viewport(commands, first);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, draw);
    vkCmdDraw(commands, 3, 1, 0, 0);
    vkCmdNextSubpass(commands, VK_SUBPASS_CONTENTS_INLINE);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, add);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, layout, 0, 1, &set, 0,
                            nullptr);
    vkCmdDraw(commands, 3, 1, 0, 0);
    vkCmdEndRenderPass(commands);
  });
  say_picture(lab, "first subpass", first);
  say_picture(lab, "second subpass", second);
}

// One rendering whose second draw reads what the first one drew.
CORNER(rendering_local_read) {
  Lab lab(Needs()
              .extension(VK_KHR_DYNAMIC_RENDERING_LOCAL_READ_EXTENSION_NAME)
              .FEATURE(VkPhysicalDeviceDynamicRenderingLocalReadFeaturesKHR,
                       dynamicRenderingLocalRead));
  const Image first = lab.image({.usage = kPicture | VK_IMAGE_USAGE_INPUT_ATTACHMENT_BIT});
  const Image second = lab.image({.usage = kPicture});
  const VkDescriptorSetLayout set_layout = input_layout(lab);
  const VkDescriptorSet set =
      lab.image_set(set_layout, VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT, first,
                    VK_IMAGE_LAYOUT_RENDERING_LOCAL_READ_KHR);
  const VkPipelineLayout layout = lab.pipeline_layout({&set_layout, 1});
  const uint32_t one_then_none[]{0, VK_ATTACHMENT_UNUSED}, none_then_one[]{VK_ATTACHMENT_UNUSED, 0};
  const VkRenderingAttachmentLocationInfoKHR to_first{
      .sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_LOCATION_INFO_KHR,
      .colorAttachmentCount = 2,
      .pColorAttachmentLocations = one_then_none};
  VkRenderingAttachmentLocationInfoKHR to_second = to_first;
  to_second.pColorAttachmentLocations = none_then_one;
  const VkRenderingInputAttachmentIndexInfoKHR inputs{
      .sType = VK_STRUCTURE_TYPE_RENDERING_INPUT_ATTACHMENT_INDEX_INFO_KHR,
      .colorAttachmentCount = 2,
      .pColorAttachmentInputIndices = one_then_none};
  to_second.pNext = &inputs;
  const std::vector<VkFormat> formats(2, VK_FORMAT_R8G8B8A8_UNORM);
  const VkPipeline draw = lab.graphics_pipeline(
      {.stages = kCover, .layout = layout, .colors = formats, .next = &to_first});
  const VkPipeline add =
      lab.graphics_pipeline({.stages = {{VK_SHADER_STAGE_VERTEX_BIT, cover_vert_spirv},
                                        {VK_SHADER_STAGE_FRAGMENT_BIT, add_input_frag_spirv}},
                             .layout = layout,
                             .colors = formats,
                             .next = &to_second});
  lab.run([&](VkCommandBuffer commands) {
    transition(commands, first, VK_IMAGE_LAYOUT_UNDEFINED,
               VK_IMAGE_LAYOUT_RENDERING_LOCAL_READ_KHR);
    transition(commands, second, VK_IMAGE_LAYOUT_UNDEFINED,
               VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL);
    const VkRenderingAttachmentInfo colors[]{
        attachment(first, VK_IMAGE_LAYOUT_RENDERING_LOCAL_READ_KHR, {}),
        attachment(second, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL, {})};
    const VkRenderingInfo info{.sType = VK_STRUCTURE_TYPE_RENDERING_INFO,
                               .renderArea = first.area(),
                               .layerCount = 1,
                               .colorAttachmentCount = 2,
                               .pColorAttachments = colors};
    vkCmdBeginRendering(commands, &info);
    set_viewport(commands, first);
    VkRenderingAttachmentLocationInfoKHR locations = to_first;
    FN(lab, vkCmdSetRenderingAttachmentLocationsKHR)(commands, &locations);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, draw);
    vkCmdDraw(commands, 3, 1, 0, 0);
    const VkMemoryBarrier between{.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                                  .srcAccessMask = VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT,
                                  .dstAccessMask = VK_ACCESS_INPUT_ATTACHMENT_READ_BIT};
    vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT,
                         VK_PIPELINE_STAGE_FRAGMENT_SHADER_BIT, VK_DEPENDENCY_BY_REGION_BIT, 1,
                         &between, 0, nullptr, 0, nullptr);
    locations.pColorAttachmentLocations = none_then_one;
    FN(lab, vkCmdSetRenderingAttachmentLocationsKHR)(commands, &locations);
    FN(lab, vkCmdSetRenderingInputAttachmentIndicesKHR)(commands, &inputs);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, add);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, layout, 0, 1, &set, 0,
                            nullptr);
    vkCmdDraw(commands, 3, 1, 0, 0);
    vkCmdEndRendering(commands);
    to_readable(commands, first, VK_IMAGE_LAYOUT_RENDERING_LOCAL_READ_KHR);
    to_readable(commands, second, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL);
  });
  say_picture(lab, "drawn", first);
  say_picture(lab, "read and drawn", second);
}

// Four samples a pixel, resolved as the rendering ends and once more by a command.
CORNER(multisample_resolve) {
  Lab lab;
  const Image samples = lab.image({.usage = kPicture, .samples = VK_SAMPLE_COUNT_4_BIT});
  const Image resolved = lab.image({.usage = kPicture}), copied = lab.image({.usage = kPicture});
  const VkPipeline pipeline =
      lab.graphics_pipeline({.stages = {{VK_SHADER_STAGE_VERTEX_BIT, slanted_vert_spirv},
                                        {VK_SHADER_STAGE_FRAGMENT_BIT, gradient_frag_spirv}},
                             .layout = lab.pipeline_layout({}),
                             .samples = VK_SAMPLE_COUNT_4_BIT});
  lab.run([&](VkCommandBuffer commands) {
    for (const Image& image : {samples, resolved}) {
      transition(commands, image, VK_IMAGE_LAYOUT_UNDEFINED,
                 VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL);
    }
    auto color = attachment(samples, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL, {});
    color.resolveMode = VK_RESOLVE_MODE_AVERAGE_BIT;
    color.resolveImageView = resolved.view;
    color.resolveImageLayout = VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL;
    const VkRenderingInfo info{.sType = VK_STRUCTURE_TYPE_RENDERING_INFO,
                               .renderArea = samples.area(),
                               .layerCount = 1,
                               .colorAttachmentCount = 1,
                               .pColorAttachments = &color};
    vkCmdBeginRendering(commands, &info);
    set_viewport(commands, samples);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
    vkCmdDraw(commands, 3, 1, 0, 0);
    vkCmdEndRendering(commands);
    to_readable(commands, samples, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL);
    to_readable(commands, resolved, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL);
    transition(commands, copied, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
    const VkImageSubresourceLayers layer{VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1};
    const VkImageResolve region{layer, {}, layer, {}, samples.spec.extent};
    vkCmdResolveImage(commands, samples.image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, copied.image,
                      VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 1, &region);
    to_readable(commands, copied, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
  });
  say_picture(lab, "resolved by rendering", resolved);
  say_picture(lab, "resolved by a command", copied);
}

CORNER(multiview) {
  Lab lab(Needs().FEATURE(VkPhysicalDeviceVulkan11Features, multiview));
  const Image picture =
      lab.image({.usage = kPicture, .view = VK_IMAGE_VIEW_TYPE_2D_ARRAY, .layers = 3});
  const VkPipeline pipeline =
      lab.graphics_pipeline({.stages = {{VK_SHADER_STAGE_VERTEX_BIT, cover_vert_spirv},
                                        {VK_SHADER_STAGE_FRAGMENT_BIT, view_frag_spirv}},
                             .layout = lab.pipeline_layout({}),
                             .view_mask = 0b101});
  lab.run([&](VkCommandBuffer commands) {
    transition(commands, picture, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
    const VkClearColorValue grey{{0.5f, 0.5f, 0.5f, 0.5f}};
    const VkImageSubresourceRange range = picture.range();
    vkCmdClearColorImage(commands, picture.image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, &grey, 1,
                         &range);
    transition(commands, picture, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
               VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL);
    begin_rendering(commands, picture, {}, 0, 0b101);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
    vkCmdDraw(commands, 3, 1, 0, 0);
    vkCmdEndRendering(commands);
    to_readable(commands, picture, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL);
  });
  const auto bytes = lab.read(picture, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
  for (uint32_t layer = 0; layer < 3; ++layer) say("layer %u: %u", layer, bytes[layer * 16384]);
  say_bytes("layers", bytes);
}

CORNER(geometry_shader) {
  Lab lab(Needs().CORE_FEATURE(geometryShader));
  const Image picture = lab.image({.usage = kPicture});
  const VkPipeline pipeline =
      lab.graphics_pipeline({.stages = {{VK_SHADER_STAGE_VERTEX_BIT, slanted_vert_spirv},
                                        {VK_SHADER_STAGE_GEOMETRY_BIT, widen_geom_spirv},
                                        {VK_SHADER_STAGE_FRAGMENT_BIT, gradient_frag_spirv}},
                             .layout = lab.pipeline_layout({}),
                             .topology = VK_PRIMITIVE_TOPOLOGY_POINT_LIST});
  lab.run([&](VkCommandBuffer commands) {
    transition(commands, picture, VK_IMAGE_LAYOUT_UNDEFINED,
               VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL);
    begin_rendering(commands, picture);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
    vkCmdDraw(commands, 6, 1, 0, 0);
    vkCmdEndRendering(commands);
    to_readable(commands, picture, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL);
  });
  say_picture(lab, "squares of points", picture);
}

CORNER(mesh_shader) {
  Lab lab(Needs()
              .extension(VK_EXT_MESH_SHADER_EXTENSION_NAME)
              .FEATURE(VkPhysicalDeviceMeshShaderFeaturesEXT, meshShader)
              .FEATURE(VkPhysicalDeviceVulkan13Features, maintenance4));
  const Image picture = lab.image({.usage = kPicture});
  const VkPipeline pipeline =
      lab.graphics_pipeline({.stages = {{VK_SHADER_STAGE_MESH_BIT_EXT, grid_mesh_spirv},
                                        {VK_SHADER_STAGE_FRAGMENT_BIT, gradient_frag_spirv}},
                             .layout = lab.pipeline_layout({})});
  const client::Buffer arguments = lab.buffer(12, VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT);
  arguments.words()[0] = 2, arguments.words()[1] = arguments.words()[2] = 1;
  for (const bool indirect : {false, true}) {
    lab.run([&](VkCommandBuffer commands) {
      transition(commands, picture, VK_IMAGE_LAYOUT_UNDEFINED,
                 VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL);
      begin_rendering(commands, picture);
      vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
      if (indirect) {
        FN(lab, vkCmdDrawMeshTasksIndirectEXT)(commands, arguments.buffer, 0, 1, 12);
      } else {
        FN(lab, vkCmdDrawMeshTasksEXT)(commands, 4, 1, 1);
      }
      vkCmdEndRendering(commands);
      to_readable(commands, picture, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL);
    });
    say_picture(lab, indirect ? "two meshes, indirectly" : "four meshes", picture);
  }
}

}  // namespace corners
