// Descriptors by every way that leads into a shader.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "chain.h"
#include "pick_buffers_comp.h"
#include "read_null_comp.h"
#include "read_uniforms_comp.h"
#include "step_comp.h"

namespace corners {
namespace {

using client::check;

constexpr VkBufferUsageFlags kStorage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;

void dispatch(VkCommandBuffer commands, VkPipelineLayout layout, VkPipeline pipeline,
              VkDescriptorSet set) {
  barrier(commands);
  vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
  if (set) {
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &set, 0,
                            nullptr);
  }
  vkCmdDispatch(commands, Chain::kWords / 64, 1, 1);
}

VkWriteDescriptorSet write_buffer(VkDescriptorSet set, uint32_t binding, VkDescriptorType type,
                                  const VkDescriptorBufferInfo& buffer, uint32_t element = 0) {
  return {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
          .dstSet = set,
          .dstBinding = binding,
          .dstArrayElement = element,
          .descriptorCount = 1,
          .descriptorType = type,
          .pBufferInfo = &buffer};
}

VkDescriptorUpdateTemplate make_template(Lab& lab, VkDescriptorUpdateTemplateCreateInfo info,
                                         std::span<const VkDescriptorUpdateTemplateEntry> entries) {
  info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_UPDATE_TEMPLATE_CREATE_INFO;
  info.descriptorUpdateEntryCount = uint32_t(entries.size());
  info.pDescriptorUpdateEntries = entries.data();
  VkDescriptorUpdateTemplate made;
  check(vkCreateDescriptorUpdateTemplate(lab.device, &info, nullptr, &made),
        "vkCreateDescriptorUpdateTemplate");
  lab.at_end([&lab, made] { vkDestroyDescriptorUpdateTemplate(lab.device, made, nullptr); });
  return made;
}

// Words for a uniform block, another sixteen vectors for each seed.
std::array<uint32_t, 64> block(uint32_t seed) {
  std::array<uint32_t, 64> words;
  for (uint32_t i = 0; i < words.size(); ++i) words[i] = (seed + i) * 2654435761u;
  return words;
}

void check_block(const client::Buffer& output, uint32_t seed, const char* what) {
  const auto words = block(seed);
  for (uint32_t i = 0; i < Chain::kWords; ++i) {
    expect(output.words()[i] == words[i % 64] * 3 + i, what);
  }
  say_bytes(what, output.mapped, output.size);
}

// A pipeline that reads a block at binding 1 and writes to binding 0 what check_block() expects.
struct BlockReader {
  BlockReader(Lab& lab, Binding blocks)
      : output(lab.buffer(Chain::kWords * 4, kStorage)),
        set_layout(lab.set_layout(std::array{Binding{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER}, blocks})),
        layout(lab.pipeline_layout({&set_layout, 1})),
        pipeline(lab.compute_pipeline(layout, read_uniforms_comp_spirv)) {}
  void run(Lab& lab, VkDescriptorSet set) const {
    lab.run([&](VkCommandBuffer commands) { dispatch(commands, layout, pipeline, set); });
  }
  client::Buffer output;
  VkDescriptorSetLayout set_layout;
  VkPipelineLayout layout;
  VkPipeline pipeline;
};

// The blocks of the seeds from 0, one after the other.
client::Buffer block_buffer(Lab& lab, uint32_t count) {
  const client::Buffer blocks = lab.buffer(count * 256, VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT);
  for (uint32_t i = 0; i < count; ++i) {
    std::memcpy(static_cast<char*>(blocks.mapped) + i * 256, block(i).data(), 256);
  }
  return blocks;
}

}  // namespace

