// Fences, events, semaphores of both kinds, on one queue and several, from one thread and several.
#include <mutex>
#include <thread>

#include "chain.h"

namespace corners {
namespace {

using client::check;

VkSemaphoreSubmitInfo point(VkSemaphore semaphore, uint64_t value = 0) {
  return {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
          .semaphore = semaphore,
          .value = value,
          .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT};
}

void submit(VkQueue queue, VkCommandBuffer commands, std::span<const VkSemaphoreSubmitInfo> waits,
            std::span<const VkSemaphoreSubmitInfo> signals, VkFence fence = VK_NULL_HANDLE) {
  const VkCommandBufferSubmitInfo buffer{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
                                         .commandBuffer = commands};
  const VkSubmitInfo2 info{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                           .waitSemaphoreInfoCount = uint32_t(waits.size()),
                           .pWaitSemaphoreInfos = waits.data(),
                           .commandBufferInfoCount = commands ? 1u : 0u,
                           .pCommandBufferInfos = &buffer,
                           .signalSemaphoreInfoCount = uint32_t(signals.size()),
                           .pSignalSemaphoreInfos = signals.data()};
  check(vkQueueSubmit2(queue, 1, &info, fence), "vkQueueSubmit2");
}

VkResult wait_for(const Lab& lab, VkSemaphore semaphore, uint64_t value,
                  uint64_t timeout = UINT64_MAX) {
  const VkSemaphoreWaitInfo info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                 .semaphoreCount = 1,
                                 .pSemaphores = &semaphore,
                                 .pValues = &value};
  return vkWaitSemaphores(lab.device, &info, timeout);
}

void signal(const Lab& lab, VkSemaphore semaphore, uint64_t value) {
  const VkSemaphoreSignalInfo info{
      .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO, .semaphore = semaphore, .value = value};
  check(vkSignalSemaphore(lab.device, &info), "vkSignalSemaphore");
}

uint64_t value_of(const Lab& lab, VkSemaphore semaphore) {
  uint64_t value = 0;
  check(vkGetSemaphoreCounterValue(lab.device, semaphore, &value), "vkGetSemaphoreCounterValue");
  return value;
}

}  // namespace

// Eight threads take turns at one buffer: those with even numbers by submissions, the others by
// hand. A submission is made before the value that it waits for is signalled.
CORNER(timeline_from_threads) {
  Lab lab;
  Chain chain(lab);
  const VkSemaphore semaphore = lab.timeline();
  constexpr uint32_t kThreads = 8, kRounds = 12;
  std::vector<VkCommandPool> pools;
  for (uint32_t i = 0; i < kThreads; ++i) pools.push_back(lab.command_pool());
  std::mutex queue_mutex;

  const auto work = [&](uint32_t index) {
    for (uint32_t turn = index; turn < kThreads * kRounds; turn += kThreads) {
      if (index % 2 == 1) {
        check(wait_for(lab, semaphore, turn), "vkWaitSemaphores");
        for (uint32_t i = 0; i < Chain::kWords; ++i) chain.buffer.words()[i] += turn * i;
        signal(lab, semaphore, turn + 1);
        continue;
      }
      const VkCommandBuffer commands = lab.command_buffer(pools[index]);
      begin(commands);
      const VkMemoryBarrier by_hand{.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                                    .srcAccessMask = VK_ACCESS_HOST_WRITE_BIT,
                                    .dstAccessMask = VK_ACCESS_MEMORY_READ_BIT};
      vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_HOST_BIT, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                           0, 1, &by_hand, 0, nullptr, 0, nullptr);
      chain.step(commands, turn);
      end(commands);
      // No earlier than that: a queue may not have to wait for what comes after in itself.
      if (turn > 0) check(wait_for(lab, semaphore, turn - 1), "vkWaitSemaphores");
      std::lock_guard lock(queue_mutex);
      submit(lab.queue, commands, {{point(semaphore, turn)}}, {{point(semaphore, turn + 1)}});
    }
  };
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < kThreads; ++i) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
  check(wait_for(lab, semaphore, kThreads * kRounds), "vkWaitSemaphores");
  for (uint32_t turn = 0; turn < kThreads * kRounds; ++turn) {
    if (turn % 2 == 0) {
      chain.expect_step(turn);
    } else {
      for (uint32_t i = 0; i < Chain::kWords; ++i) chain.expected[i] += turn * i;
    }
  }
  chain.check("turns of eight threads");
}

CORNER(timeline_on_the_host) {
  Lab lab;
  const VkSemaphore first = lab.timeline(5), second = lab.timeline();
  say("starts at %llu", static_cast<unsigned long long>(value_of(lab, first)));
  say("not yet: VkResult %d", wait_for(lab, first, 6, 1'000'000));
  say("long ago: VkResult %d", wait_for(lab, first, 3, 0));
  signal(lab, first, 1ull << 40);
  say("signalled to %llu", static_cast<unsigned long long>(value_of(lab, first)));
  const VkSemaphore both[]{first, second};
  const uint64_t values[]{1ull << 40, 1};
  VkSemaphoreWaitInfo wait{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                           .semaphoreCount = 2,
                           .pSemaphores = both,
                           .pValues = values};
  say("all of two: VkResult %d", vkWaitSemaphores(lab.device, &wait, 1'000'000));
  wait.flags = VK_SEMAPHORE_WAIT_ANY_BIT;
  say("any of two: VkResult %d", vkWaitSemaphores(lab.device, &wait, 1'000'000));
  wait.pSemaphores = &second;
  wait.pValues = &values[1];
  wait.semaphoreCount = 1;
  wait.flags = 0;
  std::thread signaller([&] { signal(lab, second, 1); });
  say("signalled meanwhile: VkResult %d", vkWaitSemaphores(lab.device, &wait, UINT64_MAX));
  signaller.join();
}

