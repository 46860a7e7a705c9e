// Pipelines: caches, libraries, shader objects, what they tell about themselves.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>

#include "chain.h"
#include "cover_vert.h"
#include "gradient_frag.h"
#include "specialized_comp.h"
#include "step_comp.h"

namespace corners {
namespace {

using client::check;

using Bytes = std::vector<char>;

VkPipelineCache make_cache(Lab& lab, const Bytes& data = {}, VkPipelineCacheCreateFlags flags = 0) {
  const VkPipelineCacheCreateInfo info{.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
                                       .flags = flags,
                                       .initialDataSize = data.size(),
                                       .pInitialData = data.data()};
  VkPipelineCache cache;
  check(vkCreatePipelineCache(lab.device, &info, nullptr, &cache), "vkCreatePipelineCache");
  lab.at_end([&lab, cache] { vkDestroyPipelineCache(lab.device, cache, nullptr); });
  return cache;
}

Bytes data_of(const Lab& lab, VkPipelineCache cache) {
  size_t size = 0;
  check(vkGetPipelineCacheData(lab.device, cache, &size, nullptr), "vkGetPipelineCacheData");
  Bytes data(size);
  check(vkGetPipelineCacheData(lab.device, cache, &size, data.data()), "vkGetPipelineCacheData");
  data.resize(size);
  return data;
}

// The header as the standard has it, for this very device.
void check_header(const Lab& lab, const Bytes& data) {
  VkPhysicalDeviceProperties properties;
  vkGetPhysicalDeviceProperties(lab.physical, &properties);
  VkPipelineCacheHeaderVersionOne header;
  expect(data.size() >= sizeof header, "there is a header");
  std::memcpy(&header, data.data(), sizeof header);
  expect(header.headerSize == sizeof header &&
             header.headerVersion == VK_PIPELINE_CACHE_HEADER_VERSION_ONE &&
             header.vendorID == properties.vendorID && header.deviceID == properties.deviceID &&
             std::ranges::equal(header.pipelineCacheUUID, properties.pipelineCacheUUID),
         "the header is this device's");
}

// A cache that a pipeline went through, and what that pipeline computes.
Bytes compute_through(Lab& lab, VkPipelineCache cache, const char* what) {
  Chain chain(lab);
  chain.pipeline = lab.compute_pipeline(chain.layout, step_comp_spirv, 0, cache);
  lab.run([&](VkCommandBuffer commands) { chain.step(commands, 9); });
  chain.expect_step(9);
  chain.check(what);
  const Bytes data = data_of(lab, cache);
  check_header(lab, data);
  return data;
}

Image draw_with(Lab& lab, VkPipeline pipeline) {
  const Image picture = lab.image();
  lab.run([&](VkCommandBuffer commands) {
    transition(commands, picture, VK_IMAGE_LAYOUT_UNDEFINED,
               VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL);
    begin_rendering(commands, picture);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
    vkCmdDraw(commands, 3, 1, 0, 0);
    vkCmdEndRendering(commands);
    transition(commands, picture, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL,
               VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
  });
  return picture;
}

}  // namespace

CORNER(pipeline_cache) {
  Lab lab;
  const VkPipelineCache first = make_cache(lab);
  const Bytes data = compute_through(lab, first, "through an empty cache");
  size_t small = 8;
  Bytes little(8);
  say("too little room: VkResult %d",
      vkGetPipelineCacheData(lab.device, first, &small, little.data()));
  const VkPipelineCache second = make_cache(lab, data);
  expect(data_of(lab, second).size() == data.size(), "its data makes a cache of equal size");
  compute_through(lab, second, "through a cache with data");
  const VkPipelineCache sources[]{first, second};
  const VkPipelineCache merged = make_cache(lab);
  check(vkMergePipelineCaches(lab.device, merged, 2, sources), "vkMergePipelineCaches");
  compute_through(lab, merged, "through merged caches");
}

// The first run of the program leaves a cache's data in the state folder; a later one uses it.
CORNER(pipeline_cache_of_an_earlier_run) {
  Lab lab;
  if (state_folder().empty()) throw Absent{"a folder for state"};
  const std::string path = state_folder() + "/pipeline-cache";
  Bytes before;
  if (std::ifstream file(path, std::ios::binary); file) {
    before.assign(std::istreambuf_iterator<char>(file), {});
    check_header(lab, before);
    say("data of an earlier run");
  }
  const Bytes after = compute_through(lab, make_cache(lab, before), "through it");
  expect(before.empty() || before == after, "nothing new to remember");
  std::ofstream(path, std::ios::binary).write(after.data(), std::ssize(after));
}

// Data behind a good header that is not what the driver wrote, and data of another driver.
CORNER(pipeline_cache_garbage) {
  Lab lab;
  const Bytes data = compute_through(lab, make_cache(lab), "through an empty cache");
  Bytes random(10000);
  for (size_t i = 0; i < random.size(); ++i) random[i] = char(i * 2654435761u >> 13);
  constexpr size_t kHeader = sizeof(VkPipelineCacheHeaderVersionOne);
  compute_through(lab, make_cache(lab, {data.begin(), data.begin() + kHeader}), "through a header");
  Bytes stranger = data;
  stranger[20] ^= 0x55;  // in the UUID
  compute_through(lab, make_cache(lab, stranger), "through another driver's data");
  Bytes other = data;
  for (size_t i = kHeader; i < other.size(); ++i) other[i] = random[i % random.size()];
  compute_through(lab, make_cache(lab, other), "through a header and noise");
  Bytes more = data;
  more.insert(more.end(), random.begin(), random.end());
  compute_through(lab, make_cache(lab, more), "through data with a tail");
}

CORNER(pipelines_at_once) {
  Lab lab;
  Chain chain(lab);
  constexpr uint32_t kPipelines = 12;
  const VkShaderModule module = lab.shader(specialized_comp_spirv);
  const VkSpecializationMapEntry entries[]{{3, 4, 4}, {7, 0, 4}};
  std::array<std::array<uint32_t, 2>, kPipelines> values;
  std::array<VkSpecializationInfo, kPipelines> specializations;
  std::vector<VkComputePipelineCreateInfo> infos(kPipelines);
  for (uint32_t i = 0; i < kPipelines; ++i) {
    values[i] = {i * i, i + 2};
    specializations[i] = {2, entries, 8, values[i].data()};
    infos[i] = {.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
                .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                          .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                          .module = module,
                          .pName = "main",
                          .pSpecializationInfo = &specializations[i]},
                .layout = chain.layout};
  }
  std::array<VkPipeline, kPipelines> pipelines;
  check(vkCreateComputePipelines(lab.device, VK_NULL_HANDLE, kPipelines, infos.data(), nullptr,
                                 pipelines.data()),
        "vkCreateComputePipelines");
  lab.run([&](VkCommandBuffer commands) {
    for (uint32_t i = 0; i < kPipelines; ++i) {
      chain.pipeline = pipelines[i];
      chain.step(commands, 0);
      for (uint32_t& word : chain.expected) word = word * (i + 2) + i * i;
    }
  });
  chain.check("twelve specializations");
  for (VkPipeline pipeline : pipelines) vkDestroyPipeline(lab.device, pipeline, nullptr);
}

// What compiling would cost must not be paid: no pipeline, and a result that says so.
CORNER(pipeline_compile_required) {
  Lab lab(Needs().FEATURE(VkPhysicalDeviceVulkan13Features, pipelineCreationCacheControl));
  Chain chain(lab);
  const VkComputePipelineCreateInfo info{
      .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
      .flags = VK_PIPELINE_CREATE_FAIL_ON_PIPELINE_COMPILE_REQUIRED_BIT,
      .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                .module = lab.shader(specialized_comp_spirv),
                .pName = "main"},
      .layout = chain.layout};
  VkPipeline pipeline = VK_NULL_HANDLE;
  const VkResult result =
      vkCreateComputePipelines(lab.device, VK_NULL_HANDLE, 1, &info, nullptr, &pipeline);
  say("VkResult %d, %s pipeline", result, pipeline ? "a" : "no");
  vkDestroyPipeline(lab.device, pipeline, nullptr);
}