// Entries with gaps between them and of several kinds, from a structure of the application's own.
CORNER(update_templates) {
  Lab lab;
  const BlockReader reader(lab, {VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER});
  const client::Buffer blocks = block_buffer(lab, 4);
  struct Mine {
    uint64_t before;
    VkDescriptorBufferInfo uniform;
    char between[40];
    VkDescriptorBufferInfo storage;
  };
  const std::array<VkDescriptorUpdateTemplateEntry, 2> entries{
      {{0, 0, 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, offsetof(Mine, storage), 0},
       {1, 0, 1, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, offsetof(Mine, uniform), 0}}};
  const VkDescriptorUpdateTemplate made =
      make_template(lab,
                    {.templateType = VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_DESCRIPTOR_SET,
                     .descriptorSetLayout = reader.set_layout},
                    entries);
  const std::array<VkDescriptorPoolSize, 2> sizes{
      {{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 4}, {VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, 4}}};
  const VkDescriptorPool pool = lab.descriptor_pool(sizes, 4);
  for (uint32_t i = 0; i < 4; ++i) {
    const VkDescriptorSet set = lab.set(pool, reader.set_layout);
    const Mine mine{.uniform = {blocks.buffer, i * 256, 256},
                    .storage = {reader.output.buffer, 0, VK_WHOLE_SIZE}};
    vkUpdateDescriptorSetWithTemplate(lab.device, set, made, &mine);
    reader.run(lab, set);
    check_block(reader.output, i, "through a template");
  }
}

CORNER(push_descriptors) {
  Lab lab(Needs().extension(VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME));
  Chain chain(lab);
  const VkDescriptorSetLayout set_layout =
      lab.set_layout(std::array{Binding{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER}},
                     VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT_KHR);
  const VkPipelineLayout layout = lab.pipeline_layout({&set_layout, 1}, 4);
  const VkPipeline pipeline = lab.compute_pipeline(layout, step_comp_spirv);
  const client::Buffer other = lab.buffer(chain.buffer.size, kStorage);
  const std::array<VkDescriptorUpdateTemplateEntry, 1> entries{
      {{0, 0, 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 16, 0}}};
  const VkDescriptorUpdateTemplate made =
      make_template(lab,
                    {.templateType = VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_PUSH_DESCRIPTORS_KHR,
                     .pipelineBindPoint = VK_PIPELINE_BIND_POINT_COMPUTE,
                     .pipelineLayout = layout},
                    entries);
  lab.run([&](VkCommandBuffer commands) {
    for (uint32_t i = 0; i < 12; ++i) {
      const VkDescriptorBufferInfo buffer{i % 3 == 2 ? other.buffer : chain.buffer.buffer, 0,
                                          VK_WHOLE_SIZE};
      const VkWriteDescriptorSet write =
          write_buffer(VK_NULL_HANDLE, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, buffer);
      const struct {
        uint64_t before[2];
        VkDescriptorBufferInfo buffer;
      } mine{{}, buffer};
      barrier(commands);
      if (i % 2 == 0) {
        FN(lab, vkCmdPushDescriptorSetKHR)
        (commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &write);
      } else {
        FN(lab, vkCmdPushDescriptorSetWithTemplateKHR)(commands, made, layout, 0, &mine);
      }
      vkCmdPushConstants(commands, layout, VK_SHADER_STAGE_ALL, 0, 4, &i);
      dispatch(commands, layout, pipeline, VK_NULL_HANDLE);
    }
  });
  for (uint32_t i = 0; i < 12; ++i) {
    if (i % 3 != 2) chain.expect_step(i);
  }
  chain.check("pushed, by writes and by a template");
  say_bytes("the other buffer", other.mapped, other.size);
}

