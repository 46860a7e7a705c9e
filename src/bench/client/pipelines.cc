#include <functional>
#include <random>
#include <thread>

#include "bench/client/shader_code.h"
#include "bench/client/triangle.h"
#include "bench/client/works.h"

namespace pvgpu::bench::client {
namespace {

// Constants that no earlier run has used, whose pipelines a driver may have on disk.
class Variants {
 public:
  int32_t next() { return next_++; }

 private:
  int32_t next_ = static_cast<int32_t>(std::random_device()() & 0x3fffffff);
};

class SumPipelines {
 public:
  explicit SumPipelines(const Gpu& gpu)
      : gpu_(gpu),
        layout_(make_pipeline_layout(gpu, VK_SHADER_STAGE_COMPUTE_BIT, sizeof(uint32_t))),
        shader_(make_shader(gpu, sum_code())) {}

  Pipeline create(int32_t variant, VkPipelineCache cache) const {
    const VkSpecializationMapEntry entry{.constantID = 0, .offset = 0, .size = sizeof(variant)};
    const VkSpecializationInfo constants{
        .mapEntryCount = 1, .pMapEntries = &entry, .dataSize = sizeof(variant), .pData = &variant};
    const VkComputePipelineCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = shader_,
                  .pName = "main",
                  .pSpecializationInfo = &constants},
        .layout = layout_};
    VkPipeline pipeline = VK_NULL_HANDLE;
    check(gpu_.vk.CreateComputePipelines(gpu_.device, cache, 1, &info, nullptr, &pipeline),
          "vkCreateComputePipelines");
    return Pipeline(gpu_, pipeline);
  }

 private:
  const Gpu& gpu_;
  PipelineLayout layout_;
  ShaderModule shader_;
};

using Create = std::function<Pipeline(int32_t variant, VkPipelineCache cache)>;

// Milliseconds for one of the pipelines of `variants`, all created and still alive.
double time_for_one(const RoundTrip& until_done, const Create& create,
                    const std::vector<int32_t>& variants, VkPipelineCache cache) {
  std::vector<Pipeline> pipelines;
  pipelines.reserve(variants.size());
  const auto start = Clock::now();
  for (int32_t variant : variants) pipelines.push_back(create(variant, cache));
  until_done();
  return seconds_since(start) * 1e3 / static_cast<double>(variants.size());
}

double time_on_threads(const RoundTrip& until_done, const Create& create,
                       std::vector<int32_t> variants, size_t threads) {
  const size_t each = variants.size() / threads;
  std::vector<std::vector<Pipeline>> pipelines(threads);
  const auto start = Clock::now();
  std::vector<std::thread> running;
  for (size_t thread = 0; thread < threads; ++thread) {
    running.emplace_back([&, thread] {
      for (size_t i = 0; i < each; ++i) {
        pipelines[thread].push_back(create(variants[thread * each + i], VK_NULL_HANDLE));
      }
    });
  }
  for (std::thread& thread : running) thread.join();
  until_done();
  return seconds_since(start) * 1e3 / static_cast<double>(each * threads);
}

}  // namespace

void pipelines(Bench& bench) {
  const Gpu& gpu = bench.gpu();
  const RoundTrip until_done(gpu);
  const Target target(gpu);
  const TrianglePipelines triangles(gpu, target.pass);
  const SumPipelines sums(gpu);
  const PipelineCache cache(
      gpu, VkPipelineCacheCreateInfo{.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO});

  Variants fresh;
  const auto variants = [&] {
    std::vector<int32_t> some(bench.either(64, 4));
    for (int32_t& variant : some) variant = fresh.next();
    return some;
  };
  const Create triangle = [&](int32_t variant, VkPipelineCache from) {
    return triangles.create(variant, from);
  };
  const Create sum = [&](int32_t variant, VkPipelineCache from) {
    return sums.create(variant, from);
  };

  time_for_one(until_done, triangle, {fresh.next()},
               VK_NULL_HANDLE);  // what a driver prepares once
  const auto graphics = variants();
  bench.figure("cold", time_for_one(until_done, triangle, graphics, cache));
  bench.figure("cached", time_for_one(until_done, triangle, graphics, cache));
  bench.figure("4-threads", time_on_threads(until_done, triangle, variants(), 4));
  const auto compute = variants();
  bench.figure("compute-cold", time_for_one(until_done, sum, compute, cache));
  bench.figure("compute-cached", time_for_one(until_done, sum, compute, cache));
}

}  // namespace pvgpu::bench::client