CORNER(pipeline_creation_feedback) {
  Lab lab;
  Chain chain(lab);
  VkPipelineCreationFeedback whole{}, stage{};
  const VkPipelineCreationFeedbackCreateInfo feedback{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_CREATION_FEEDBACK_CREATE_INFO,
      .pPipelineCreationFeedback = &whole,
      .pipelineStageCreationFeedbackCount = 1,
      .pPipelineStageCreationFeedbacks = &stage};
  const VkComputePipelineCreateInfo info{
      .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
      .pNext = &feedback,
      .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                .module = lab.shader(step_comp_spirv),
                .pName = "main"},
      .layout = chain.layout};
  VkPipeline pipeline;
  check(vkCreateComputePipelines(lab.device, VK_NULL_HANDLE, 1, &info, nullptr, &pipeline),
        "vkCreateComputePipelines");
  const bool valid = whole.flags & VK_PIPELINE_CREATION_FEEDBACK_VALID_BIT;
  say("flags %x and %x; it took %s", whole.flags, stage.flags,
      !valid                            ? "who knows"
      : whole.duration < 60'000'000'000 ? "less than a minute"
                                        : "too long");
  vkDestroyPipeline(lab.device, pipeline, nullptr);
}

namespace {

// One of the four parts that a graphics pipeline is linked from.
VkPipeline make_part(Lab& lab, VkGraphicsPipelineLibraryFlagsEXT part, VkPipelineLayout layout) {
  const VkFormat format = VK_FORMAT_R8G8B8A8_UNORM;
  const VkPipelineRenderingCreateInfo rendering{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_RENDERING_CREATE_INFO,
      .colorAttachmentCount = 1,
      .pColorAttachmentFormats = &format};
  const VkGraphicsPipelineLibraryCreateInfoEXT library{
      .sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_LIBRARY_CREATE_INFO_EXT,
      .pNext = &rendering,
      .flags = part};
  const bool vertex = part == VK_GRAPHICS_PIPELINE_LIBRARY_PRE_RASTERIZATION_SHADERS_BIT_EXT;
  const bool fragment = part == VK_GRAPHICS_PIPELINE_LIBRARY_FRAGMENT_SHADER_BIT_EXT;
  const VkShaderModuleCreateInfo code{
      .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
      .codeSize = vertex ? sizeof cover_vert_spirv : sizeof gradient_frag_spirv,
      .pCode = vertex ? cover_vert_spirv : gradient_frag_spirv};
  // No module: the code itself, which libraries allow.
  const VkPipelineShaderStageCreateInfo stage{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
      .pNext = &code,
      .stage = vertex ? VK_SHADER_STAGE_VERTEX_BIT : VK_SHADER_STAGE_FRAGMENT_BIT,
      .pName = "main"};
  const VkPipelineVertexInputStateCreateInfo input{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_VERTEX_INPUT_STATE_CREATE_INFO};
  const VkPipelineInputAssemblyStateCreateInfo assembly{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_INPUT_ASSEMBLY_STATE_CREATE_INFO,
      .topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST};
  const VkPipelineViewportStateCreateInfo viewport{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_VIEWPORT_STATE_CREATE_INFO,
      .viewportCount = 1,
      .scissorCount = 1};
  const VkPipelineRasterizationStateCreateInfo rasterization{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_STATE_CREATE_INFO, .lineWidth = 1};
  const VkPipelineMultisampleStateCreateInfo multisample{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_MULTISAMPLE_STATE_CREATE_INFO,
      .rasterizationSamples = VK_SAMPLE_COUNT_1_BIT};
  const VkPipelineDepthStencilStateCreateInfo depth{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_DEPTH_STENCIL_STATE_CREATE_INFO};
  const VkPipelineColorBlendAttachmentState attachment{.colorWriteMask = 0xf};
  const VkPipelineColorBlendStateCreateInfo blend{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_COLOR_BLEND_STATE_CREATE_INFO,
      .attachmentCount = 1,
      .pAttachments = &attachment};
  const VkDynamicState dynamic_states[]{VK_DYNAMIC_STATE_VIEWPORT, VK_DYNAMIC_STATE_SCISSOR};
  const VkPipelineDynamicStateCreateInfo dynamic{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_DYNAMIC_STATE_CREATE_INFO,
      .dynamicStateCount = 2,
      .pDynamicStates = dynamic_states};
  const bool output = part == VK_GRAPHICS_PIPELINE_LIBRARY_FRAGMENT_OUTPUT_INTERFACE_BIT_EXT;
  // Of every state, what the other parts are about is left out.
  const VkGraphicsPipelineCreateInfo info{
      .sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
      .pNext = &library,
      .flags = VK_PIPELINE_CREATE_LIBRARY_BIT_KHR |
               VK_PIPELINE_CREATE_RETAIN_LINK_TIME_OPTIMIZATION_INFO_BIT_EXT,
      .stageCount = vertex || fragment ? 1u : 0u,
      .pStages = vertex || fragment ? &stage : nullptr,
      .pVertexInputState = &input,
      .pInputAssemblyState = &assembly,
      .pViewportState = vertex ? &viewport : nullptr,
      .pRasterizationState = vertex ? &rasterization : nullptr,
      .pMultisampleState = fragment || output ? &multisample : nullptr,
      .pDepthStencilState = fragment ? &depth : nullptr,
      .pColorBlendState = output ? &blend : nullptr,
      .pDynamicState = vertex ? &dynamic : nullptr,
      .layout = vertex || fragment ? layout : VK_NULL_HANDLE};
  VkPipeline pipeline;
  check(vkCreateGraphicsPipelines(lab.device, VK_NULL_HANDLE, 1, &info, nullptr, &pipeline),
        "vkCreateGraphicsPipelines");
  lab.at_end([&lab, pipeline] { vkDestroyPipeline(lab.device, pipeline, nullptr); });
  return pipeline;
}

}  // namespace