CORNER(inline_uniform_blocks) {
  Lab lab(Needs().FEATURE(VkPhysicalDeviceVulkan13Features, inlineUniformBlock));
  const BlockReader reader(lab, {VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK, 256});
  const VkDescriptorPoolInlineUniformBlockCreateInfo blocks{
      .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_INLINE_UNIFORM_BLOCK_CREATE_INFO,
      .maxInlineUniformBlockBindings = 2};
  const std::array<VkDescriptorPoolSize, 2> sizes{
      {{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 2}, {VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK, 512}}};
  const VkDescriptorPool pool = lab.descriptor_pool(sizes, 2, 0, &blocks);
  const VkDescriptorSet set = lab.set(pool, reader.set_layout);
  const VkDescriptorSet copy = lab.set(pool, reader.set_layout);
  const auto words = block(77);
  // In two pieces, as a real renderer changes part of a block.
  for (uint32_t part = 0; part < 2; ++part) {
    const VkWriteDescriptorSetInlineUniformBlock inlined{
        .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET_INLINE_UNIFORM_BLOCK,
        .dataSize = 128,
        .pData = words.data() + part * 32};
    VkWriteDescriptorSet write{.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                               .pNext = &inlined,
                               .dstSet = set,
                               .dstBinding = 1,
                               .dstArrayElement = part * 128,
                               .descriptorCount = 128,
                               .descriptorType = VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK};
    vkUpdateDescriptorSets(lab.device, 1, &write, 0, nullptr);
  }
  const VkDescriptorBufferInfo buffer{reader.output.buffer, 0, VK_WHOLE_SIZE};
  const VkWriteDescriptorSet write =
      write_buffer(set, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, buffer);
  vkUpdateDescriptorSets(lab.device, 1, &write, 0, nullptr);
  reader.run(lab, set);
  check_block(reader.output, 77, "an inline block");

  std::array<VkCopyDescriptorSet, 2> copies;
  for (uint32_t i = 0; i < 2; ++i) {
    copies[i] = {.sType = VK_STRUCTURE_TYPE_COPY_DESCRIPTOR_SET,
                 .srcSet = set,
                 .srcBinding = i,
                 .dstSet = copy,
                 .dstBinding = i,
                 .descriptorCount = i == 0 ? 1u : 256u};
  }
  vkUpdateDescriptorSets(lab.device, 0, nullptr, copies.size(), copies.data());
  std::ranges::fill(reader.output.words(), 0);
  reader.run(lab, copy);
  check_block(reader.output, 77, "a copy of the set");
}

// Offsets into one buffer, given when the set is bound.
CORNER(dynamic_offsets) {
  Lab lab;
  const BlockReader reader(lab, {VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC});
  const client::Buffer blocks = block_buffer(lab, 8);
  const std::array<VkDescriptorPoolSize, 2> sizes{
      {{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1}, {VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC, 1}}};
  const VkDescriptorSet set = lab.set(lab.descriptor_pool(sizes, 1), reader.set_layout);
  const VkDescriptorBufferInfo storage{reader.output.buffer, 0, VK_WHOLE_SIZE};
  const VkDescriptorBufferInfo uniform{blocks.buffer, 0, 256};
  const VkWriteDescriptorSet writes[]{
      write_buffer(set, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, storage),
      write_buffer(set, 1, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC, uniform)};
  vkUpdateDescriptorSets(lab.device, 2, writes, 0, nullptr);
  for (uint32_t i : {5, 0, 7, 2}) {
    lab.run([&](VkCommandBuffer commands) {
      const uint32_t offset = i * 256;
      vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, reader.pipeline);
      vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, reader.layout, 0, 1, &set,
                              1, &offset);
      vkCmdDispatch(commands, Chain::kWords / 64, 1, 1);
    });
    check_block(reader.output, i, "at an offset");
  }
}

