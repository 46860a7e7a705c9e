// What a unit costs, in time and in memory, as their number grows: bench/curves.py draws it. The driver's part does nothing and keeps
// nothing, so that all memory counted is ours.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "stage.h"

namespace pvgpu::bench {
namespace {

using namespace protocol;
using venus::testing::Bytes;

double heap_bytes() {
  const struct mallinfo2 info = ::mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

// A command that names object `marker` once, encoded before: the clock shall not run for what guests do.
class Template {
 public:
  template <class Args>
  Template(const Args& args, uint64_t marker) : bytes_(venus::testing::request_bytes(args)) {
    const auto found = std::ranges::search(bytes_, std::as_bytes(std::span(&marker, 1)));
    if (found.empty()) std::abort();
    at_ = static_cast<size_t>(found.begin() - bytes_.begin());
  }
  const Bytes& with(uint64_t id) {
    std::memcpy(bytes_.data() + at_, &id, sizeof id);
    return bytes_;
  }

 private:
  Bytes bytes_;
  size_t at_ = 0;
};

// Buffers that are alive at a time: creating all of them, then destroying them.
void LiveBuffers(benchmark::State& state) {
  const auto count = static_cast<uint64_t>(state.range(0));
  Stage stage;
  auto& vk = stage.device_state().vk;
  vk.vkCreateBuffer = [](VkDevice, const VkBufferCreateInfo*, const VkAllocationCallbacks*, VkBuffer* buffer) {
    static uint64_t last = 0;
    *buffer = venus::testing::id<VkBuffer>(++last);
    return VK_SUCCESS;
  };
  vk.vkDestroyBuffer = [](VkDevice, VkBuffer, const VkAllocationCallbacks*) {};
  constexpr uint64_t kMarker = 0x1234'5678'9abc;
  const VkBufferCreateInfo info{
      .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .size = 4096, .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT};
  auto id = venus::testing::id<VkBuffer>(kMarker);
  Template create(CreateBufferArgs{stage.device, &info, nullptr, &id, VK_SUCCESS}, kMarker);
  Template destroy(DestroyBufferArgs{stage.device, id, nullptr}, kMarker);
  const double before = heap_bytes();
  double held = 0;
  uint64_t next = std::bit_cast<uint64_t>(stage.new_object<VkBuffer>());
  for (auto _ : state) {
    for (uint64_t i = 0; i < count; ++i) stage.execute(create.with(next + i));
    state.PauseTiming();
    held = heap_bytes() - before;
    state.ResumeTiming();
    for (uint64_t i = 0; i < count; ++i) stage.execute(destroy.with(next + i));
    next += count;  // guests use no id twice
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["bytes_per_unit"] = held / static_cast<double>(count);
}

// Commands in one command buffer, in spans as of a ring.
void RecordedCommands(benchmark::State& state) {
  constexpr int64_t kSpan = 1000;
  Stage stage;
  const Bytes one = venus::testing::request_bytes(CmdDrawArgs{stage.commands, 3, 1, 0, 0});
  Bytes span;
  for (int64_t i = 0; i < kSpan; ++i) venus::testing::append(span, one);
  stage.execute(span);
  const double before = heap_bytes();
  for (auto _ : state) {
    int64_t left = state.range(0);
    for (; left >= kSpan; left -= kSpan) stage.execute(span);
    if (left != 0) stage.execute(std::span(span).first(static_cast<size_t>(left) * one.size()));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["bytes_per_unit"] = (heap_bytes() - before) / static_cast<double>(state.range(0));
}

BENCHMARK(LiveBuffers)->RangeMultiplier(10)->Range(1, 1'000'000);
BENCHMARK(RecordedCommands)->RangeMultiplier(10)->Range(1, 10'000'000);

}  // namespace
}  // namespace pvgpu::bench
