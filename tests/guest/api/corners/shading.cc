// What shaders can do beyond the plain: subgroups, wide atomics, matrices, rays.
#include "chain.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "atomics64_comp.h"
#include "matrix_comp.h"
#include "ray_query_comp.h"
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

namespace {

struct Addressed {
  VkBuffer buffer;
  void* mapped;
  VkDeviceAddress address;
};

// A mapped buffer with an address.
Addressed addressed(Lab& lab, VkDeviceSize size, VkBufferUsageFlags usage) {
  Addressed result;
  const VkBufferCreateInfo info{.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                .size = size,
                                .usage = usage | VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT};
  check(vkCreateBuffer(lab.device, &info, nullptr, &result.buffer), "vkCreateBuffer");
  VkMemoryRequirements requirements;
  vkGetBufferMemoryRequirements(lab.device, result.buffer, &requirements);
  const VkMemoryAllocateFlagsInfo flags{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
                                        .flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT};
  const VkMemoryAllocateInfo allocation{
      .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
      .pNext = &flags,
      .allocationSize = requirements.size,
      .memoryTypeIndex = client::memory_type(lab, requirements.memoryTypeBits,
                                             VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                                 VK_MEMORY_PROPERTY_HOST_COHERENT_BIT)};
  VkDeviceMemory memory;
  check(vkAllocateMemory(lab.device, &allocation, nullptr, &memory), "vkAllocateMemory");
  check(vkBindBufferMemory(lab.device, result.buffer, memory, 0), "vkBindBufferMemory");
  check(vkMapMemory(lab.device, memory, 0, VK_WHOLE_SIZE, 0, &result.mapped), "vkMapMemory");
  const VkBufferDeviceAddressInfo ask{.sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO,
                                      .buffer = result.buffer};
  result.address = vkGetBufferDeviceAddress(lab.device, &ask);
  lab.at_end([&lab, buffer = result.buffer, memory] {
    vkDestroyBuffer(lab.device, buffer, nullptr);
    vkFreeMemory(lab.device, memory, nullptr);
  });
  return result;
}

// An acceleration structure of one geometry with `count` primitives, built on the device.
VkAccelerationStructureKHR build(Lab& lab, VkAccelerationStructureTypeKHR type,
                                 const VkAccelerationStructureGeometryKHR& geometry,
                                 uint32_t count) {
  VkAccelerationStructureBuildGeometryInfoKHR info{
      .sType = VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_BUILD_GEOMETRY_INFO_KHR,
      .type = type,
      .mode = VK_BUILD_ACCELERATION_STRUCTURE_MODE_BUILD_KHR,
      .geometryCount = 1,
      .pGeometries = &geometry};
  VkAccelerationStructureBuildSizesInfoKHR sizes{
      .sType = VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_BUILD_SIZES_INFO_KHR};
  FN(lab, vkGetAccelerationStructureBuildSizesKHR)
  (lab.device, VK_ACCELERATION_STRUCTURE_BUILD_TYPE_DEVICE_KHR, &info, &count, &sizes);
  const Addressed storage = addressed(lab, sizes.accelerationStructureSize,
                                      VK_BUFFER_USAGE_ACCELERATION_STRUCTURE_STORAGE_BIT_KHR);
  const VkAccelerationStructureCreateInfoKHR create{
      .sType = VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_CREATE_INFO_KHR,
      .buffer = storage.buffer,
      .size = sizes.accelerationStructureSize,
      .type = type};
  VkAccelerationStructureKHR structure;
  check(FN(lab, vkCreateAccelerationStructureKHR)(lab.device, &create, nullptr, &structure),
        "vkCreateAccelerationStructureKHR");
  lab.at_end([&lab, structure] {
    FN(lab, vkDestroyAccelerationStructureKHR)(lab.device, structure, nullptr);
  });
  const Addressed scratch =
      addressed(lab, sizes.buildScratchSize + 256, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT);
  info.dstAccelerationStructure = structure;
  info.scratchData.deviceAddress = (scratch.address + 255) & ~VkDeviceAddress{255};
  const VkAccelerationStructureBuildRangeInfoKHR range{.primitiveCount = count};
  const VkAccelerationStructureBuildRangeInfoKHR* ranges = &range;
  lab.run([&](VkCommandBuffer commands) {
    FN(lab, vkCmdBuildAccelerationStructuresKHR)(commands, 1, &info, &ranges);
  });
  return structure;
}

}  // namespace