// An unbounded array whose length the set decides, updated after it is bound, partly unwritten.
CORNER(update_after_bind) {
  Lab lab(
      Needs()
          .FEATURE(VkPhysicalDeviceVulkan12Features, runtimeDescriptorArray)
          .FEATURE(VkPhysicalDeviceVulkan12Features, descriptorBindingVariableDescriptorCount)
          .FEATURE(VkPhysicalDeviceVulkan12Features, descriptorBindingPartiallyBound)
          .FEATURE(VkPhysicalDeviceVulkan12Features, descriptorBindingStorageBufferUpdateAfterBind)
          .FEATURE(VkPhysicalDeviceVulkan12Features, shaderStorageBufferArrayNonUniformIndexing));
  constexpr uint32_t kMost = 200, kUsed = 50;
  const std::array bindings{Binding{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER},
                            Binding{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, kMost,
                                    VK_DESCRIPTOR_BINDING_VARIABLE_DESCRIPTOR_COUNT_BIT |
                                        VK_DESCRIPTOR_BINDING_PARTIALLY_BOUND_BIT |
                                        VK_DESCRIPTOR_BINDING_UPDATE_AFTER_BIND_BIT}};
  const VkDescriptorSetLayout set_layout =
      lab.set_layout(bindings, VK_DESCRIPTOR_SET_LAYOUT_CREATE_UPDATE_AFTER_BIND_POOL_BIT);
  const VkPipelineLayout layout = lab.pipeline_layout({&set_layout, 1}, 4);
  const VkPipeline pipeline = lab.compute_pipeline(layout, pick_buffers_comp_spirv);
  const VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, kMost};
  const uint32_t length = 150;
  const VkDescriptorSetVariableDescriptorCountAllocateInfo lengths{
      .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_VARIABLE_DESCRIPTOR_COUNT_ALLOCATE_INFO,
      .descriptorSetCount = 1,
      .pDescriptorCounts = &length};
  const VkDescriptorSet set =
      lab.set(lab.descriptor_pool({&size, 1}, 1, VK_DESCRIPTOR_POOL_CREATE_UPDATE_AFTER_BIND_BIT),
              set_layout, &lengths);
  const client::Buffer output = lab.buffer(Chain::kWords * 4, kStorage);
  const client::Buffer sources = lab.buffer(2 * kUsed * 256, kStorage);
  for (uint32_t i = 0; i < 2 * kUsed; ++i) sources.words()[i * 64] = i * 1000003u;
  const VkDescriptorBufferInfo out{output.buffer, 0, VK_WHOLE_SIZE};
  const VkWriteDescriptorSet first = write_buffer(set, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, out);
  vkUpdateDescriptorSets(lab.device, 1, &first, 0, nullptr);
  std::vector<uint32_t> expected(Chain::kWords);
  for (uint32_t round = 0; round < 2; ++round) {
    const VkCommandBuffer commands = lab.command_buffer(lab.commands);
    begin(commands);
    vkCmdPushConstants(commands, layout, VK_SHADER_STAGE_ALL, 0, 4, &kUsed);
    dispatch(commands, layout, pipeline, set);
    barrier(commands);
    end(commands);
    for (uint32_t i = 0; i < kUsed; ++i) {  // after it is bound, before it is submitted
      const VkDescriptorBufferInfo source{sources.buffer, (round * kUsed + i) * 256, 4};
      const VkWriteDescriptorSet write =
          write_buffer(set, 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, source, i);
      vkUpdateDescriptorSets(lab.device, 1, &write, 0, nullptr);
    }
    const VkSubmitInfo submit{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                              .commandBufferCount = 1,
                              .pCommandBuffers = &commands};
    check(vkQueueSubmit(lab.queue, 1, &submit, VK_NULL_HANDLE), "vkQueueSubmit");
    check(vkQueueWaitIdle(lab.queue), "vkQueueWaitIdle");
    for (uint32_t i = 0; i < expected.size(); ++i) {
      expected[i] = expected[i] * 3 + (round * kUsed + i * 7 % kUsed) * 1000003u;
    }
  }
  expect(std::ranges::equal(output.words(), expected), "words of fifty buffers");
  say_bytes("words of fifty buffers, twice", expected);
  VkDescriptorSetVariableDescriptorCountLayoutSupport most{
      .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_VARIABLE_DESCRIPTOR_COUNT_LAYOUT_SUPPORT};
  VkDescriptorSetLayoutSupport support{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_SUPPORT,
                                       .pNext = &most};
  const VkDescriptorBindingFlags flags = VK_DESCRIPTOR_BINDING_VARIABLE_DESCRIPTOR_COUNT_BIT;
  const VkDescriptorSetLayoutBindingFlagsCreateInfo more{
      .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_BINDING_FLAGS_CREATE_INFO,
      .bindingCount = 1,
      .pBindingFlags = &flags};
  const VkDescriptorSetLayoutBinding binding{0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 8,
                                             VK_SHADER_STAGE_COMPUTE_BIT, nullptr};
  const VkDescriptorSetLayoutCreateInfo info{
      .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
      .pNext = &more,
      .bindingCount = 1,
      .pBindings = &binding};
  vkGetDescriptorSetLayoutSupport(lab.device, &info, &support);
  say("supported %u, up to %u descriptors", support.supported, most.maxVariableDescriptorCount);
}