CORNER(graphics_pipeline_library) {
  Lab lab(
      Needs()
          .extension(VK_EXT_GRAPHICS_PIPELINE_LIBRARY_EXTENSION_NAME)
          .extension(VK_KHR_PIPELINE_LIBRARY_EXTENSION_NAME)
          .FEATURE(VkPhysicalDeviceGraphicsPipelineLibraryFeaturesEXT, graphicsPipelineLibrary));
  const VkPipelineLayout layout = lab.pipeline_layout({});
  std::array<VkPipeline, 4> parts;
  for (uint32_t i = 0; i < parts.size(); ++i) parts[i] = make_part(lab, 1u << i, layout);
  const VkPipelineLibraryCreateInfoKHR libraries{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_LIBRARY_CREATE_INFO_KHR,
      .libraryCount = parts.size(),
      .pLibraries = parts.data()};
  for (const bool optimize : {false, true}) {
    const VkGraphicsPipelineCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
        .pNext = &libraries,
        .flags = optimize ? VkPipelineCreateFlags(VK_PIPELINE_CREATE_LINK_TIME_OPTIMIZATION_BIT_EXT)
                          : 0u,
        .layout = layout};
    VkPipeline linked;
    check(vkCreateGraphicsPipelines(lab.device, VK_NULL_HANDLE, 1, &info, nullptr, &linked),
          "vkCreateGraphicsPipelines");
    lab.at_end([&lab, linked] { vkDestroyPipeline(lab.device, linked, nullptr); });
    const Image picture = draw_with(lab, linked);
    say_bytes(optimize ? "linked and optimized" : "linked",
              lab.read(picture, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL));
  }
}

