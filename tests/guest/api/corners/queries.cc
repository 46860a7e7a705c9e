// Queries of every kind, and every way to their results.
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "captured_vert.h"
#include "chain.h"
#include "cover_vert.h"
#include "gradient_frag.h"

namespace corners {
namespace {

using client::check;

// A picture, and triangles that cover it, with depth.
struct Scene {
  explicit Scene(Lab& lab)
      : picture(lab.image()),
        pipeline(
            lab.graphics_pipeline({.stages = {{VK_SHADER_STAGE_VERTEX_BIT, cover_vert_spirv},
                                              {VK_SHADER_STAGE_FRAGMENT_BIT, gradient_frag_spirv}},
                                   .layout = lab.pipeline_layout({})})) {}

  void draw(VkCommandBuffer commands, const std::function<void()>& record) const {
    transition(commands, picture, VK_IMAGE_LAYOUT_UNDEFINED,
               VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL);
    begin_rendering(commands, picture);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
    record();
    vkCmdEndRendering(commands);
  }

  Image picture;
  VkPipeline pipeline;
};

std::vector<uint64_t> results(const Lab& lab, VkQueryPool pool, uint32_t first, uint32_t count,
                              uint32_t values = 1, VkQueryResultFlags flags = 0) {
  const bool available = flags & VK_QUERY_RESULT_WITH_AVAILABILITY_BIT;
  const size_t each = values + available;
  std::vector<uint64_t> result(count * each);
  check(vkGetQueryPoolResults(lab.device, pool, first, count, result.size() * 8, result.data(),
                              each * 8, flags | VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT),
        "vkGetQueryPoolResults");
  return result;
}

unsigned long long wide(uint64_t value) {
  return value;
}

void set_scissor(VkCommandBuffer commands, uint32_t width, uint32_t height) {
  const VkRect2D area{{0, 0}, {width, height}};
  vkCmdSetScissor(commands, 0, 1, &area);
}

}  // namespace

CORNER(occlusion_queries) {
  Lab lab(Needs().CORE_FEATURE(occlusionQueryPrecise));
  const Scene scene(lab);
  constexpr uint32_t kQueries = 5;
  const VkQueryPool pool = lab.query_pool(VK_QUERY_TYPE_OCCLUSION, kQueries);
  lab.run([&](VkCommandBuffer commands) {
    vkCmdResetQueryPool(commands, pool, 0, kQueries);
    scene.draw(commands, [&] {
      for (uint32_t i = 0; i < kQueries; ++i) {
        set_scissor(commands, i * 10, 7);
        vkCmdBeginQuery(commands, pool, i, i < 4 ? VK_QUERY_CONTROL_PRECISE_BIT : 0);
        vkCmdDraw(commands, 3, 1, 0, 0);
        vkCmdEndQuery(commands, pool, i);
      }
    });
  });
  const auto samples = results(lab, pool, 0, kQueries);
  for (uint32_t i = 0; i < 4; ++i) {
    expect(samples[i] == i * 70, "a precise query counts the pixels of its rectangle");
    say("query %u: %llu samples", i, wide(samples[i]));
  }
  say("imprecise: %s", samples[4] ? "some" : "none");
}

CORNER(pipeline_statistics) {
  Lab lab(Needs().CORE_FEATURE(pipelineStatisticsQuery));
  const Scene scene(lab);
  constexpr VkQueryPipelineStatisticFlags kCounted =
      VK_QUERY_PIPELINE_STATISTIC_INPUT_ASSEMBLY_VERTICES_BIT |
      VK_QUERY_PIPELINE_STATISTIC_INPUT_ASSEMBLY_PRIMITIVES_BIT |
      VK_QUERY_PIPELINE_STATISTIC_VERTEX_SHADER_INVOCATIONS_BIT |
      VK_QUERY_PIPELINE_STATISTIC_FRAGMENT_SHADER_INVOCATIONS_BIT |
      VK_QUERY_PIPELINE_STATISTIC_COMPUTE_SHADER_INVOCATIONS_BIT;
  const VkQueryPool pool = lab.query_pool(VK_QUERY_TYPE_PIPELINE_STATISTICS, 2, nullptr, kCounted);
  Chain chain(lab);
  lab.run([&](VkCommandBuffer commands) {
    vkCmdResetQueryPool(commands, pool, 0, 2);
    vkCmdBeginQuery(commands, pool, 0, 0);
    scene.draw(commands, [&] { vkCmdDraw(commands, 6, 2, 0, 0); });
    vkCmdEndQuery(commands, pool, 0);
    vkCmdBeginQuery(commands, pool, 1, 0);
    chain.step(commands, 3);
    vkCmdEndQuery(commands, pool, 1);
  });
  const auto counts = results(lab, pool, 0, 2, 5);
  for (uint32_t i = 0; i < counts.size(); ++i) say("statistic %u: %llu", i, wide(counts[i]));
  expect(counts[0] == 12 && counts[1] == 4 && counts[9] == Chain::kWords,
         "twelve vertices of four triangles, and the kernel's invocations");
}

CORNER(timestamps) {
  Lab lab;
  VkPhysicalDeviceProperties properties;
  vkGetPhysicalDeviceProperties(lab.physical, &properties);
  uint32_t count = lab.family + 1;
  std::vector<VkQueueFamilyProperties> families(count);
  vkGetPhysicalDeviceQueueFamilyProperties(lab.physical, &count, families.data());
  say("%u valid bits, period %g ns", families[lab.family].timestampValidBits,
      double(properties.limits.timestampPeriod));
  if (families[lab.family].timestampValidBits == 0) throw Absent{"timestamps"};
  Chain chain(lab);
  const VkQueryPool pool = lab.query_pool(VK_QUERY_TYPE_TIMESTAMP, 3);
  lab.run([&](VkCommandBuffer commands) {
    vkCmdResetQueryPool(commands, pool, 0, 3);
    vkCmdWriteTimestamp(commands, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, pool, 0);
    for (uint32_t i = 0; i < 20; ++i) chain.step(commands, i);
    vkCmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, pool, 1);
    vkCmdWriteTimestamp2(commands, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, pool, 2);
  });
  const auto times = results(lab, pool, 0, 3);
  expect(times[0] > 0 && times[1] > times[0] && times[2] >= times[1], "time goes forward");
  const double passed = double(times[1] - times[0]) * properties.limits.timestampPeriod;
  say("twenty kernels took %s", passed > 100 && passed < 60e9 ? "a likely time" : "no likely time");
}

