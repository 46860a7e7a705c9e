// Recording: levels, pools, big updates, indirect and conditional work.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <thread>
#include <vector>

#include "chain.h"
#include "cover_vert.h"
#include "gradient_frag.h"

namespace corners {
namespace {

using client::check;

void submit_and_wait(const Lab& lab, VkCommandBuffer commands) {
  const VkSubmitInfo info{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                          .commandBufferCount = 1,
                          .pCommandBuffers = &commands};
  check(vkQueueSubmit(lab.queue, 1, &info, VK_NULL_HANDLE), "vkQueueSubmit");
  check(vkQueueWaitIdle(lab.queue), "vkQueueWaitIdle");
}

VkPipeline covering_pipeline(Lab& lab) {
  return lab.graphics_pipeline({.stages = {{VK_SHADER_STAGE_VERTEX_BIT, cover_vert_spirv},
                                           {VK_SHADER_STAGE_FRAGMENT_BIT, gradient_frag_spirv}},
                                .layout = lab.pipeline_layout({})});
}

}  // namespace

CORNER(secondary_command_buffers) {
  Lab lab;
  Chain chain(lab);
  const VkCommandBufferInheritanceInfo inheritance{
      .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO};
  std::array<VkCommandBuffer, 5> secondaries;
  for (uint32_t i = 0; i < secondaries.size(); ++i) {
    secondaries[i] = lab.command_buffer(lab.commands, VK_COMMAND_BUFFER_LEVEL_SECONDARY);
    begin(secondaries[i], VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT, &inheritance);
    chain.step(secondaries[i], i * 7);
    end(secondaries[i]);
  }
  lab.run([&](VkCommandBuffer commands) {
    vkCmdExecuteCommands(commands, 3, secondaries.data());
    chain.step(commands, 1000);
    vkCmdExecuteCommands(commands, secondaries.size(), secondaries.data());
  });
  for (uint32_t add : {0, 7, 14, 1000, 0, 7, 14, 21, 28}) chain.expect_step(add);
  chain.check("three, one of its own, then five");
}

// Secondary command buffers that draw inside dynamic rendering that another one began.
CORNER(secondary_in_rendering) {
  Lab lab;
  const Image picture = lab.image();
  const VkPipeline pipeline = covering_pipeline(lab);
  const VkCommandBufferInheritanceRenderingInfo rendering{
      .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_RENDERING_INFO,
      .flags = VK_RENDERING_CONTENTS_SECONDARY_COMMAND_BUFFERS_BIT,
      .colorAttachmentCount = 1,
      .pColorAttachmentFormats = &picture.spec.format,
      .rasterizationSamples = VK_SAMPLE_COUNT_1_BIT};
  const VkCommandBufferInheritanceInfo inheritance{
      .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO, .pNext = &rendering};
  const VkCommandBuffer secondary =
      lab.command_buffer(lab.commands, VK_COMMAND_BUFFER_LEVEL_SECONDARY);
  begin(secondary, VK_COMMAND_BUFFER_USAGE_RENDER_PASS_CONTINUE_BIT, &inheritance);
  set_viewport(secondary, picture);
  vkCmdBindPipeline(secondary, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
  vkCmdDraw(secondary, 3, 1, 0, 0);
  end(secondary);
  lab.run([&](VkCommandBuffer commands) {
    transition(commands, picture, VK_IMAGE_LAYOUT_UNDEFINED,
               VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL);
    begin_rendering(commands, picture, {}, VK_RENDERING_CONTENTS_SECONDARY_COMMAND_BUFFERS_BIT);
    vkCmdExecuteCommands(commands, 1, &secondary);
    vkCmdEndRendering(commands);
    transition(commands, picture, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL,
               VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
  });
  const auto bytes = lab.read(picture, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
  expect(bytes[4 * 63] == 63 && bytes[4 * 64 * 63 + 1] == 63, "the last pixels are drawn");
  say_bytes("picture", bytes);
}

// Pools reset, trimmed, with buffers freed in odd orders and used again.
CORNER(command_pools) {
  Lab lab;
  Chain chain(lab);
  const VkCommandPool whole = lab.command_pool();
  const VkCommandPool single = lab.command_pool(VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT);
  std::vector<VkCommandBuffer> many;
  for (uint32_t i = 0; i < 64; ++i) many.push_back(lab.command_buffer(whole));
  for (uint32_t round = 0; round < 4; ++round) {
    for (uint32_t i = 0; i < many.size(); ++i) {
      begin(many[i]);
      chain.step(many[i], round * 100 + i);
      end(many[i]);
    }
    submit_and_wait(lab, many[round]);
    chain.expect_step(round * 100 + round);
    const bool release = round % 2 == 1;
    check(vkResetCommandPool(lab.device, whole,
                             release ? VK_COMMAND_POOL_RESET_RELEASE_RESOURCES_BIT : 0),
          "vkResetCommandPool");
    if (release) vkTrimCommandPool(lab.device, whole, 0);
    std::vector<VkCommandBuffer> odd;
    for (size_t i = 1; i < many.size(); i += 2) odd.push_back(many[i]);
    vkFreeCommandBuffers(lab.device, whole, uint32_t(odd.size()), odd.data());
    for (size_t i = 1; i < many.size(); i += 2) many[i] = lab.command_buffer(whole);
  }
  const VkCommandBuffer again = lab.command_buffer(single);
  for (uint32_t round = 0; round < 20; ++round) {
    if (round % 3 == 1) check(vkResetCommandBuffer(again, 0), "vkResetCommandBuffer");
    begin(again);  // resets too
    chain.step(again, round);
    end(again);
    submit_and_wait(lab, again);
    submit_and_wait(lab, again);
    chain.expect_step(round);
    chain.expect_step(round);
  }
  chain.check("steps of pools");
}

// Long command buffers of several pools, recorded by several threads while others are executed, their secondary ones long too; and what
// they name is destroyed as soon as it may be.
CORNER(long_command_buffers) {
  constexpr uint32_t kThreads = 4, kRounds = 6, kWords = 1500;
  struct Part {
    VkCommandPool pool = VK_NULL_HANDLE;
    VkCommandBuffer primary = VK_NULL_HANDLE, secondary = VK_NULL_HANDLE;
    VkFence fence = VK_NULL_HANDLE;
    client::Buffer buffer, brief;
    std::vector<uint32_t> words;
  };
  Lab lab;
  std::vector<Part> parts(kThreads);
  for (Part& part : parts) {
    part.pool = lab.command_pool();
    part.primary = lab.command_buffer(part.pool);
    part.secondary = lab.command_buffer(part.pool, VK_COMMAND_BUFFER_LEVEL_SECONDARY);
    part.fence = lab.fence();
    part.buffer = lab.buffer(kWords * 4, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
  }
  const VkCommandBufferInheritanceInfo inheritance{
      .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO};
  for (uint32_t round = 0; round < kRounds; ++round) {
    std::vector<std::thread> threads;
    for (uint32_t p = 0; p < kThreads; ++p) {
      threads.emplace_back([&, p] {
        Part& part = parts[p];
        const auto value = [&](uint32_t i) { return (round * kThreads + p) * 0x10000 + i; };
        check(vkResetCommandPool(lab.device, part.pool, 0), "vkResetCommandPool");
        part.brief = client::make_buffer(lab, kWords * 4, VK_BUFFER_USAGE_TRANSFER_DST_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT);
        begin(part.secondary, 0, &inheritance);
        for (uint32_t i = 0; i < kWords; ++i) vkCmdFillBuffer(part.secondary, part.brief.buffer, i * 4, 4, value(i));
        end(part.secondary);
        begin(part.primary);
        vkCmdExecuteCommands(part.primary, 1, &part.secondary);
        barrier(part.primary);
        for (uint32_t i = 0; i < kWords; ++i) {
          const VkBufferCopy region{i * 4, (kWords - 1 - i) * 4, 4};
          vkCmdCopyBuffer(part.primary, part.brief.buffer, part.buffer.buffer, 1, &region);
        }
        barrier(part.primary);
        end(part.primary);
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (Part& part : parts) {
      const VkSubmitInfo info{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                              .commandBufferCount = 1,
                              .pCommandBuffers = &part.primary};
      check(vkQueueSubmit(lab.queue, 1, &info, part.fence), "vkQueueSubmit");
    }
    for (Part& part : parts) {
      check(vkWaitForFences(lab.device, 1, &part.fence, VK_TRUE, UINT64_MAX), "vkWaitForFences");
      check(vkResetFences(lab.device, 1, &part.fence), "vkResetFences");
      client::destroy(lab, part.brief);
      const auto words = part.buffer.words();
      part.words.insert(part.words.end(), words.begin(), words.end());
    }
  }
  for (uint32_t p = 0; p < kThreads; ++p) {
    const std::vector<uint32_t>& words = parts[p].words;
    bool right = words.size() == kRounds * kWords;
    for (uint32_t i = 0; right && i < words.size(); ++i)
      right = words[i] == (i / kWords * kThreads + p) * 0x10000 + (kWords - 1 - i % kWords);
    expect(right, "every word is where its round put it");
    say_bytes("words", words);
  }
}

// 64 KiB is the most that one vkCmdUpdateBuffer takes; many of them fill a ring several times.
CORNER(update_buffer) {
  Lab lab;
  constexpr uint32_t kUpdate = 65536, kUpdates = 64;
  const client::Buffer buffer = lab.buffer(kUpdate * kUpdates, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
  std::vector<uint32_t> words(kUpdate * kUpdates / 4);
  for (uint32_t i = 0; i < words.size(); ++i) words[i] = i * 2654435761u;
  lab.run([&](VkCommandBuffer commands) {
    for (uint32_t i = 0; i < kUpdates; ++i) {
      vkCmdUpdateBuffer(commands, buffer.buffer, VkDeviceSize{i} * kUpdate, kUpdate,
                        words.data() + size_t{i} * kUpdate / 4);
    }
  });
  expect(std::ranges::equal(buffer.words(), words), "every word is in its place");
  const uint32_t four = 0xdecade;
  lab.run([&](VkCommandBuffer commands) {
    vkCmdUpdateBuffer(commands, buffer.buffer, 65532, 4, &four);
  });
  say_bytes("updated", buffer.mapped, buffer.size);
}

// The draws of an indirect buffer, of which a second buffer says how many; as many as the pixels
// that come nearer prove.
CORNER(indirect_draws) {
  Lab lab(Needs()
              .CORE_FEATURE(multiDrawIndirect)
              .CORE_FEATURE(drawIndirectFirstInstance)
              .FEATURE(VkPhysicalDeviceVulkan12Features, drawIndirectCount));
  const Image picture = lab.image();
  const VkPipeline pipeline = covering_pipeline(lab);
  std::vector<VkDrawIndirectCommand> draws;
  for (uint32_t i = 0; i < 6; ++i) draws.push_back({3, 1, i * 3, i});
  const client::Buffer arguments =
      lab.buffer(draws.size() * sizeof draws[0] + 4, VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT);
  std::memcpy(arguments.mapped, draws.data(), draws.size() * sizeof draws[0]);
  const VkDeviceSize count_at = draws.size() * sizeof draws[0];
  arguments.words()[count_at / 4] = 4;
  const auto draw = [&](const char* what, const std::function<void(VkCommandBuffer)>& record) {
    lab.run([&](VkCommandBuffer commands) {
      transition(commands, picture, VK_IMAGE_LAYOUT_UNDEFINED,
                 VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL);
      begin_rendering(commands, picture);
      vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
      record(commands);
      vkCmdEndRendering(commands);
      transition(commands, picture, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL,
                 VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
    });
    const auto bytes = lab.read(picture, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
    say("%s: the last triangle is at depth %u", what, bytes[2]);
    say_bytes(what, bytes);
  };
  draw("six draws", [&](VkCommandBuffer commands) {
    vkCmdDrawIndirect(commands, arguments.buffer, 0, 6, sizeof draws[0]);
  });
  draw("every other draw", [&](VkCommandBuffer commands) {
    vkCmdDrawIndirect(commands, arguments.buffer, sizeof draws[0], 2, 2 * sizeof draws[0]);
  });
  draw("four draws of six", [&](VkCommandBuffer commands) {
    vkCmdDrawIndirectCount(commands, arguments.buffer, 0, arguments.buffer, count_at, 6,
                           sizeof draws[0]);
  });
  draw("two draws of four", [&](VkCommandBuffer commands) {
    vkCmdDrawIndirectCount(commands, arguments.buffer, 0, arguments.buffer, count_at, 2,
                           sizeof draws[0]);
  });
}

CORNER(conditional_rendering) {
  Lab lab(Needs()
              .extension(VK_EXT_CONDITIONAL_RENDERING_EXTENSION_NAME)
              .FEATURE(VkPhysicalDeviceConditionalRenderingFeaturesEXT, conditionalRendering));
  Chain chain(lab);
  const client::Buffer conditions = lab.buffer(8, VK_BUFFER_USAGE_CONDITIONAL_RENDERING_BIT_EXT);
  conditions.words()[1] = 1;
  lab.run([&](VkCommandBuffer commands) {
    for (uint32_t i = 0; i < 4; ++i) {
      const VkConditionalRenderingBeginInfoEXT info{
          .sType = VK_STRUCTURE_TYPE_CONDITIONAL_RENDERING_BEGIN_INFO_EXT,
          .buffer = conditions.buffer,
          .offset = (i % 2) * 4,
          .flags = (i / 2) * uint32_t{VK_CONDITIONAL_RENDERING_INVERTED_BIT_EXT}};
      FN(lab, vkCmdBeginConditionalRenderingEXT)(commands, &info);
      chain.step(commands, 10 + i);
      FN(lab, vkCmdEndConditionalRenderingEXT)(commands);
    }
  });
  for (uint32_t add : {11, 12}) chain.expect_step(add);
  chain.check("two steps of four");
}

}  // namespace corners