// Of two semaphores the first has its value and the second has not.
CORNER(timeline_wait_for_all) {
  Lab lab;
  const VkSemaphore both[]{lab.timeline(1), lab.timeline(50)};
  const uint64_t values[]{1, 100};
  const VkSemaphoreWaitInfo wait{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                 .semaphoreCount = 2,
                                 .pSemaphores = both,
                                 .pValues = values};
  say("VkResult %d", vkWaitSemaphores(lab.device, &wait, 20'000'000));
}

CORNER(timeline_across_queues) {
  Lab lab(Needs().queues(2));
  Chain chain(lab);
  const VkSemaphore semaphore = lab.timeline();
  for (uint32_t turn = 0; turn < 32; ++turn) {
    const VkCommandBuffer commands = lab.command_buffer(lab.commands);
    begin(commands);
    chain.step(commands, turn);
    end(commands);
    submit(lab.queues[turn % 2], commands, {{point(semaphore, turn)}},
           {{point(semaphore, turn + 1)}});
    chain.expect_step(turn);
  }
  check(wait_for(lab, semaphore, 32), "vkWaitSemaphores");
  chain.check("two queues in turn");
}

CORNER(binary_semaphores) {
  Lab lab;
  Chain chain(lab);
  VkSemaphore before = VK_NULL_HANDLE;
  const VkFence fence = lab.fence();
  constexpr uint32_t kLinks = 16;
  for (uint32_t link = 0; link < kLinks; ++link) {
    const VkCommandBuffer commands = lab.command_buffer(lab.commands);
    begin(commands);
    chain.step(commands, link);
    end(commands);
    chain.expect_step(link);
    std::vector<VkSemaphoreSubmitInfo> waits, signals;
    if (before) waits.push_back(point(before));
    if (link + 1 < kLinks) signals.push_back(point(before = lab.semaphore()));
    submit(lab.queue, commands, waits, signals, link + 1 < kLinks ? VK_NULL_HANDLE : fence);
  }
  check(vkWaitForFences(lab.device, 1, &fence, VK_TRUE, UINT64_MAX), "vkWaitForFences");
  chain.check("sixteen links");
}

CORNER(fences) {
  Lab lab;
  const VkFence one = lab.fence(), other = lab.fence();
  const VkFence both[]{one, other};
  say("unsignalled: VkResult %d", vkGetFenceStatus(lab.device, one));
  say("not yet: VkResult %d", vkWaitForFences(lab.device, 1, &one, VK_TRUE, 1'000'000));
  submit(lab.queue, VK_NULL_HANDLE, {}, {}, one);
  say("any of two: VkResult %d", vkWaitForFences(lab.device, 2, both, VK_FALSE, UINT64_MAX));
  say("all of two: VkResult %d", vkWaitForFences(lab.device, 2, both, VK_TRUE, 1'000'000));
  say("signalled: VkResult %d", vkGetFenceStatus(lab.device, one));
  check(vkResetFences(lab.device, 1, &one), "vkResetFences");
  say("reset: VkResult %d", vkGetFenceStatus(lab.device, one));
  submit(lab.queue, VK_NULL_HANDLE, {}, {}, one);
  submit(lab.queue, VK_NULL_HANDLE, {}, {}, other);
  say("all of two: VkResult %d", vkWaitForFences(lab.device, 2, both, VK_TRUE, UINT64_MAX));
}

CORNER(events) {
  Lab lab;
  Chain chain(lab);
  const VkEventCreateInfo info{.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO};
  VkEvent event;
  check(vkCreateEvent(lab.device, &info, nullptr, &event), "vkCreateEvent");
  lab.at_end([&lab, event] { vkDestroyEvent(lab.device, event, nullptr); });
  say("new: VkResult %d", vkGetEventStatus(lab.device, event));
  check(vkSetEvent(lab.device, event), "vkSetEvent");
  say("set: VkResult %d", vkGetEventStatus(lab.device, event));
  check(vkResetEvent(lab.device, event), "vkResetEvent");
  say("reset: VkResult %d", vkGetEventStatus(lab.device, event));
  const VkMemoryBarrier2 everything{.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
                                    .srcStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
                                    .srcAccessMask = VK_ACCESS_2_MEMORY_WRITE_BIT,
                                    .dstStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
                                    .dstAccessMask = VK_ACCESS_2_MEMORY_READ_BIT};
  const VkDependencyInfo dependency{.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
                                    .memoryBarrierCount = 1,
                                    .pMemoryBarriers = &everything};
  lab.run([&](VkCommandBuffer commands) {
    chain.step(commands, 1);
    vkCmdSetEvent2(commands, event, &dependency);
    vkCmdWaitEvents2(commands, 1, &event, &dependency);
    chain.step(commands, 2);
  });
  say("set by the device: VkResult %d", vkGetEventStatus(lab.device, event));
  lab.run([&](VkCommandBuffer commands) {
    vkCmdResetEvent2(commands, event, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT);
    barrier(commands);
  });
  say("reset by the device: VkResult %d", vkGetEventStatus(lab.device, event));
  for (uint32_t add : {1, 2}) chain.expect_step(add);
  chain.check("steps around an event");
}

}  // namespace corners