CORNER(pipeline_executable_properties) {
  Lab lab(Needs()
              .extension(VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME)
              .FEATURE(VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR,
                       pipelineExecutableInfo));
  Chain chain(lab);
  const VkPipeline pipeline = lab.compute_pipeline(chain.layout, step_comp_spirv,
                                                   VK_PIPELINE_CREATE_CAPTURE_STATISTICS_BIT_KHR);
  const VkPipelineInfoKHR of{.sType = VK_STRUCTURE_TYPE_PIPELINE_INFO_KHR, .pipeline = pipeline};
  uint32_t count = 0;
  check(FN(lab, vkGetPipelineExecutablePropertiesKHR)(lab.device, &of, &count, nullptr),
        "vkGetPipelineExecutablePropertiesKHR");
  std::vector<VkPipelineExecutablePropertiesKHR> properties(
      count, {.sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_PROPERTIES_KHR});
  check(FN(lab, vkGetPipelineExecutablePropertiesKHR)(lab.device, &of, &count, properties.data()),
        "vkGetPipelineExecutablePropertiesKHR");
  for (const auto& one : properties) say("%s, stages %x", one.name, one.stages);
}

CORNER(shader_objects) {
  Lab lab(Needs()
              .extension(VK_EXT_SHADER_OBJECT_EXTENSION_NAME)
              .FEATURE(VkPhysicalDeviceShaderObjectFeaturesEXT, shaderObject));
  Chain chain(lab);
  const VkPushConstantRange push{.stageFlags = VK_SHADER_STAGE_ALL, .size = 4};
  const VkShaderCreateInfoEXT info{.sType = VK_STRUCTURE_TYPE_SHADER_CREATE_INFO_EXT,
                                   .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                                   .codeType = VK_SHADER_CODE_TYPE_SPIRV_EXT,
                                   .codeSize = sizeof step_comp_spirv,
                                   .pCode = step_comp_spirv,
                                   .pName = "main",
                                   .setLayoutCount = 1,
                                   .pSetLayouts = &chain.set_layout,
                                   .pushConstantRangeCount = 1,
                                   .pPushConstantRanges = &push};
  VkShaderEXT shader;
  check(FN(lab, vkCreateShadersEXT)(lab.device, 1, &info, nullptr, &shader), "vkCreateShadersEXT");
  lab.run([&](VkCommandBuffer commands) {
    const VkShaderStageFlagBits stage = VK_SHADER_STAGE_COMPUTE_BIT;
    const uint32_t add = 21;
    FN(lab, vkCmdBindShadersEXT)(commands, 1, &stage, &shader);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, chain.layout, 0, 1,
                            &chain.set, 0, nullptr);
    vkCmdPushConstants(commands, chain.layout, VK_SHADER_STAGE_ALL, 0, 4, &add);
    vkCmdDispatch(commands, Chain::kWords / 64, 1, 1);
  });
  chain.expect_step(21);
  chain.check("a shader without a pipeline");
  FN(lab, vkDestroyShaderEXT)(lab.device, shader, nullptr);
}

}  // namespace corners
