#include "bench/works.h"

#include <algorithm>

namespace pvgpu::bench {
namespace {

using enum Better;

constexpr Figure kPercentiles[] = {
    {"p50", "µs", kLower, "half of the calls are faster"},
    {"p99", "µs", kLower, "99 of 100 calls are faster"},
    {"p99.9", "µs", kLower, "999 of 1,000 calls are faster; of few calls, the slowest"},
};

constexpr Figure kStartUp[] = {
    {"first", "ms", kLower, "instance and device, the first of a process"},
    {"again", "ms", kLower, "instance and device, after others have been destroyed"},
};

constexpr Figure kRecord[] = {
    {"small", "commands/s", kHigher, "10 commands in a command buffer"},
    {"medium", "commands/s", kHigher, "1,000 commands in a command buffer"},
    {"huge", "commands/s", kHigher, "100,000 commands in a command buffer"},
};

constexpr Figure kThreads[] = {
    {"1-thread", "commands/s", kHigher, "1 thread records and submits"},
    {"4-threads", "commands/s", kHigher, "4 threads record, and submit to one queue"},
    {"16-threads", "commands/s", kHigher, "16 threads record, and submit to one queue"},
};

constexpr Figure kDraws[] = {
    {"1.in-flight-1", "frames/s", kHigher, "1 draw a frame, each frame waited for"},
    {"1.in-flight-3", "frames/s", kHigher, "1 draw a frame, 3 frames in flight"},
    {"64.in-flight-1", "frames/s", kHigher, "64 draws a frame, each frame waited for"},
    {"64.in-flight-3", "frames/s", kHigher, "64 draws a frame, 3 frames in flight"},
    {"1000.in-flight-1", "frames/s", kHigher, "1,000 draws a frame, each frame waited for"},
    {"1000.in-flight-3", "frames/s", kHigher, "1,000 draws a frame, 3 frames in flight"},
    {"10000.in-flight-1", "frames/s", kHigher, "10,000 draws a frame, each frame waited for"},
    {"10000.in-flight-3", "frames/s", kHigher, "10,000 draws a frame, 3 frames in flight"},
};

constexpr Figure kDescriptors[] = {
    {"update", "sets/s", kHigher, "vkUpdateDescriptorSets with four uniform buffers in a set"},
    {"allocate", "sets/s", kHigher,
     "vkAllocateDescriptorSets and vkResetDescriptorPool, 64 sets at a time"},
};

constexpr Figure kObjects[] = {
    {"buffer", "µs", kLower, "vkCreateBuffer"},
    {"buffer-view", "µs", kLower, "vkCreateBufferView"},
    {"image", "µs", kLower, "vkCreateImage"},
    {"image-view", "µs", kLower, "vkCreateImageView"},
    {"sampler", "µs", kLower, "vkCreateSampler"},
    {"fence", "µs", kLower, "vkCreateFence"},
    {"semaphore", "µs", kLower, "vkCreateSemaphore, binary"},
    {"event", "µs", kLower, "vkCreateEvent"},
    {"query-pool", "µs", kLower, "vkCreateQueryPool with 16 queries"},
    {"command-pool", "µs", kLower, "vkCreateCommandPool"},
    {"descriptor-pool", "µs", kLower, "vkCreateDescriptorPool"},
    {"descriptor-set-layout", "µs", kLower, "vkCreateDescriptorSetLayout"},
    {"pipeline-layout", "µs", kLower, "vkCreatePipelineLayout"},
    {"pipeline-cache", "µs", kLower, "vkCreatePipelineCache, empty"},
    {"shader-module", "µs", kLower, "vkCreateShaderModule"},
    {"render-pass", "µs", kLower, "vkCreateRenderPass"},
    {"framebuffer", "µs", kLower, "vkCreateFramebuffer"},
};

constexpr Figure kPipelines[] = {
    {"cold", "ms", kLower, "vkCreateGraphicsPipelines, never seen before"},
    {"cached", "ms", kLower, "the same pipelines again, from a VkPipelineCache"},
    {"4-threads", "ms", kLower, "never seen before, four threads at a time; time for one pipeline"},
    {"compute-cold", "ms", kLower, "vkCreateComputePipelines, never seen before"},
    {"compute-cached", "ms", kLower, "the same compute pipelines again, from a VkPipelineCache"},
};

constexpr Figure kMemory[] = {
    {"64-KiB", "µs", kLower, "64 KiB"},
    {"1-MiB", "µs", kLower, "1 MiB"},
    {"16-MiB", "µs", kLower, "16 MiB"},
};

constexpr Figure kTransfer[] = {
    {"upload", "GB/s", kHigher,
     "memcpy to mapped memory, then vkCmdCopyBuffer to device-local memory"},
    {"read-back", "GB/s", kHigher,
     "vkCmdCopyBuffer from device-local memory, then memcpy from mapped memory"},
};

constexpr Figure kPresent[] = {
    {"frames", "frames/s", kHigher, "acquire, clear, present; 256×256 pixels"},
};

constexpr Work kWorks[] = {
    {"start-up", "Start-up",
     "vkCreateInstance, vkCreateDevice and what an application asks between them.", kStartUp},
    {"round-trip", "Synchronous call, warm",
     "vkGetImageSubresourceLayout of a linear image in a loop: guests must ask the host each time.",
     kPercentiles, true},
    {"round-trip-idle", "Synchronous call after 20 ms of idleness",
     "The same call, each after the program has slept for 20 ms.", kPercentiles, true},
    {"submit", "Submit and wait, warm",
     "vkQueueSubmit of an empty command buffer and vkWaitForFences in a loop.", kPercentiles, true},
    {"submit-idle", "Submit and wait after 20 ms of idleness",
     "The same, each after the program has slept for 20 ms.", kPercentiles, true},
    {"record", "Recording and submitting",
     "State commands are recorded and submitted, three command buffers in flight, until the queue "
     "is idle.",
     kRecord},
    {"threads", "Recording on many threads",
     "As recording, 1,000 commands in a command buffer, in all threads together.", kThreads},
    {"draws", "Draws a frame",
     "Tiny triangles into an image of 64×64 pixels; push constants change before each draw.",
     kDraws},
    {"descriptors", "Descriptor sets",
     "Sets of four uniform buffers are written, allocated and reset.", kDescriptors},
    {"objects", "Objects",
     "64 objects of a kind are created, then destroyed; time for one creation and destruction.",
     kObjects},
    {"pipelines", "Pipelines", "Pipelines that differ in a specialization constant; time for one.",
     kPipelines},
    {"memory", "Allocate, map, free",
     "vkAllocateMemory of host-visible memory, vkMapMemory, a write to the first page, "
     "vkFreeMemory.",
     kMemory},
    {"transfer", "Upload and read-back",
     "32 MiB (4 MiB with --quick) between the program and device-local memory.", kTransfer},
    {"present", "Presenting", "A swapchain on a headless surface.", kPresent},
};

}  // namespace

std::span<const Work> all_works() {
  return kWorks;
}

const Work* find_work(std::string_view name) {
  const auto* found = std::ranges::find(kWorks, name, &Work::name);
  return found == std::end(kWorks) ? nullptr : found;
}

std::vector<const Work*> select_works(std::span<const std::string> names, std::string& unknown) {
  for (const std::string& name : names) {
    if (find_work(name)) continue;
    unknown = name;
    return {};
  }
  std::vector<const Work*> selected;
  for (const Work& work : kWorks) {
    if (names.empty() || std::ranges::contains(names, work.name)) selected.push_back(&work);
  }
  return selected;
}

}  // namespace pvgpu::bench
