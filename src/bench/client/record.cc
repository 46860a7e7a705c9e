// Recording and submitting, on one thread and on many.
#include <mutex>
#include <thread>

#include "bench/client/frames.h"
#include "bench/client/works.h"

namespace pvgpu::bench::client {
namespace {

constexpr size_t kInFlight = 3;
constexpr uint32_t kPushConstantBytes = 16;

// Commands that cost a driver little, so that what carries them to it shows.
void record_commands(const Gpu& gpu, VkPipelineLayout layout, VkCommandBuffer commands,
                     size_t count) {
  const VkViewport viewport{0, 0, 64, 64, 0, 1};
  const VkRect2D scissor{{0, 0}, {64, 64}};
  const float constants[kPushConstantBytes / 4] = {1, 2, 3, 4};
  for (size_t i = 0; i < count; ++i) {
    switch (i % 4) {
      case 0:
        gpu.vk.CmdSetViewport(commands, 0, 1, &viewport);
        break;
      case 1:
        gpu.vk.CmdSetScissor(commands, 0, 1, &scissor);
        break;
      case 2:
        gpu.vk.CmdSetBlendConstants(commands, constants);
        break;
      default:
        gpu.vk.CmdPushConstants(commands, layout, VK_SHADER_STAGE_VERTEX_BIT, 0, kPushConstantBytes,
                                constants);
    }
  }
}

// Command buffers of `count` commands each, about `total` commands in all, until the GPU is done.
size_t record_and_submit(const Gpu& gpu, VkPipelineLayout layout, Frames& frames, size_t count,
                         size_t total) {
  const size_t buffers = std::max<size_t>(total / count, kInFlight);
  for (size_t i = 0; i < buffers; ++i) {
    record_commands(gpu, layout, frames.begin(), count);
    frames.submit();
  }
  frames.finish();
  return buffers * count;
}

size_t on_threads(const Gpu& gpu, VkPipelineLayout layout, std::vector<Frames>& frames,
                  size_t total) {
  const size_t count = 1'000;
  std::vector<size_t> done(frames.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < frames.size(); ++i) {
    threads.emplace_back([&, i] {
      done[i] = record_and_submit(gpu, layout, frames[i], count, total / frames.size());
    });
  }
  for (std::thread& thread : threads) thread.join();
  size_t sum = 0;
  for (size_t commands : done) sum += commands;
  return sum;
}

}  // namespace

void record(Bench& bench) {
  const Gpu& gpu = bench.gpu();
  const PipelineLayout layout =
      make_pipeline_layout(gpu, VK_SHADER_STAGE_VERTEX_BIT, kPushConstantBytes);
  const auto measure = [&](const char* figure, size_t count, size_t total) {
    Frames frames(gpu, kInFlight);
    bench.figure(figure,
                 bench.rate([&] { return record_and_submit(gpu, layout, frames, count, total); }));
  };
  measure("small", 10, bench.either(10'000, 100));
  measure("medium", 1'000, bench.either(100'000, 3'000));
  measure("huge", 100'000, bench.either(1'000'000, 300'000));
}

void threads(Bench& bench) {
  const Gpu& gpu = bench.gpu();
  const PipelineLayout layout =
      make_pipeline_layout(gpu, VK_SHADER_STAGE_VERTEX_BIT, kPushConstantBytes);
  for (size_t count : {1, 4, 16}) {
    std::mutex queue_lock;
    std::vector<Frames> frames;
    for (size_t i = 0; i < count; ++i) frames.emplace_back(gpu, kInFlight, &queue_lock);
    bench.figure(std::to_string(count) + (count == 1 ? "-thread" : "-threads"), bench.rate([&] {
      return on_threads(gpu, layout, frames, bench.either(500'000, 16'000));
    }));
  }
}

}  // namespace pvgpu::bench::client
