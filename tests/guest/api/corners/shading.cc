// What shaders can do beyond the plain: subgroups, wide atomics, matrices.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "atomics64_comp.h"
#include "chain.h"
#include "matrix_comp.h"
#include "subgroup_comp.h"

namespace corners {
namespace {

using client::check;

constexpr VkBufferUsageFlags kStorage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;

// Runs one kernel on storage buffers.
void compute(Lab& lab, std::span<const uint32_t> code, std::span<const VkBuffer> buffers,
             uint32_t groups) {
  const std::vector<Binding> bindings(buffers.size(), Binding{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER});
  const VkDescriptorSetLayout set_layout = lab.set_layout(bindings);
  const VkPipelineLayout layout = lab.pipeline_layout({&set_layout, 1});
  const VkDescriptorSet set = lab.storage_set(set_layout, buffers);
  const VkPipeline pipeline = lab.compute_pipeline(layout, code);
  lab.run([&](VkCommandBuffer commands) {
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &set, 0,
                            nullptr);
    vkCmdDispatch(commands, groups, 1, 1);
  });
}

}  // namespace

CORNER(subgroups) {
  Lab lab;
  VkPhysicalDeviceSubgroupProperties subgroup{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES};
  VkPhysicalDeviceProperties2 properties{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                         .pNext = &subgroup};
  vkGetPhysicalDeviceProperties2(lab.physical, &properties);
  say("size %u, stages %x, operations %x", subgroup.subgroupSize, subgroup.supportedStages,
      subgroup.supportedOperations);
  constexpr VkSubgroupFeatureFlags kUsed =
      VK_SUBGROUP_FEATURE_BASIC_BIT | VK_SUBGROUP_FEATURE_VOTE_BIT |
      VK_SUBGROUP_FEATURE_ARITHMETIC_BIT | VK_SUBGROUP_FEATURE_BALLOT_BIT |
      VK_SUBGROUP_FEATURE_SHUFFLE_BIT;
  if ((subgroup.supportedOperations & kUsed) != kUsed) throw Absent{"subgroup operations"};
  const client::Buffer output = lab.buffer(256 * 16, kStorage);
  compute(lab, subgroup_comp_spirv, {{output.buffer}}, 4);
  say_bytes("sums, ballots, shuffles", output.mapped, output.size);
}

CORNER(atomics_64) {
  Lab lab(Needs()
              .CORE_FEATURE(shaderInt64)
              .FEATURE(VkPhysicalDeviceVulkan12Features, shaderBufferInt64Atomics));
  const client::Buffer output = lab.buffer(64, kStorage);
  compute(lab, atomics64_comp_spirv, {{output.buffer}}, 16);
  const auto* values = static_cast<const uint64_t*>(output.mapped);
  uint64_t sum = 0, bits = 0, largest = 0;
  for (uint64_t i = 0; i < 1024; ++i) {
    const uint64_t value = i * 0x9e3779b97f4a7c15u;
    sum += value, bits ^= value, largest = std::max(largest, value);
  }
  expect(values[0] == sum && values[1] == bits && values[2] == largest, "all bits of 64");
  say_bytes("sum, bits, largest", output.mapped, output.size);
}