namespace {

// Venus offers domains that it reads in the guest beside the driver's own.
std::vector<VkTimeDomainEXT> time_domains(const Lab& lab) {
  uint32_t count = 0;
  FN(lab, vkGetPhysicalDeviceCalibrateableTimeDomainsEXT)(lab.physical, &count, nullptr);
  std::vector<VkTimeDomainEXT> domains(count);
  FN(lab, vkGetPhysicalDeviceCalibrateableTimeDomainsEXT)(lab.physical, &count, domains.data());
  std::ranges::sort(domains);
  return domains;
}

}  // namespace

CORNER(time_domains) {
  Lab lab(Needs().extension(VK_EXT_CALIBRATED_TIMESTAMPS_EXTENSION_NAME));
  for (VkTimeDomainEXT domain : time_domains(lab)) say("domain %d", domain);
}

CORNER(calibrated_timestamps) {
  Lab lab(Needs().extension(VK_EXT_CALIBRATED_TIMESTAMPS_EXTENSION_NAME));
  const auto domains = time_domains(lab);
  const auto count = uint32_t(domains.size());
  std::vector<VkCalibratedTimestampInfoEXT> infos;
  for (VkTimeDomainEXT domain : domains) {
    infos.push_back(
        {.sType = VK_STRUCTURE_TYPE_CALIBRATED_TIMESTAMP_INFO_EXT, .timeDomain = domain});
  }
  expect(std::ranges::count(domains, VK_TIME_DOMAIN_DEVICE_EXT) == 1 &&
             std::ranges::count(domains, VK_TIME_DOMAIN_CLOCK_MONOTONIC_EXT) == 1,
         "the device's clock and the monotonic one");
  std::array<std::vector<uint64_t>, 2> times;
  for (auto& at : times) {
    at.resize(count);
    uint64_t deviation = 0;
    check(FN(lab, vkGetCalibratedTimestampsEXT)(lab.device, count, infos.data(), at.data(),
                                                &deviation),
          "vkGetCalibratedTimestampsEXT");
    expect(deviation < 1'000'000'000, "the deviation is below a second");
  }
  for (uint32_t i = 0; i < count; ++i) expect(times[1][i] > times[0][i], "time goes forward");
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  for (uint32_t i = 0; i < count; ++i) {
    if (domains[i] != VK_TIME_DOMAIN_CLOCK_MONOTONIC_EXT) continue;
    const double apart = double(now.tv_sec) - double(times[1][i]) / 1e9;
    say("the monotonic clock is %s", apart > -1.5 && apart < 30 ? "ours" : "another's");
  }
}

// The copies of results on the device, with every flag, at odd strides.
CORNER(query_result_copies) {
  Lab lab(Needs().CORE_FEATURE(occlusionQueryPrecise));
  const Scene scene(lab);
  const VkQueryPool pool = lab.query_pool(VK_QUERY_TYPE_OCCLUSION, 4);
  const client::Buffer output = lab.buffer(4096, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
  lab.run([&](VkCommandBuffer commands) {
    vkCmdResetQueryPool(commands, pool, 0, 4);
    scene.draw(commands, [&] {
      for (uint32_t i = 0; i < 3; ++i) {  // the fourth is never begun
        set_scissor(commands, 5 + i, 11);
        vkCmdBeginQuery(commands, pool, i, VK_QUERY_CONTROL_PRECISE_BIT);
        vkCmdDraw(commands, 3, 1, 0, 0);
        vkCmdEndQuery(commands, pool, i);
      }
    });
  });
  lab.run([&](VkCommandBuffer commands) {
    const auto copy = [&](uint32_t count, VkDeviceSize at, VkDeviceSize stride,
                          VkQueryResultFlags flags) {
      vkCmdCopyQueryPoolResults(commands, pool, 0, count, output.buffer, at, stride, flags);
    };
    copy(3, 0, 4, VK_QUERY_RESULT_WAIT_BIT);
    copy(3, 256, 24, VK_QUERY_RESULT_WAIT_BIT | VK_QUERY_RESULT_64_BIT);
    copy(3, 512, 12, VK_QUERY_RESULT_WAIT_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT);
    copy(4, 768, 16, VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT);
    copy(3, 1024, 8, VK_QUERY_RESULT_PARTIAL_BIT);
  });
  const auto words = output.words();
  for (uint32_t i = 0; i < 3; ++i) {
    const uint32_t samples = (5 + i) * 11;
    expect(words[i] == samples && words[64 + i * 6] == samples && words[128 + i * 3] == samples &&
               words[129 + i * 3] == 1 && words[192 + i * 4] == samples && words[194 + i * 4] == 1,
           "every copy has the same results");
  }
  say("a query never begun is %s", words[192 + 3 * 4 + 2] ? "available" : "unavailable");
  say_bytes("copies", words.subspan(0, 192).data(), 768);
}

CORNER(host_query_reset) {
  Lab lab(Needs()
              .FEATURE(VkPhysicalDeviceVulkan12Features, hostQueryReset)
              .CORE_FEATURE(occlusionQueryPrecise));
  const Scene scene(lab);
  const VkQueryPool pool = lab.query_pool(VK_QUERY_TYPE_OCCLUSION, 2);
  vkResetQueryPool(lab.device, pool, 0, 2);
  for (uint32_t round = 0; round < 3; ++round) {
    std::array<uint64_t, 4> read{9, 9, 9, 9};
    const VkResult early =
        vkGetQueryPoolResults(lab.device, pool, 0, 2, sizeof read, read.data(), 16,
                              VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT);
    say("before: VkResult %d, available %llu %llu", early, wide(read[1]), wide(read[3]));
    lab.run([&](VkCommandBuffer commands) {
      scene.draw(commands, [&] {
        set_scissor(commands, 10 + round, 10);
        vkCmdBeginQuery(commands, pool, 0, VK_QUERY_CONTROL_PRECISE_BIT);
        vkCmdDraw(commands, 3, 1, 0, 0);
        vkCmdEndQuery(commands, pool, 0);
      });
    });
    say("after: %llu samples", wide(results(lab, pool, 0, 1)[0]));
    vkResetQueryPool(lab.device, pool, 0, 2);
  }
}

// 32-bit results, some of which are not there yet.
CORNER(query_results_partly_there) {
  Lab lab(Needs().CORE_FEATURE(occlusionQueryPrecise));
  const Scene scene(lab);
  const VkQueryPool pool = lab.query_pool(VK_QUERY_TYPE_OCCLUSION, 3);
  lab.run([&](VkCommandBuffer commands) {
    vkCmdResetQueryPool(commands, pool, 0, 3);
    scene.draw(commands, [&] {
      vkCmdBeginQuery(commands, pool, 1, VK_QUERY_CONTROL_PRECISE_BIT);
      vkCmdDraw(commands, 3, 1, 0, 0);
      vkCmdEndQuery(commands, pool, 1);
    });
  });
  std::array<uint32_t, 6> read;
  read.fill(7);
  VkResult result = vkGetQueryPoolResults(lab.device, pool, 0, 3, sizeof read, read.data(), 8,
                                          VK_QUERY_RESULT_WITH_AVAILABILITY_BIT);
  say("VkResult %d: availability %u %u %u, samples %u", result, read[1], read[3], read[5], read[2]);
  read.fill(7);
  result = vkGetQueryPoolResults(lab.device, pool, 1, 1, 4, read.data(), 4, 0);
  say("VkResult %d: samples %u", result, read[0]);
  result = vkGetQueryPoolResults(lab.device, pool, 0, 3, 12, read.data(), 4, 0);
  say("VkResult %d", result);
}

// What leaves the vertex stage, captured; and how much of it.
CORNER(transform_feedback) {
  Lab lab(Needs()
              .extension(VK_EXT_TRANSFORM_FEEDBACK_EXTENSION_NAME)
              .FEATURE(VkPhysicalDeviceTransformFeedbackFeaturesEXT, transformFeedback));
  const VkPipeline pipeline =
      lab.graphics_pipeline({.stages = {{VK_SHADER_STAGE_VERTEX_BIT, captured_vert_spirv}},
                             .layout = lab.pipeline_layout({}),
                             .rasterize = false});
  const Image picture = lab.image();
  constexpr VkDeviceSize kRoom = 9 * 16;
  const client::Buffer captured =
      lab.buffer(4096, VK_BUFFER_USAGE_TRANSFORM_FEEDBACK_BUFFER_BIT_EXT);
  const client::Buffer counter =
      lab.buffer(4, VK_BUFFER_USAGE_TRANSFORM_FEEDBACK_COUNTER_BUFFER_BIT_EXT);
  const VkQueryPool pool = lab.query_pool(VK_QUERY_TYPE_TRANSFORM_FEEDBACK_STREAM_EXT, 2);
  const VkDeviceSize zero = 0;
  lab.run([&](VkCommandBuffer commands) {
    vkCmdResetQueryPool(commands, pool, 0, 2);
    transition(commands, picture, VK_IMAGE_LAYOUT_UNDEFINED,
               VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL);
    begin_rendering(commands, picture);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
    FN(lab, vkCmdBindTransformFeedbackBuffersEXT)
    (commands, 0, 1, &captured.buffer, &zero, &kRoom);
    for (uint32_t i = 0; i < 2; ++i) {
      FN(lab, vkCmdBeginQueryIndexedEXT)(commands, pool, i, 0, 0);
      FN(lab, vkCmdBeginTransformFeedbackEXT)(commands, 0, i, &counter.buffer, &zero);
      vkCmdDraw(commands, 6, 1, i * 6, 0);  // the second time there is room for one triangle
      FN(lab, vkCmdEndTransformFeedbackEXT)(commands, 0, 1, &counter.buffer, &zero);
      FN(lab, vkCmdEndQueryIndexedEXT)(commands, pool, i, 0);
      if (i == 0) {
        vkCmdEndRendering(commands);
        const VkMemoryBarrier between{
            .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
            .srcAccessMask = VK_ACCESS_TRANSFORM_FEEDBACK_COUNTER_WRITE_BIT_EXT |
                             VK_ACCESS_TRANSFORM_FEEDBACK_WRITE_BIT_EXT |
                             VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT,
            .dstAccessMask = VK_ACCESS_TRANSFORM_FEEDBACK_COUNTER_READ_BIT_EXT |
                             VK_ACCESS_TRANSFORM_FEEDBACK_COUNTER_WRITE_BIT_EXT |
                             VK_ACCESS_TRANSFORM_FEEDBACK_WRITE_BIT_EXT |
                             VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT};
        vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                             VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 1, &between, 0, nullptr, 0,
                             nullptr);
        begin_rendering(commands, picture);
      }
    }
    vkCmdEndRendering(commands);
  });
  const auto counts = results(lab, pool, 0, 2, 2);
  for (uint32_t i = 0; i < 2; ++i) {
    say("written %llu, needed %llu", wide(counts[2 * i]), wide(counts[2 * i + 1]));
  }
  say_bytes("captured", captured.mapped, kRoom + 64);
}

CORNER(primitives_generated) {
  Lab lab(
      Needs()
          .extension(VK_EXT_PRIMITIVES_GENERATED_QUERY_EXTENSION_NAME)
          .extension(VK_EXT_TRANSFORM_FEEDBACK_EXTENSION_NAME)
          .FEATURE(VkPhysicalDevicePrimitivesGeneratedQueryFeaturesEXT, primitivesGeneratedQuery));
  const Scene scene(lab);
  const VkQueryPool pool = lab.query_pool(VK_QUERY_TYPE_PRIMITIVES_GENERATED_EXT, 1);
  lab.run([&](VkCommandBuffer commands) {
    vkCmdResetQueryPool(commands, pool, 0, 1);
    scene.draw(commands, [&] {
      vkCmdBeginQuery(commands, pool, 0, 0);
      vkCmdDraw(commands, 15, 3, 0, 0);
      vkCmdEndQuery(commands, pool, 0);
    });
  });
  say("%llu triangles", wide(results(lab, pool, 0, 1)[0]));
}

}  // namespace corners
