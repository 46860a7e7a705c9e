// The one graphics pipeline that works use, in as many variants as they like.
#pragma once

#include <span>
#include <vector>

#include "bench/client/resources.h"

namespace pvgpu::bench::client {

class TrianglePipelines {
 public:
  static constexpr uint32_t kPushConstantBytes = 2 * sizeof(float);

  TrianglePipelines(const Gpu& gpu, VkRenderPass pass);

  VkPipelineLayout layout() const { return layout_; }
  // A pipeline with `variant` as its specialization constant, in a call of its own. From any
  // thread.
  Pipeline create(int32_t variant, VkPipelineCache cache = VK_NULL_HANDLE) const;

 private:
  const Gpu& gpu_;
  VkRenderPass pass_;
  PipelineLayout layout_;
  ShaderModule vertex_, fragment_;
};

}  // namespace pvgpu::bench::client
