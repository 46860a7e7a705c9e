// Rays: what they run into, asked from a kernel and traced by a pipeline of their own; and the
// deferred operations that such pipelines are made with.
#include <array>
#include <cstdint>
#include <cstring>

#include "hit_rchit.h"
#include "lab.h"
#include "miss_rmiss.h"
#include "ray_query_comp.h"
#include "start_rgen.h"

namespace corners {
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
  client::check(vkCreateBuffer(lab.device, &info, nullptr, &result.buffer), "vkCreateBuffer");
  VkMemoryRequirements requirements;
  vkGetBufferMemoryRequirements(lab.device, result.buffer, &requirements);
  const VkMemoryAllocateFlagsInfo flags{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
                                        .flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT};
  const VkMemoryAllocateInfo allocation{
      .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
      .pNext = &flags,
      .allocationSize = requirements.size,
      .memoryTypeIndex = client::memory_type(
          lab, requirements.memoryTypeBits,
          VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT)};
  VkDeviceMemory memory;
  client::check(vkAllocateMemory(lab.device, &allocation, nullptr, &memory), "vkAllocateMemory");
  client::check(vkBindBufferMemory(lab.device, result.buffer, memory, 0), "vkBindBufferMemory");
  client::check(vkMapMemory(lab.device, memory, 0, VK_WHOLE_SIZE, 0, &result.mapped),
                "vkMapMemory");
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
  client::check(FN(lab, vkCreateAccelerationStructureKHR)(lab.device, &create, nullptr, &structure),
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

constexpr uint32_t kTriangles = 8;

// A row of triangles, each farther away than the one before.
VkAccelerationStructureKHR row_of_triangles(Lab& lab) {
  constexpr VkBufferUsageFlags kInput =
      VK_BUFFER_USAGE_ACCELERATION_STRUCTURE_BUILD_INPUT_READ_ONLY_BIT_KHR;
  const Addressed vertices = addressed(lab, kTriangles * 36, kInput);
  auto* at = static_cast<float*>(vertices.mapped);
  for (uint32_t i = 0; i < kTriangles; ++i) {
    const float x = 2.0f * float(i), z = 1.0f + 0.5f * float(i);
    for (const float value : {x, 0.0f, z, x + 1, 0.0f, z, x, 1.0f, z}) *at++ = value;
  }
  const VkAccelerationStructureKHR bottom = build(
      lab, VK_ACCELERATION_STRUCTURE_TYPE_BOTTOM_LEVEL_KHR,
      {.sType = VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_GEOMETRY_KHR,
       .geometryType = VK_GEOMETRY_TYPE_TRIANGLES_KHR,
       .geometry =
           {.triangles = {.sType =
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
  const Addressed instances = addressed(lab, sizeof(VkAccelerationStructureInstanceKHR), kInput);
  const VkAccelerationStructureInstanceKHR instance{
      .transform = {{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}},
      .mask = 0xff,
      .accelerationStructureReference =
          FN(lab, vkGetAccelerationStructureDeviceAddressKHR)(lab.device, &ask)};
  std::memcpy(instances.mapped, &instance, sizeof instance);
  return build(
      lab, VK_ACCELERATION_STRUCTURE_TYPE_TOP_LEVEL_KHR,
      {.sType = VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_GEOMETRY_KHR,
       .geometryType = VK_GEOMETRY_TYPE_INSTANCES_KHR,
       .geometry =
           {.instances = {.sType =
                              VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_GEOMETRY_INSTANCES_DATA_KHR,
                          .data = {.deviceAddress = instances.address}}}},
      1);
}

// Binding 0: words that rays bring back; binding 1: what they run into.
struct Scene {
  explicit Scene(Lab& lab) : hits(lab.buffer(64 * 4, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT)) {
    const VkAccelerationStructureKHR top = row_of_triangles(lab);
    const std::array bindings{Binding{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER},
                              Binding{VK_DESCRIPTOR_TYPE_ACCELERATION_STRUCTURE_KHR}};
    set_layout = lab.set_layout(bindings);
    layout = lab.pipeline_layout({&set_layout, 1});
    const std::array<VkDescriptorPoolSize, 2> sizes{
        {{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1},
         {VK_DESCRIPTOR_TYPE_ACCELERATION_STRUCTURE_KHR, 1}}};
    set = lab.set(lab.descriptor_pool(sizes, 1), set_layout);
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
  }
  // Ray i goes along z at x = i / 2 + 0.25: it hits triangle i / 4 in two cases of four.
  void check() const {
    for (uint32_t i = 0; i < 4 * kTriangles; ++i) {
      const uint32_t expected = i % 4 < 2 ? i / 4 + 1 : 0;
      expect(hits.words()[i] == expected, "rays hit the triangles in their way");
    }
    say_bytes("hits", hits.mapped, hits.size);
  }

  client::Buffer hits;
  VkDescriptorSetLayout set_layout;
  VkPipelineLayout layout;
  VkDescriptorSet set;
};

Needs ray_needs() {
  return Needs()
      .extension(VK_KHR_ACCELERATION_STRUCTURE_EXTENSION_NAME)
      .extension(VK_KHR_DEFERRED_HOST_OPERATIONS_EXTENSION_NAME)
      .FEATURE(VkPhysicalDeviceAccelerationStructureFeaturesKHR, accelerationStructure)
      .FEATURE(VkPhysicalDeviceVulkan12Features, bufferDeviceAddress);
}

}  // namespace

CORNER(ray_query) {
  Lab lab(ray_needs()
              .extension(VK_KHR_RAY_QUERY_EXTENSION_NAME)
              .FEATURE(VkPhysicalDeviceRayQueryFeaturesKHR, rayQuery));
  const Scene scene(lab);
  const VkPipeline pipeline = lab.compute_pipeline(scene.layout, ray_query_comp_spirv);
  lab.run([&](VkCommandBuffer commands) {
    barrier(commands);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, scene.layout, 0, 1,
                            &scene.set, 0, nullptr);
    vkCmdDispatch(commands, 1, 1, 1);
  });
  scene.check();
}

namespace {

// A pipeline whose three groups (one that starts rays, one for hits, one for misses) are in this
// order. Its creation is deferred, joined by this thread.
VkPipeline tracing_pipeline(Lab& lab, VkPipelineLayout layout) {
  const std::array<Stage, 3> shaders{{{VK_SHADER_STAGE_RAYGEN_BIT_KHR, start_rgen_spirv},
                                      {VK_SHADER_STAGE_CLOSEST_HIT_BIT_KHR, hit_rchit_spirv},
                                      {VK_SHADER_STAGE_MISS_BIT_KHR, miss_rmiss_spirv}}};
  std::array<VkPipelineShaderStageCreateInfo, 3> stages;
  std::array<VkRayTracingShaderGroupCreateInfoKHR, 3> groups;
  for (uint32_t i = 0; i < 3; ++i) {
    const bool hit = shaders[i].stage == VK_SHADER_STAGE_CLOSEST_HIT_BIT_KHR;
    stages[i] = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                 .stage = shaders[i].stage,
                 .module = lab.shader(shaders[i].code),
                 .pName = "main"};
    groups[i] = {.sType = VK_STRUCTURE_TYPE_RAY_TRACING_SHADER_GROUP_CREATE_INFO_KHR,
                 .type = hit ? VK_RAY_TRACING_SHADER_GROUP_TYPE_TRIANGLES_HIT_GROUP_KHR
                             : VK_RAY_TRACING_SHADER_GROUP_TYPE_GENERAL_KHR,
                 .generalShader = hit ? VK_SHADER_UNUSED_KHR : i,
                 .closestHitShader = hit ? i : VK_SHADER_UNUSED_KHR,
                 .anyHitShader = VK_SHADER_UNUSED_KHR,
                 .intersectionShader = VK_SHADER_UNUSED_KHR};
  }
  const VkRayTracingPipelineCreateInfoKHR info{
      .sType = VK_STRUCTURE_TYPE_RAY_TRACING_PIPELINE_CREATE_INFO_KHR,
      .stageCount = 3,
      .pStages = stages.data(),
      .groupCount = 3,
      .pGroups = groups.data(),
      .maxPipelineRayRecursionDepth = 1,
      .layout = layout};
  VkDeferredOperationKHR operation;
  client::check(FN(lab, vkCreateDeferredOperationKHR)(lab.device, nullptr, &operation),
                "vkCreateDeferredOperationKHR");
  VkPipeline pipeline = VK_NULL_HANDLE;
  VkResult result = FN(lab, vkCreateRayTracingPipelinesKHR)(lab.device, operation, VK_NULL_HANDLE,
                                                            1, &info, nullptr, &pipeline);
  if (result == VK_OPERATION_DEFERRED_KHR) {
    do {
      result = FN(lab, vkDeferredOperationJoinKHR)(lab.device, operation);
    } while (result == VK_THREAD_IDLE_KHR);
    result = FN(lab, vkGetDeferredOperationResultKHR)(lab.device, operation);
  }
  expect((result == VK_SUCCESS || result == VK_OPERATION_NOT_DEFERRED_KHR) && pipeline,
         "the pipeline is there when the operation is done");
  FN(lab, vkDestroyDeferredOperationKHR)(lab.device, operation, nullptr);
  lab.at_end([&lab, pipeline] { vkDestroyPipeline(lab.device, pipeline, nullptr); });
  return pipeline;
}

}  // namespace

CORNER(ray_tracing_pipeline) {
  Lab lab(ray_needs()
              .extension(VK_KHR_RAY_TRACING_PIPELINE_EXTENSION_NAME)
              .FEATURE(VkPhysicalDeviceRayTracingPipelineFeaturesKHR, rayTracingPipeline));
  const Scene scene(lab);
  const VkPipeline pipeline = tracing_pipeline(lab, scene.layout);
  VkPhysicalDeviceRayTracingPipelinePropertiesKHR limits{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_RAY_TRACING_PIPELINE_PROPERTIES_KHR};
  VkPhysicalDeviceProperties2 properties{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                         .pNext = &limits};
  vkGetPhysicalDeviceProperties2(lab.physical, &properties);
  const uint32_t size = limits.shaderGroupHandleSize, apart = limits.shaderGroupBaseAlignment;
  say("handles of %u bytes, groups %u bytes apart", size, apart);
  std::vector<char> handles(3 * size);
  client::check(FN(lab, vkGetRayTracingShaderGroupHandlesKHR)(lab.device, pipeline, 0, 3,
                                                              handles.size(), handles.data()),
                "vkGetRayTracingShaderGroupHandlesKHR");
  const Addressed table = addressed(lab, 4 * apart, VK_BUFFER_USAGE_SHADER_BINDING_TABLE_BIT_KHR);
  const VkDeviceAddress first = (table.address + apart - 1) / apart * apart;
  for (uint32_t i = 0; i < 3; ++i) {
    std::memcpy(static_cast<char*>(table.mapped) + (first - table.address) + i * apart,
                handles.data() + i * size, size);
  }
  const auto group = [&](uint32_t i) {
    return VkStridedDeviceAddressRegionKHR{first + i * apart, apart, apart};
  };
  const VkStridedDeviceAddressRegionKHR start = group(0), hit = group(1), miss = group(2), none{};
  lab.run([&](VkCommandBuffer commands) {
    barrier(commands);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_RAY_TRACING_KHR, pipeline);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_RAY_TRACING_KHR, scene.layout, 0, 1,
                            &scene.set, 0, nullptr);
    FN(lab, vkCmdTraceRaysKHR)(commands, &start, &miss, &hit, &none, 64, 1, 1);
  });
  scene.check();
}

// An operation that may be joined from any thread; what it builds is there afterwards.
CORNER(deferred_operations) {
  Lab lab(Needs().extension(VK_KHR_DEFERRED_HOST_OPERATIONS_EXTENSION_NAME));
  VkDeferredOperationKHR operation;
  client::check(FN(lab, vkCreateDeferredOperationKHR)(lab.device, nullptr, &operation),
                "vkCreateDeferredOperationKHR");
  say("at most %u threads",
      FN(lab, vkGetDeferredOperationMaxConcurrencyKHR)(lab.device, operation));
  say("result: VkResult %d", FN(lab, vkGetDeferredOperationResultKHR)(lab.device, operation));
  say("join: VkResult %d", FN(lab, vkDeferredOperationJoinKHR)(lab.device, operation));
  FN(lab, vkDestroyDeferredOperationKHR)(lab.device, operation, nullptr);
}

}  // namespace corners