CORNER(cooperative_matrix) {
  Lab lab(Needs()
              .extension(VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME)
              .FEATURE(VkPhysicalDeviceCooperativeMatrixFeaturesKHR, cooperativeMatrix)
              .FEATURE(VkPhysicalDeviceVulkan12Features, vulkanMemoryModel)
              .FEATURE(VkPhysicalDeviceVulkan12Features, shaderFloat16)
              .FEATURE(VkPhysicalDeviceVulkan13Features, computeFullSubgroups)
              .FEATURE(VkPhysicalDeviceVulkan13Features, maintenance4)
              .FEATURE(VkPhysicalDeviceVulkan11Features, storageBuffer16BitAccess));
  uint32_t count = 0;
  const auto get = FN(lab, vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR);
  check(get(lab.physical, &count, nullptr), "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR");
  std::vector<VkCooperativeMatrixPropertiesKHR> kinds(
      count, {.sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR});
  check(get(lab.physical, &count, kinds.data()),
        "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR");
  for (const auto& kind : kinds) {
    say("%ux%ux%u of types %d %d %d %d, scope %d", kind.MSize, kind.NSize, kind.KSize, kind.AType,
        kind.BType, kind.CType, kind.ResultType, kind.scope);
  }
  const auto fits = std::ranges::find_if(kinds, [](const auto& kind) {
    return kind.AType == VK_COMPONENT_TYPE_FLOAT16_KHR &&
           kind.BType == VK_COMPONENT_TYPE_FLOAT16_KHR &&
           kind.CType == VK_COMPONENT_TYPE_FLOAT32_KHR &&
           kind.ResultType == VK_COMPONENT_TYPE_FLOAT32_KHR && kind.scope == VK_SCOPE_SUBGROUP_KHR;
  });
  if (fits == kinds.end()) throw Absent{"matrices of halves"};
  VkPhysicalDeviceSubgroupProperties subgroup{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES};
  VkPhysicalDeviceProperties2 properties{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                         .pNext = &subgroup};
  vkGetPhysicalDeviceProperties2(lab.physical, &properties);
  const std::array<uint32_t, 4> values{fits->MSize, fits->NSize, fits->KSize,
                                       subgroup.subgroupSize};
  const client::Buffer a = lab.buffer(2 * values[0] * values[2], kStorage);
  const client::Buffer b = lab.buffer(2 * values[2] * values[1], kStorage);
  const client::Buffer result = lab.buffer(4 * values[0] * values[1], kStorage);
  // Small whole numbers as halves: 0, 1, 2 and 3, whose products and sums are exact.
  constexpr std::array<uint16_t, 4> kHalves{0, 0x3c00, 0x4000, 0x4200};
  auto* halves = static_cast<uint16_t*>(a.mapped);
  for (uint32_t i = 0; i < a.size / 2; ++i) halves[i] = kHalves[(i * 7 / 3) % 4];
  halves = static_cast<uint16_t*>(b.mapped);
  for (uint32_t i = 0; i < b.size / 2; ++i) halves[i] = kHalves[(i * 5 / 2) % 4];
  const std::vector<Binding> bindings(3, Binding{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER});
  const VkDescriptorSetLayout set_layout = lab.set_layout(bindings);
  const VkPipelineLayout layout = lab.pipeline_layout({&set_layout, 1});
  const VkDescriptorSet set =
      lab.storage_set(set_layout, std::array{a.buffer, b.buffer, result.buffer});
  const VkSpecializationMapEntry entries[]{{0, 0, 4}, {1, 4, 4}, {2, 8, 4}, {3, 12, 4}};
  const VkSpecializationInfo specialization{4, entries, sizeof values, values.data()};
  const VkComputePipelineCreateInfo info{
      .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
      .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                .flags = VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT,
                .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                .module = lab.shader(matrix_comp_spirv),
                .pName = "main",
                .pSpecializationInfo = &specialization},
      .layout = layout};
  VkPipeline pipeline;
  check(vkCreateComputePipelines(lab.device, VK_NULL_HANDLE, 1, &info, nullptr, &pipeline),
        "vkCreateComputePipelines");
  lab.at_end([&lab, pipeline] { vkDestroyPipeline(lab.device, pipeline, nullptr); });
  lab.run([&](VkCommandBuffer commands) {
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &set, 0,
                            nullptr);
    vkCmdDispatch(commands, 1, 1, 1);
  });
  const auto* sums = static_cast<const float*>(result.mapped);
  for (uint32_t row = 0; row < values[0]; ++row) {
    for (uint32_t column = 0; column < values[1]; ++column) {
      float sum = 1;
      for (uint32_t k = 0; k < values[2]; ++k) {
        sum += float(((row * values[2] + k) * 7 / 3) % 4) *
               float(((k * values[1] + column) * 5 / 2) % 4);
      }
      expect(sums[row * values[1] + column] == sum, "the product of two matrices");
    }
  }
  say_bytes("product", result.mapped, result.size);
}

}  // namespace corners
