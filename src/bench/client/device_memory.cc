#include <algorithm>
#include <functional>
#include <span>
#include <vector>

#include "bench/client/shader_code.h"
#include "bench/client/submission.h"
#include "bench/client/works.h"

namespace pvgpu::bench::client {
namespace {

// What a dispatch works on: less than every driver allows for a storage buffer, and more than caches hold for long.
constexpr VkDeviceSize kWindow = VkDeviceSize{64} << 20;
// What shaders/read.comp and write.comp do in a workgroup.
constexpr VkDeviceSize kInWorkgroup = 16 << 10;

// A buffer, and a compute shader that can be let loose on each window of it.
class Windows {
 public:
  explicit Windows(Bench& bench)
      : gpu_(bench.gpu()),
        count_(bench.either(static_cast<uint32_t>(std::clamp<VkDeviceSize>(gpu_.device_local_bytes() / 32 / kWindow, 2, 16)), 2u)),
        buffer_(gpu_, size(),
                VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT, 0,
                VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT),
        set_layout_(make_set_layout()),
        layout_(gpu_, VkPipelineLayoutCreateInfo{.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                                 .setLayoutCount = 1,
                                                 .pSetLayouts = set_layout_.address()}),
        pool_(make_pool()),
        sets_(make_sets()) {}

  VkDeviceSize size() const { return count_ * kWindow; }

  Pipeline make_pipeline(std::span<const uint32_t> code) const {
    const ShaderModule shader = make_shader(gpu_, code);
    const VkComputePipelineCreateInfo info{.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
                                           .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                                                     .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                                                     .module = shader,
                                                     .pName = "main"},
                                           .layout = layout_};
    VkPipeline pipeline = VK_NULL_HANDLE;
    check(gpu_.vk.CreateComputePipelines(gpu_.device, VK_NULL_HANDLE, 1, &info, nullptr, &pipeline), "vkCreateComputePipelines");
    return Pipeline(gpu_, pipeline);
  }

  // All windows, one after the other.
  void dispatch(VkCommandBuffer commands, VkPipeline pipeline) const {
    gpu_.vk.CmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    for (const VkDescriptorSet& set : sets_) {
      gpu_.vk.CmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout_, 0, 1, &set, 0, nullptr);
      gpu_.vk.CmdDispatch(commands, kWindow / kInWorkgroup, 1, 1);
      finish(commands);
    }
  }

  void copy(VkCommandBuffer commands) const {
    const VkBufferCopy region{.dstOffset = size() / 2, .size = size() / 2};
    gpu_.vk.CmdCopyBuffer(commands, buffer_.buffer, buffer_.buffer, 1, &region);
    finish(commands);
  }

 private:
  void finish(VkCommandBuffer commands) const {
    const VkMemoryBarrier barrier{.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                                  .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
                                  .dstAccessMask = VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT};
    const VkPipelineStageFlags stages = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;
    gpu_.vk.CmdPipelineBarrier(commands, stages, stages, 0, 1, &barrier, 0, nullptr, 0, nullptr);
  }

  DescriptorSetLayout make_set_layout() const {
    const VkDescriptorSetLayoutBinding binding{.binding = 0,
                                               .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                               .descriptorCount = 1,
                                               .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT};
    return DescriptorSetLayout(gpu_, VkDescriptorSetLayoutCreateInfo{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
                                                                     .bindingCount = 1,
                                                                     .pBindings = &binding});
  }

  DescriptorPool make_pool() const {
    const VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, count_};
    return DescriptorPool(gpu_, VkDescriptorPoolCreateInfo{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                                           .maxSets = count_,
                                                           .poolSizeCount = 1,
                                                           .pPoolSizes = &size});
  }

  std::vector<VkDescriptorSet> make_sets() const {
    std::vector<VkDescriptorSet> sets = allocate_sets(gpu_, pool_, set_layout_, count_);
    for (uint32_t i = 0; i < count_; ++i) {
      const VkDescriptorBufferInfo window{buffer_.buffer, i * kWindow, kWindow};
      const VkWriteDescriptorSet write{.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                       .dstSet = sets[i],
                                       .descriptorCount = 1,
                                       .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                       .pBufferInfo = &window};
      gpu_.vk.UpdateDescriptorSets(gpu_.device, 1, &write, 0, nullptr);
    }
    return sets;
  }

  const Gpu& gpu_;
  uint32_t count_;
  BoundBuffer buffer_;
  DescriptorSetLayout set_layout_;
  PipelineLayout layout_;
  DescriptorPool pool_;
  std::vector<VkDescriptorSet> sets_;
};

// Bytes per second of `record`, which is for `bytes` each time. So often in one submission that the way to the GPU and back does not count.
double speed(Bench& bench, VkDeviceSize bytes, const std::function<void(VkCommandBuffer)>& record) {
  const double enough = bench.either(0.05, 0.001);
  for (size_t count = 1;; count *= 2) {
    Submission submission(bench.gpu(), [&](VkCommandBuffer commands) {
      for (size_t i = 0; i < count; ++i) record(commands);
    });
    const auto run = [&] {
      submission.submit_and_wait();
      submission.reset();
      return count * bytes;
    };
    run();
    const auto start = Clock::now();
    run();
    if (seconds_since(start) >= enough) return bench.rate(run);
  }
}

}  // namespace

void device_memory(Bench& bench) {
  const Windows windows(bench);
  const Pipeline write = windows.make_pipeline(write_code()), read = windows.make_pipeline(read_code());
  const auto all = [&](const Pipeline& pipeline) {
    return speed(bench, windows.size(), [&](VkCommandBuffer commands) { windows.dispatch(commands, pipeline); }) / 1e9;
  };
  // First, so that there is something to read.
  bench.figure("write", all(write));
  bench.figure("read", all(read));
  bench.figure("copy", speed(bench, windows.size() / 2, [&](VkCommandBuffer commands) { windows.copy(commands); }) / 1e9);
}

}  // namespace pvgpu::bench::client