// Sets by the thousand from pools that free single ones, freed in odd orders, reset, used again.
CORNER(thousands_of_sets) {
  Lab lab;
  Chain chain(lab);
  constexpr uint32_t kSets = 4000;
  const VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, kSets};
  const VkDescriptorPool pool =
      lab.descriptor_pool({&size, 1}, kSets, VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT);
  const VkDescriptorBufferInfo buffer{chain.buffer.buffer, 0, VK_WHOLE_SIZE};
  for (uint32_t round = 0; round < 3; ++round) {
    const std::vector<VkDescriptorSetLayout> layouts(100, chain.set_layout);
    std::vector<VkDescriptorSet> sets(kSets);
    for (uint32_t i = 0; i < kSets; i += 100) {
      const VkDescriptorSetAllocateInfo info{
          .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
          .descriptorPool = pool,
          .descriptorSetCount = 100,
          .pSetLayouts = layouts.data()};
      check(vkAllocateDescriptorSets(lab.device, &info, &sets[i]), "vkAllocateDescriptorSets");
    }
    for (const VkDescriptorSet set : sets) {
      const VkWriteDescriptorSet write =
          write_buffer(set, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, buffer);
      vkUpdateDescriptorSets(lab.device, 1, &write, 0, nullptr);
    }
    std::vector<VkDescriptorSet> every_third;
    for (uint32_t i = 0; i < kSets; i += 3) {
      every_third.push_back(sets[kSets - 1 - i]);
      sets[kSets - 1 - i] = VK_NULL_HANDLE;
    }
    vkFreeDescriptorSets(lab.device, pool, uint32_t(every_third.size()), every_third.data());
    std::erase(sets, VkDescriptorSet{});
    lab.run([&](VkCommandBuffer commands) {
      for (uint32_t i = 0; i < sets.size(); i += 97) {
        vkCmdPushConstants(commands, chain.layout, VK_SHADER_STAGE_ALL, 0, 4, &i);
        dispatch(commands, chain.layout, chain.pipeline, sets[i]);
        chain.expect_step(i);
      }
    });
    if (round == 1) {
      check(vkResetDescriptorPool(lab.device, pool, 0), "vkResetDescriptorPool");
    } else {
      vkFreeDescriptorSets(lab.device, pool, uint32_t(sets.size()), sets.data());
    }
  }
  chain.check("steps through sets of three rounds");
}

CORNER(null_descriptors) {
  Lab lab(Needs()
              .extension(VK_EXT_ROBUSTNESS_2_EXTENSION_NAME)
              .FEATURE(VkPhysicalDeviceRobustness2FeaturesEXT, nullDescriptor));
  const std::array bindings{Binding{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER},
                            Binding{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER},
                            Binding{VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER},
                            Binding{VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER}};
  const VkDescriptorSetLayout set_layout = lab.set_layout(bindings);
  const VkPipelineLayout layout = lab.pipeline_layout({&set_layout, 1});
  const VkPipeline pipeline = lab.compute_pipeline(layout, read_null_comp_spirv);
  const std::array<VkDescriptorPoolSize, 3> sizes{{{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 2},
                                                   {VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, 1},
                                                   {VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, 1}}};
  const VkDescriptorSet set = lab.set(lab.descriptor_pool(sizes, 1), set_layout);
  const client::Buffer output = lab.buffer(Chain::kWords * 4, kStorage);
  const VkDescriptorBufferInfo buffer{output.buffer, 0, VK_WHOLE_SIZE};
  const VkDescriptorBufferInfo no_buffer{VK_NULL_HANDLE, 0, VK_WHOLE_SIZE};
  const VkDescriptorImageInfo no_image{lab.sampler({}), VK_NULL_HANDLE,
                                       VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL};
  const VkBufferView no_view = VK_NULL_HANDLE;
  std::array writes{write_buffer(set, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, buffer),
                    write_buffer(set, 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, no_buffer),
                    write_buffer(set, 2, VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, no_buffer),
                    write_buffer(set, 3, VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, no_buffer)};
  writes[2].pImageInfo = &no_image;
  writes[3].pTexelBufferView = &no_view;
  vkUpdateDescriptorSets(lab.device, writes.size(), writes.data(), 0, nullptr);
  lab.run([&](VkCommandBuffer commands) { dispatch(commands, layout, pipeline, set); });
  expect(std::ranges::all_of(output.words(), [](uint32_t word) { return word == 1000; }),
         "null descriptors read as nothing");
  say_bytes("nothing read", output.mapped, output.size);
}

}  // namespace corners
