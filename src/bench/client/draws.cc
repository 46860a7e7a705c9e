#include "bench/client/frames.h"
#include "bench/client/triangle.h"
#include "bench/client/works.h"

namespace pvgpu::bench::client {
namespace {

struct Scene {
  explicit Scene(const Gpu& gpu_)
      : gpu(gpu_), target(gpu), pipelines(gpu, target.pass), pipeline(pipelines.create(0)) {}

  void record(VkCommandBuffer commands, size_t draws) const {
    const VkClearValue clear{};
    const VkRenderPassBeginInfo begin{.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
                                      .renderPass = target.pass,
                                      .framebuffer = target.framebuffer,
                                      .renderArea = {{0, 0}, {Target::kSize, Target::kSize}},
                                      .clearValueCount = 1,
                                      .pClearValues = &clear};
    gpu.vk.CmdBeginRenderPass(commands, &begin, VK_SUBPASS_CONTENTS_INLINE);
    gpu.vk.CmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
    for (size_t i = 0; i < draws; ++i) {
      const float place[2] = {static_cast<float>(i % 60) / 32 - 1,
                              static_cast<float>(i / 60 % 60) / 32 - 1};
      gpu.vk.CmdPushConstants(commands, pipelines.layout(), VK_SHADER_STAGE_VERTEX_BIT, 0,
                              sizeof(place), place);
      gpu.vk.CmdDraw(commands, 3, 1, 0, 0);
    }
    gpu.vk.CmdEndRenderPass(commands);
  }

  const Gpu& gpu;
  Target target;
  TrianglePipelines pipelines;
  Pipeline pipeline;
};

}  // namespace

void draws(Bench& bench) {
  const Gpu& gpu = bench.gpu();
  const Scene scene(gpu);
  for (size_t draws : {1, 64, 1'000, 10'000}) {
    for (size_t in_flight : {1, 3}) {
      Frames frames(gpu, in_flight);
      const auto draw_frame = [&] {
        scene.record(frames.begin(), draws);
        frames.submit();
      };
      draw_frame();
      frames.finish();  // what drivers leave to the first draw, such as compiling, is done
      const size_t batch =
          bench.either<size_t>(std::max<size_t>(300 / draws, in_flight), in_flight);
      const double rate = bench.rate([&] {
        for (size_t i = 0; i < batch; ++i) draw_frame();
        return batch;
      });
      frames.finish();
      bench.figure(std::to_string(draws) + ".in-flight-" + std::to_string(in_flight), rate);
    }
  }
}

}  // namespace pvgpu::bench::client
