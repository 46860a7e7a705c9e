#include "bench/client/resources.h"
#include "bench/client/works.h"

namespace pvgpu::bench::client {
namespace {

constexpr uint32_t kSets = 64;
constexpr uint32_t kBuffersInSet = 4;
constexpr VkDeviceSize kRange = 256;

DescriptorSetLayout make_layout(const Gpu& gpu) {
  const VkDescriptorSetLayoutBinding binding{.binding = 0,
                                             .descriptorType = VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER,
                                             .descriptorCount = kBuffersInSet,
                                             .stageFlags = VK_SHADER_STAGE_ALL};
  return DescriptorSetLayout(gpu, VkDescriptorSetLayoutCreateInfo{
                                      .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
                                      .bindingCount = 1,
                                      .pBindings = &binding});
}

DescriptorPool make_pool(const Gpu& gpu) {
  const VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, kSets * kBuffersInSet};
  return DescriptorPool(
      gpu, VkDescriptorPoolCreateInfo{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                      .maxSets = kSets,
                                      .poolSizeCount = 1,
                                      .pPoolSizes = &size});
}

}  // namespace

void descriptors(Bench& bench) {
  const Gpu& gpu = bench.gpu();
  const RoundTrip until_done(gpu);
  const BoundBuffer buffer(gpu, kBuffersInSet * kRange, VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT, 0);
  const DescriptorSetLayout layout = make_layout(gpu);
  const DescriptorPool pool = make_pool(gpu);
  const std::vector<VkDescriptorSet> sets = allocate_sets(gpu, pool, layout, kSets);

  VkDescriptorBufferInfo buffers[kBuffersInSet];
  for (uint32_t i = 0; i < kBuffersInSet; ++i) buffers[i] = {buffer.buffer, i * kRange, kRange};
  bench.figure("update", bench.rate([&] {
    for (VkDescriptorSet set : sets) {
      const VkWriteDescriptorSet write{.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                       .dstSet = set,
                                       .descriptorCount = kBuffersInSet,
                                       .descriptorType = VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER,
                                       .pBufferInfo = buffers};
      gpu.vk.UpdateDescriptorSets(gpu.device, 1, &write, 0, nullptr);
    }
    until_done();
    return kSets;
  }));

  bench.figure("allocate", bench.rate([&] {
    check(gpu.vk.ResetDescriptorPool(gpu.device, pool, 0), "vkResetDescriptorPool");
    allocate_sets(gpu, pool, layout, kSets);
    until_done();
    return kSets;
  }));
}

}  // namespace pvgpu::bench::client
