// What a command costs us from its bytes to the driver's function, which does nothing here: decoding, looking up its
// objects, dispatch, and the reply where there is one. An item is a command; a thousand are executed in one go, as from a ring.
#include <benchmark/benchmark.h>

#include "instructions.h"
#include "stage.h"

namespace pvgpu::bench {
namespace {

using namespace protocol;
using venus::testing::Bytes;

constexpr int kBatch = 1000;

Bytes repeated(const Bytes& command) {
  Bytes all;
  for (int i = 0; i < kBatch; ++i) venus::testing::append(all, command);
  return all;
}

void run(benchmark::State& state, Stage& stage, const Bytes& command) {
  const Bytes batch = repeated(command);
  stage.execute(batch);  // arenas and caches have their size now
  {
    const CountInstructions counted;
    for (auto _ : state) stage.execute(batch);
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(batch.size()));
}

template <class Args>
void record(benchmark::State& state, Stage& stage, const Args& args) {
  run(state, stage, venus::testing::request_bytes(args));
}

void Draw(benchmark::State& state) {
  Stage stage;
  record(state, stage, CmdDrawArgs{stage.commands, 3, 1, 0, 0});
}
void SetViewport(benchmark::State& state) {
  Stage stage;
  const VkViewport viewport{0, 0, 640, 480, 0, 1};
  record(state, stage, CmdSetViewportArgs{stage.commands, 0, 1, &viewport});
}
void BindPipeline(benchmark::State& state) {
  Stage stage;
  record(state, stage, CmdBindPipelineArgs{stage.commands, VK_PIPELINE_BIND_POINT_COMPUTE, stage.pipeline});
}
void BindDescriptorSets(benchmark::State& state) {
  Stage stage;
  const VkDescriptorSet sets[] = {stage.make_descriptor_set(), stage.make_descriptor_set()};
  const uint32_t offsets[] = {0, 256};
  record(state, stage,
         CmdBindDescriptorSetsArgs{stage.commands, VK_PIPELINE_BIND_POINT_COMPUTE, stage.layout, 0, 2, sets, 2, offsets});
}
void BindVertexBuffers(benchmark::State& state) {
  Stage stage;
  const VkBuffer buffers[] = {stage.make_buffer(), stage.make_buffer()};
  const VkDeviceSize offsets[] = {0, 64};
  record(state, stage, CmdBindVertexBuffersArgs{stage.commands, 0, 2, buffers, offsets});
}
void PushConstants(benchmark::State& state) {
  Stage stage;
  const std::byte values[64] = {};
  record(state, stage, CmdPushConstantsArgs{stage.commands, stage.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof values, values});
}
void ImageBarrier(benchmark::State& state) {
  Stage stage;
  const VkImageMemoryBarrier2 barrier{.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER_2,
                                      .newLayout = VK_IMAGE_LAYOUT_GENERAL,
                                      .image = stage.make_image(),
                                      .subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1}};
  const VkDependencyInfo info{
      .sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO, .imageMemoryBarrierCount = 1, .pImageMemoryBarriers = &barrier};
  record(state, stage, CmdPipelineBarrier2Args{stage.commands, &info});
}
void CopyBuffer(benchmark::State& state) {
  Stage stage;
  const VkBufferCopy regions[] = {{0, 0, 64}, {64, 128, 64}};
  record(state, stage, CmdCopyBufferArgs{stage.commands, stage.make_buffer(), stage.make_buffer(), 2, regions});
}
void UpdateDescriptorSets(benchmark::State& state) {
  Stage stage;
  const VkDescriptorBufferInfo buffer{stage.make_buffer(), 0, VK_WHOLE_SIZE};
  const VkWriteDescriptorSet write{.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                   .dstSet = stage.make_descriptor_set(),
                                   .descriptorCount = 1,
                                   .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                   .pBufferInfo = &buffer};
  record(state, stage, UpdateDescriptorSetsArgs{stage.device, 1, &write, 0, nullptr});
}
// A short command with a reply; rewinding to the slot's start is a command of its own in each batch.
void Reply(benchmark::State& state) {
  Stage stage;
  stage.provide_reply_slot();
  const Bytes batch = repeated(venus::testing::request_bytes(GetEventStatusArgs{stage.device, stage.make_event(), VK_SUCCESS}, 1));
  {
    const CountInstructions counted;
    for (auto _ : state) {
      stage.rewind_replies();
      stage.execute(batch);
    }
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}

BENCHMARK(Draw);
BENCHMARK(SetViewport);
BENCHMARK(BindPipeline);
BENCHMARK(BindDescriptorSets);
BENCHMARK(BindVertexBuffers);
BENCHMARK(PushConstants);
BENCHMARK(ImageBarrier);
BENCHMARK(CopyBuffer);
BENCHMARK(UpdateDescriptorSets);
BENCHMARK(Reply);

}  // namespace
}  // namespace pvgpu::bench