// Rays through a row of triangles, which hit some and miss others.
CORNER(ray_query) {
  Lab lab(Needs()
              .extension(VK_KHR_ACCELERATION_STRUCTURE_EXTENSION_NAME)
              .extension(VK_KHR_RAY_QUERY_EXTENSION_NAME)
              .extension(VK_KHR_DEFERRED_HOST_OPERATIONS_EXTENSION_NAME)
              .FEATURE(VkPhysicalDeviceAccelerationStructureFeaturesKHR, accelerationStructure)
              .FEATURE(VkPhysicalDeviceRayQueryFeaturesKHR, rayQuery)
              .FEATURE(VkPhysicalDeviceVulkan12Features, bufferDeviceAddress));
  constexpr uint32_t kTriangles = 8;
  constexpr VkBufferUsageFlags kInput =
      VK_BUFFER_USAGE_ACCELERATION_STRUCTURE_BUILD_INPUT_READ_ONLY_BIT_KHR;
  const Addressed vertices = addressed(lab, kTriangles * 36, kInput);
  auto* at = static_cast<float*>(vertices.mapped);
  for (uint32_t i = 0; i < kTriangles; ++i) {
    const float x = 2.0f * float(i), z = 1.0f + 0.5f * float(i);
    for (const float value : {x, 0.0f, z, x + 1, 0.0f, z, x, 1.0f, z}) *at++ = value;
  }
  const VkAccelerationStructureKHR bottom =
      build(lab, VK_ACCELERATION_STRUCTURE_TYPE_BOTTOM_LEVEL_KHR,
            {.sType = VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_GEOMETRY_KHR,
             .geometryType = VK_GEOMETRY_TYPE_TRIANGLES_KHR,
             .geometry = {.triangles =
                              {.sType =
                                   VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_GEOMETRY_TRIANGLES_DATA_KHR,
                               .vertexFormat = VK_FORMAT_R32G32B32_SFLOAT,
                               .vertexData = {.deviceAddress = vertices.address},
                               .vertexStride = 12,
                               .maxVertex = kTriangles * 3 - 1,
                               .indexType = VK_INDEX_TYPE_NONE_KHR}},
             .flags = VK_GEOMETRY_OPAQUE_BIT_KHR},
            kTriangles);
  const VkAccelerationStructureDeviceAddressInfoKHR ask{
      .sType = VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_DEVICE_ADDRESS_INFO_KHR,
      .accelerationStructure = bottom};
  const Addressed instances =
      addressed(lab, sizeof(VkAccelerationStructureInstanceKHR), kInput);
  const VkAccelerationStructureInstanceKHR instance{
      .transform = {{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}},
      .mask = 0xff,
      .accelerationStructureReference =
          FN(lab, vkGetAccelerationStructureDeviceAddressKHR)(lab.device, &ask)};
  std::memcpy(instances.mapped, &instance, sizeof instance);
  const VkAccelerationStructureKHR top =
      build(lab, VK_ACCELERATION_STRUCTURE_TYPE_TOP_LEVEL_KHR,
            {.sType = VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_GEOMETRY_KHR,
             .geometryType = VK_GEOMETRY_TYPE_INSTANCES_KHR,
             .geometry = {.instances =
                              {.sType =
                                   VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_GEOMETRY_INSTANCES_DATA_KHR,
                               .data = {.deviceAddress = instances.address}}}},
            1);
  const std::array bindings{Binding{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER},
                            Binding{VK_DESCRIPTOR_TYPE_ACCELERATION_STRUCTURE_KHR}};
  const VkDescriptorSetLayout set_layout = lab.set_layout(bindings);
  const VkPipelineLayout layout = lab.pipeline_layout({&set_layout, 1});
  const std::array<VkDescriptorPoolSize, 2> sizes{
      {{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1}, {VK_DESCRIPTOR_TYPE_ACCELERATION_STRUCTURE_KHR, 1}}};
  const VkDescriptorSet set = lab.set(lab.descriptor_pool(sizes, 1), set_layout);
  const client::Buffer hits = lab.buffer(64 * 4, kStorage);
  const VkDescriptorBufferInfo buffer{hits.buffer, 0, VK_WHOLE_SIZE};
  const VkWriteDescriptorSetAccelerationStructureKHR structures{
      .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET_ACCELERATION_STRUCTURE_KHR,
      .accelerationStructureCount = 1,
      .pAccelerationStructures = &top};
  const VkWriteDescriptorSet writes[]{
      {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
       .dstSet = set,
       .dstBinding = 0,
       .descriptorCount = 1,
       .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
       .pBufferInfo = &buffer},
      {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
       .pNext = &structures,
       .dstSet = set,
       .dstBinding = 1,
       .descriptorCount = 1,
       .descriptorType = VK_DESCRIPTOR_TYPE_ACCELERATION_STRUCTURE_KHR}};
  vkUpdateDescriptorSets(lab.device, 2, writes, 0, nullptr);
  const VkPipeline pipeline = lab.compute_pipeline(layout, ray_query_comp_spirv);
  lab.run([&](VkCommandBuffer commands) {
    barrier(commands);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &set, 0,
                            nullptr);
    vkCmdDispatch(commands, 1, 1, 1);
  });
  // Ray i goes along z at x = i / 2 + 0.25: it hits triangle i / 4 in two cases of four.
  for (uint32_t i = 0; i < 4 * kTriangles; ++i) {
    const uint32_t expected = i % 4 < 2 ? i / 4 + 1 : 0;
    expect(hits.words()[i] == expected, "rays hit the triangles in their way");
  }
  say_bytes("hits", hits.mapped, hits.size);
}

// An operation that may be joined from any thread; what it builds is there afterwards.
CORNER(deferred_operations) {
  Lab lab(Needs().extension(VK_KHR_DEFERRED_HOST_OPERATIONS_EXTENSION_NAME));
  VkDeferredOperationKHR operation;
  check(FN(lab, vkCreateDeferredOperationKHR)(lab.device, nullptr, &operation),
        "vkCreateDeferredOperationKHR");
  say("at most %u threads",
      FN(lab, vkGetDeferredOperationMaxConcurrencyKHR)(lab.device, operation));
  say("result: VkResult %d", FN(lab, vkGetDeferredOperationResultKHR)(lab.device, operation));
  say("join: VkResult %d", FN(lab, vkDeferredOperationJoinKHR)(lab.device, operation));
  FN(lab, vkDestroyDeferredOperationKHR)(lab.device, operation, nullptr);
}

}  // namespace corners
