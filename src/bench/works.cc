#include "bench/works.h"

#include <algorithm>

namespace pvgpu::bench {
namespace {

constexpr Unit kMicroseconds{"µs", Better::kLower};
constexpr Unit kMilliseconds{"ms", Better::kLower};
constexpr Unit kCommands{"commands/s", Better::kHigher};
constexpr Unit kFrames{"frames/s", Better::kHigher};
constexpr Unit kSets{"sets/s", Better::kHigher};
constexpr Unit kGigabytes{"GB/s", Better::kHigher};

constexpr Figure kPercentiles[] = {
    {"p50", "half of the calls are faster"},
    {"p99", "99 of 100 calls are faster"},
    {"p99.9", "999 of 1,000 calls are faster; of few calls, the slowest"},
};

constexpr Figure kStartUp[] = {
    {"first", "instance and device, the first of a process"},
    {"again", "instance and device, after others have been destroyed"},
};

constexpr Figure kWait[] = {
    {"50-us", "work that takes 50 µs on average"},
    {"150-us", "work that takes 150 µs on average"},
    {"300-us", "work that takes 300 µs on average"},
    {"1-ms", "work that takes 1 ms on average"},
    {"3-ms", "work that takes 3 ms on average"},
};

constexpr Figure kRecord[] = {
    {"small", "10 commands in a command buffer"},
    {"medium", "1,000 commands in a command buffer"},
    {"huge", "100,000 commands in a command buffer"},
};

constexpr Figure kThreads[] = {
    {"1-thread", "1 thread records and submits"},
    {"4-threads", "4 threads record, and submit to one queue"},
    {"16-threads", "16 threads record, and submit to one queue"},
};

constexpr Figure kDraws[] = {
    {"1.in-flight-1", "1 draw a frame, each frame waited for"},
    {"1.in-flight-3", "1 draw a frame, 3 frames in flight"},
    {"64.in-flight-1", "64 draws a frame, each frame waited for"},
    {"64.in-flight-3", "64 draws a frame, 3 frames in flight"},
    {"1000.in-flight-1", "1,000 draws a frame, each frame waited for"},
    {"1000.in-flight-3", "1,000 draws a frame, 3 frames in flight"},
    {"10000.in-flight-1", "10,000 draws a frame, each frame waited for"},
    {"10000.in-flight-3", "10,000 draws a frame, 3 frames in flight"},
};

constexpr Figure kDescriptors[] = {
    {"update", "vkUpdateDescriptorSets with four uniform buffers in a set"},
    {"allocate", "vkAllocateDescriptorSets and vkResetDescriptorPool, 64 sets at a time"},
};

constexpr Figure kObjects[] = {
    {"buffer", "vkCreateBuffer"},
    {"buffer-view", "vkCreateBufferView"},
    {"image", "vkCreateImage"},
    {"image-view", "vkCreateImageView"},
    {"sampler", "vkCreateSampler"},
    {"fence", "vkCreateFence"},
    {"semaphore", "vkCreateSemaphore, binary"},
    {"event", "vkCreateEvent"},
    {"query-pool", "vkCreateQueryPool with 16 queries"},
    {"command-pool", "vkCreateCommandPool"},
    {"descriptor-pool", "vkCreateDescriptorPool"},
    {"descriptor-set-layout", "vkCreateDescriptorSetLayout"},
    {"pipeline-layout", "vkCreatePipelineLayout"},
    {"pipeline-cache", "vkCreatePipelineCache, empty"},
    {"shader-module", "vkCreateShaderModule"},
    {"render-pass", "vkCreateRenderPass"},
    {"framebuffer", "vkCreateFramebuffer"},
};

constexpr Figure kPipelines[] = {
    {"cold", "vkCreateGraphicsPipelines, never seen before"},
    {"cached", "the same pipelines again, from a VkPipelineCache"},
    {"4-threads", "never seen before, four threads at a time; time for one pipeline"},
    {"compute-cold", "vkCreateComputePipelines, never seen before"},
    {"compute-cached", "the same compute pipelines again, from a VkPipelineCache"},
};

constexpr Figure kMemory[] = {
    {"64-KiB", "64 KiB"},
    {"1-MiB", "1 MiB"},
    {"16-MiB", "16 MiB"},
};

constexpr Figure kTransfer[] = {
    {"upload", "memcpy to mapped memory, then vkCmdCopyBuffer to device-local memory"},
    {"read-back", "vkCmdCopyBuffer from device-local memory, then memcpy from mapped memory"},
};

constexpr Figure kDeviceMemory[] = {
    {"read", "a compute shader reads it, 64 MiB at a time"},
    {"write", "a compute shader writes it, 64 MiB at a time"},
    {"copy", "vkCmdCopyBuffer from one half to the other; what is copied counts once"},
};

constexpr Figure kPresent[] = {
    {"frames", "acquire, clear, present; 256×256 pixels"},
};

constexpr Work kWorks[] = {
    {"start-up", "Start-up",
     "vkCreateInstance, vkCreateDevice and what an application asks between them.",
     kMilliseconds, kStartUp},
    {"round-trip", "Synchronous call, warm",
     "vkGetImageSubresourceLayout of a linear image in a loop: guests must ask the host each time.",
     kMicroseconds, kPercentiles, true},
    {"round-trip-idle", "Synchronous call after 20 ms of idleness",
     "The same call, each after the program has slept for 20 ms.",
     kMicroseconds, kPercentiles, true},
    {"submit", "Submit and wait, warm",
     "vkQueueSubmit of an empty command buffer and vkWaitForFences in a loop.",
     kMicroseconds, kPercentiles, true},
    {"submit-idle", "Submit and wait after 20 ms of idleness",
     "The same, each after the program has slept for 20 ms.",
     kMicroseconds, kPercentiles, true},
    {"wait", "Waiting for the GPU",
     "Copies that take a given time, measured before, are submitted and waited for.",
     kMicroseconds, kWait},
    {"record", "Recording and submitting",
     "State commands are recorded and submitted, three command buffers in flight, until the queue "
     "is idle.",
     kCommands, kRecord},
    {"threads", "Recording on many threads",
     "As recording, 1,000 commands in a command buffer, in all threads together.",
     kCommands, kThreads},
    {"draws", "Draws a frame",
     "Tiny triangles into an image of 64×64 pixels; push constants change before each draw.",
     kFrames, kDraws},
    {"descriptors", "Descriptor sets",
     "Sets of four uniform buffers are written, allocated and reset.", kSets, kDescriptors},
    {"objects", "Objects",
     "64 objects of a kind are created, then destroyed; time for one creation and destruction.",
     kMicroseconds, kObjects},
    {"pipelines", "Pipelines", "Pipelines that differ in a specialization constant; time for one.",
     kMilliseconds, kPipelines},
    {"memory", "Allocate, map, free",
     "vkAllocateMemory of host-visible memory, vkMapMemory, a write to the first page, "
     "vkFreeMemory.",
     kMicroseconds, kMemory},
    {"transfer", "Upload and read-back",
     "32 MiB (4 MiB with --quick) between the program and device-local memory.",
     kGigabytes, kTransfer},
    {"device-memory", "The GPU's own memory",
     "What a GPU does by itself, where guests should lose nothing: up to 1 GiB of device-local memory in one allocation.",
     kGigabytes, kDeviceMemory},
    {"present", "Presenting", "A swapchain on a headless surface.", kFrames, kPresent},
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
    if (names.empty() || std::ranges::find(names, work.name) != names.end()) selected.push_back(&work);
  }
  return selected;
}

}  // namespace pvgpu::bench
