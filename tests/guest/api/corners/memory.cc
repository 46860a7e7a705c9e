// Memory in unusual shapes: sparse, huge, lazily allocated, protected, addressed by shaders.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "chain.h"
#include "follow_address_comp.h"

namespace corners {
namespace {

using client::check;

VkDeviceMemory allocate(Lab& lab, VkDeviceSize size, uint32_t type, const void* next = nullptr) {
  const VkMemoryAllocateInfo info{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                  .pNext = next,
                                  .allocationSize = size,
                                  .memoryTypeIndex = type};
  VkDeviceMemory memory;
  check(vkAllocateMemory(lab.device, &info, nullptr, &memory), "vkAllocateMemory");
  lab.at_end([&lab, memory] { vkFreeMemory(lab.device, memory, nullptr); });
  return memory;
}

VkBuffer make_buffer(Lab& lab, VkDeviceSize size, VkBufferUsageFlags usage,
                     VkBufferCreateFlags flags = 0) {
  const VkBufferCreateInfo info{
      .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .flags = flags, .size = size, .usage = usage};
  VkBuffer buffer;
  check(vkCreateBuffer(lab.device, &info, nullptr, &buffer), "vkCreateBuffer");
  lab.at_end([&lab, buffer] { vkDestroyBuffer(lab.device, buffer, nullptr); });
  return buffer;
}

void bind_sparse(const Lab& lab, const VkBindSparseInfo& info) {
  const VkFenceCreateInfo fence_info{.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
  VkFence fence;
  check(vkCreateFence(lab.device, &fence_info, nullptr, &fence), "vkCreateFence");
  check(vkQueueBindSparse(lab.queue, 1, &info, fence), "vkQueueBindSparse");
  check(vkWaitForFences(lab.device, 1, &fence, VK_TRUE, UINT64_MAX), "vkWaitForFences");
  vkDestroyFence(lab.device, fence, nullptr);
}

constexpr VkBufferUsageFlags kCopies =
    VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;

// Reads words of a buffer that nobody can map.
std::vector<uint32_t> read_words(Lab& lab, VkBuffer buffer, VkDeviceSize at, VkDeviceSize size) {
  const client::Buffer output = lab.buffer(size, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
  lab.run([&](VkCommandBuffer commands) {
    barrier(commands);
    const VkBufferCopy region{at, 0, size};
    vkCmdCopyBuffer(commands, buffer, output.buffer, 1, &region);
  });
  return {output.words().begin(), output.words().end()};
}

}  // namespace

// Pages of one buffer in two memories and in another order, one page moved later.
CORNER(sparse_buffer) {
  Lab lab(Needs().CORE_FEATURE(sparseBinding));
  constexpr uint32_t kPages = 8;
  VkMemoryRequirements requirements;
  VkBuffer probe = make_buffer(lab, 65536, kCopies, VK_BUFFER_CREATE_SPARSE_BINDING_BIT);
  vkGetBufferMemoryRequirements(lab.device, probe, &requirements);
  const VkDeviceSize page = requirements.alignment;
  const VkBuffer buffer =
      make_buffer(lab, page * kPages, kCopies, VK_BUFFER_CREATE_SPARSE_BINDING_BIT);
  vkGetBufferMemoryRequirements(lab.device, buffer, &requirements);
  expect(requirements.size == page * kPages, "a sparse buffer of whole pages");
  const uint32_t type = client::memory_type(lab, requirements.memoryTypeBits, 0);
  const VkDeviceMemory memories[]{allocate(lab, page * kPages, type),
                                  allocate(lab, page * kPages, type)};
  const auto bind = [&](std::span<const VkSparseMemoryBind> binds) {
    const VkSparseBufferMemoryBindInfo of_buffer{buffer, uint32_t(binds.size()), binds.data()};
    bind_sparse(lab, {.sType = VK_STRUCTURE_TYPE_BIND_SPARSE_INFO,
                      .bufferBindCount = 1,
                      .pBufferBinds = &of_buffer});
  };
  std::vector<VkSparseMemoryBind> binds;
  for (uint32_t i = 0; i < kPages; ++i) {
    binds.push_back({i * page, page, memories[i % 2], (kPages - 1 - i) * page, 0});
  }
  bind(binds);
  lab.run([&](VkCommandBuffer commands) {
    for (uint32_t i = 0; i < kPages; ++i) {
      vkCmdFillBuffer(commands, buffer, i * page, page, 1000 + i);
    }
  });
  auto words = read_words(lab, buffer, 0, page * kPages);
  for (uint32_t i = 0; i < kPages; ++i) {
    expect(words[i * page / 4] == 1000 + i && words[(i + 1) * page / 4 - 1] == 1000 + i,
           "each page holds its own number");
  }
  say_bytes("eight pages", words);
  // Page 0 now shows the memory of page 2.
  bind(std::array{VkSparseMemoryBind{0, page, memories[0], (kPages - 3) * page, 0}});
  words = read_words(lab, buffer, 0, page);
  say("page 0 shows %u", words[0]);
}

CORNER(sparse_residency_buffer) {
  Lab lab(Needs().CORE_FEATURE(sparseBinding).CORE_FEATURE(sparseResidencyBuffer));
  constexpr VkDeviceSize kSize = VkDeviceSize{1} << 30;  // more than we give it
  const VkBuffer buffer =
      make_buffer(lab, kSize, kCopies,
                  VK_BUFFER_CREATE_SPARSE_BINDING_BIT | VK_BUFFER_CREATE_SPARSE_RESIDENCY_BIT);
  VkMemoryRequirements requirements;
  vkGetBufferMemoryRequirements(lab.device, buffer, &requirements);
  const VkDeviceSize page = requirements.alignment;
  // A second buffer, which is not sparse, shows what the memory holds.
  const VkBuffer plain = make_buffer(lab, 2 * page, kCopies);
  VkMemoryRequirements of_plain;
  vkGetBufferMemoryRequirements(lab.device, plain, &of_plain);
  const VkDeviceMemory memory =
      allocate(lab, std::max(2 * page, of_plain.size),
               client::memory_type(lab, requirements.memoryTypeBits & of_plain.memoryTypeBits, 0));
  check(vkBindBufferMemory(lab.device, plain, memory, 0), "vkBindBufferMemory");
  const VkDeviceSize last = kSize - page;
  const VkSparseMemoryBind binds[]{{0, page, memory, page, 0}, {last, page, memory, 0, 0}};
  const VkSparseBufferMemoryBindInfo of_buffer{buffer, 2, binds};
  bind_sparse(lab, {.sType = VK_STRUCTURE_TYPE_BIND_SPARSE_INFO,
                    .bufferBindCount = 1,
                    .pBufferBinds = &of_buffer});
  lab.run([&](VkCommandBuffer commands) {
    vkCmdFillBuffer(commands, buffer, 0, page, 11);
    vkCmdFillBuffer(commands, buffer, last, page, 22);
  });
  say_bytes("the first page", read_words(lab, buffer, 0, page));
  say_bytes("the last page", read_words(lab, buffer, last, page));
  say_bytes("the memory of both", read_words(lab, plain, 0, 2 * page));
}

CORNER(sparse_image) {
  Lab lab(Needs().CORE_FEATURE(sparseBinding).CORE_FEATURE(sparseResidencyImage2D));
  const VkImageCreateInfo info{
      .sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
      .flags = VK_IMAGE_CREATE_SPARSE_BINDING_BIT | VK_IMAGE_CREATE_SPARSE_RESIDENCY_BIT,
      .imageType = VK_IMAGE_TYPE_2D,
      .format = VK_FORMAT_R8G8B8A8_UNORM,
      .extent = {512, 512, 1},
      .mipLevels = 1,
      .arrayLayers = 1,
      .samples = VK_SAMPLE_COUNT_1_BIT,
      .tiling = VK_IMAGE_TILING_OPTIMAL,
      .usage = VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT};
  uint32_t count = 0;
  vkGetPhysicalDeviceSparseImageFormatProperties(lab.physical, info.format, info.imageType,
                                                 info.samples, info.usage, info.tiling, &count,
                                                 nullptr);
  say("%u sparse format properties", count);
  Image image{.spec = {.extent = info.extent}};
  check(vkCreateImage(lab.device, &info, nullptr, &image.image), "vkCreateImage");
  lab.at_end([&lab, image] { vkDestroyImage(lab.device, image.image, nullptr); });
  VkMemoryRequirements requirements;
  vkGetImageMemoryRequirements(lab.device, image.image, &requirements);
  count = 8;
  std::array<VkSparseImageMemoryRequirements, 8> sparse;
  vkGetImageSparseMemoryRequirements(lab.device, image.image, &count, sparse.data());
  for (uint32_t i = 0; i < count; ++i) {
    const VkExtent3D block = sparse[i].formatProperties.imageGranularity;
    say("aspects %u in blocks of %ux%ux%u, tail from level %u",
        sparse[i].formatProperties.aspectMask, block.width, block.height, block.depth,
        sparse[i].imageMipTailFirstLod);
  }
  expect(count > 0, "the image tells its blocks");
  // A chessboard of blocks: every other one has memory.
  const VkExtent3D block = sparse[0].formatProperties.imageGranularity;
  const uint32_t across = 512 / block.width, down = 512 / block.height;
  const VkDeviceMemory memory = allocate(lab, requirements.alignment * across * down,
                                         client::memory_type(lab, requirements.memoryTypeBits, 0));
  std::vector<VkSparseImageMemoryBind> binds;
  for (uint32_t y = 0; y < down; ++y) {
    for (uint32_t x = y % 2; x < across; x += 2) {
      binds.push_back({.subresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0},
                       .offset = {int32_t(x * block.width), int32_t(y * block.height), 0},
                       .extent = {block.width, block.height, 1},
                       .memory = memory,
                       .memoryOffset = requirements.alignment * binds.size()});
    }
  }
  const VkSparseImageMemoryBindInfo of_image{image.image, uint32_t(binds.size()), binds.data()};
  bind_sparse(
      lab,
      {.sType = VK_STRUCTURE_TYPE_BIND_SPARSE_INFO, .imageBindCount = 1, .pImageBinds = &of_image});
  lab.run([&](VkCommandBuffer commands) {
    transition(commands, image, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
    const VkClearColorValue color{{0.2f, 0.4f, 0.6f, 0.8f}};
    const VkImageSubresourceRange range = image.range();
    vkCmdClearColorImage(commands, image.image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, &color, 1,
                         &range);
    transition(commands, image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
               VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
  });
  const auto bytes = lab.read(image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
  // Blocks without memory may hold anything when read by a copy; those with memory may not.
  uint32_t right = 0;
  for (const VkSparseImageMemoryBind& bind : binds) {
    for (uint32_t y = 0; y < block.height; ++y) {
      const uint8_t* row = &bytes[4 * (512 * (bind.offset.y + y) + bind.offset.x)];
      for (uint32_t x = 0; x < block.width; ++x) right += row[4 * x] == 51 && row[4 * x + 3] == 204;
    }
  }
  say("%zu blocks bound, %u pixels right", binds.size(), right);
  expect(right == binds.size() * block.width * block.height, "what is bound holds the colour");
}

// More than 32 bits can count. Only its ends are touched.
CORNER(huge_allocation) {
  Lab lab;
  constexpr VkDeviceSize kSize = (VkDeviceSize{4} << 30) + (64 << 20), kEnd = 1 << 16;
  VkPhysicalDeviceMaintenance4Properties limits{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_PROPERTIES};
  VkPhysicalDeviceMaintenance3Properties more{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES, .pNext = &limits};
  VkPhysicalDeviceProperties2 properties{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                         .pNext = &more};
  vkGetPhysicalDeviceProperties2(lab.physical, &properties);
  say("most in an allocation: %llu, in a buffer: %llu",
      static_cast<unsigned long long>(more.maxMemoryAllocationSize),
      static_cast<unsigned long long>(limits.maxBufferSize));
  const uint32_t type = client::memory_type(
      lab, ~0u, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT);
  const VkDeviceMemory memory = allocate(lab, kSize, type);
  void* mapped;
  check(vkMapMemory(lab.device, memory, 0, VK_WHOLE_SIZE, 0, &mapped), "vkMapMemory");
  const VkBuffer first = make_buffer(lab, kEnd, kCopies), last = make_buffer(lab, kEnd, kCopies);
  check(vkBindBufferMemory(lab.device, first, memory, 0), "vkBindBufferMemory");
  check(vkBindBufferMemory(lab.device, last, memory, kSize - kEnd), "vkBindBufferMemory");
  auto* words = static_cast<uint32_t*>(mapped);
  auto* end_words = words + (kSize - kEnd) / 4;
  for (uint32_t i = 0; i < kEnd / 4; ++i) words[i] = i * 77 + 1;
  lab.run([&](VkCommandBuffer commands) {
    const VkBufferCopy region{0, 0, kEnd};
    vkCmdCopyBuffer(commands, first, last, 1, &region);
    barrier(commands);
    vkCmdFillBuffer(commands, first, 0, 256, 0xfeedbeef);
  });
  expect(words[0] == 0xfeedbeef && end_words[1] == 78 &&
             end_words[kEnd / 4 - 1] == 77 * (kEnd / 4 - 1) + 1,
         "both ends hold what the device wrote");
  say_bytes("the beginning", words, kEnd);
  say_bytes("the end", end_words, kEnd);
}

// How much is used changes with whatever else runs, so it is only bounded.
CORNER(memory_budget) {
  Lab lab(Needs().extension(VK_EXT_MEMORY_BUDGET_EXTENSION_NAME));
  VkPhysicalDeviceMemoryBudgetPropertiesEXT budget{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT};
  VkPhysicalDeviceMemoryProperties2 properties{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2, .pNext = &budget};
  vkGetPhysicalDeviceMemoryProperties2(lab.physical, &properties);
  for (uint32_t i = 0; i < VK_MAX_MEMORY_HEAPS; ++i) {
    const VkDeviceSize size = i < lab.memory.memoryHeapCount ? lab.memory.memoryHeaps[i].size : 0;
    expect((budget.heapBudget[i] > 0) == (size > 0), "a budget for each heap, and for no other");
    expect(budget.heapBudget[i] <= size && budget.heapUsage[i] <= size,
           "no budget and no usage is larger than its heap");
    if (size == 0) continue;
    say("heap %u: budget of %.1f GiB in %.1f GiB, %s used", i,
        double(budget.heapBudget[i] >> 20) / 1024, double(size >> 20) / 1024,
        budget.heapUsage[i] ? "some" : "none");
  }
}

// Images that may live in tiles only, in memory of that kind where there is some.
CORNER(lazily_allocated) {
  Lab lab;
  bool lazy = false;
  for (uint32_t i = 0; i < lab.memory.memoryTypeCount; ++i) {
    lazy |=
        (lab.memory.memoryTypes[i].propertyFlags & VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT) != 0;
  }
  if (!lazy) throw Absent{"lazily allocated memory"};
  const Image image = lab.image(
      {.usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSIENT_ATTACHMENT_BIT,
       .memory = VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT});
  VkDeviceSize committed = ~VkDeviceSize{0};
  vkGetDeviceMemoryCommitment(lab.device, image.memory, &committed);
  say("commitment is %s", committed <= 64 * 64 * 4 * 4 ? "small" : "large");
}

CORNER(protected_memory) {
  Lab lab(Needs().FEATURE(VkPhysicalDeviceProtectedMemoryFeatures, protectedMemory));
  const uint32_t type = client::memory_type(lab, ~0u, VK_MEMORY_PROPERTY_PROTECTED_BIT);
  allocate(lab, 65536, type);
  say("protected memory of type flags %x", lab.memory.memoryTypes[type].propertyFlags);
}

// A list in memory that shaders follow by addresses, through buffers bound to nothing.
CORNER(buffer_device_address) {
  Lab lab(Needs()
              .FEATURE(VkPhysicalDeviceVulkan12Features, bufferDeviceAddress)
              .CORE_FEATURE(shaderInt64));
  constexpr uint32_t kNodes = 20;
  const VkMemoryAllocateFlagsInfo flags{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
                                        .flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT};
  struct Node {
    VkDeviceAddress next;
    uint32_t value, pad;
  };
  std::array<VkDeviceAddress, kNodes> addresses;
  std::array<Node*, kNodes> nodes;
  for (uint32_t i = 0; i < kNodes; ++i) {
    const VkBuffer buffer = make_buffer(lab, 256, VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT);
    VkMemoryRequirements requirements;
    vkGetBufferMemoryRequirements(lab.device, buffer, &requirements);
    const VkDeviceMemory memory =
        allocate(lab, requirements.size,
                 client::memory_type(
                     lab, requirements.memoryTypeBits,
                     VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT),
                 &flags);
    check(vkBindBufferMemory(lab.device, buffer, memory, 0), "vkBindBufferMemory");
    void* mapped;
    check(vkMapMemory(lab.device, memory, 0, VK_WHOLE_SIZE, 0, &mapped), "vkMapMemory");
    nodes[i] = static_cast<Node*>(mapped);
    const VkBufferDeviceAddressInfo info{.sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO,
                                         .buffer = buffer};
    addresses[i] = vkGetBufferDeviceAddress(lab.device, &info);
    expect(addresses[i] != 0, "a buffer has an address");
  }
  uint32_t expected = 0;
  for (uint32_t i = 0; i < kNodes; ++i) {
    *nodes[i] = {addresses[(i + 1) % kNodes], i * i + 3, 0};
    expected = expected * 5 + i * i + 3;
  }
  const VkPipelineLayout layout = lab.pipeline_layout({}, 12);
  const VkPipeline pipeline = lab.compute_pipeline(layout, follow_address_comp_spirv);
  lab.run([&](VkCommandBuffer commands) {
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    vkCmdPushConstants(commands, layout, VK_SHADER_STAGE_ALL, 0, 8, addresses.data());
    vkCmdPushConstants(commands, layout, VK_SHADER_STAGE_ALL, 8, 4, &kNodes);
    vkCmdDispatch(commands, 1, 1, 1);
  });
  expect(nodes[0]->pad == expected, "the shader came to the end of the list");
  say("along %u nodes: %u", kNodes, nodes[0]->pad);
}

namespace {

void expect_equal(const VkMemoryRequirements& early, const VkMemoryRequirements& late,
                  const char* what) {
  expect(early.size == late.size && early.alignment == late.alignment &&
             early.memoryTypeBits == late.memoryTypeBits,
         what);
  say("%s: size %llu, alignment %llu, types %x", what, static_cast<unsigned long long>(late.size),
      static_cast<unsigned long long>(late.alignment), late.memoryTypeBits);
}

}  // namespace

// Requirements known before there is a buffer or an image are those of the buffer or image.
CORNER(requirements_without_objects) {
  Lab lab(Needs().FEATURE(VkPhysicalDeviceVulkan13Features, maintenance4));
  const VkBufferCreateInfo buffer_info{.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                       .size = 123456,
                                       .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT};
  const VkDeviceBufferMemoryRequirements of_buffer{
      .sType = VK_STRUCTURE_TYPE_DEVICE_BUFFER_MEMORY_REQUIREMENTS, .pCreateInfo = &buffer_info};
  VkMemoryRequirements2 early{.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2};
  vkGetDeviceBufferMemoryRequirements(lab.device, &of_buffer, &early);
  VkBuffer buffer;
  check(vkCreateBuffer(lab.device, &buffer_info, nullptr, &buffer), "vkCreateBuffer");
  VkMemoryRequirements late;
  vkGetBufferMemoryRequirements(lab.device, buffer, &late);
  vkDestroyBuffer(lab.device, buffer, nullptr);
  expect_equal(early.memoryRequirements, late, "the buffer's");
  const VkImageCreateInfo image_info{.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
                                     .imageType = VK_IMAGE_TYPE_2D,
                                     .format = VK_FORMAT_R8G8B8A8_UNORM,
                                     .extent = {100, 60, 1},
                                     .mipLevels = 7,
                                     .arrayLayers = 3,
                                     .samples = VK_SAMPLE_COUNT_1_BIT,
                                     .tiling = VK_IMAGE_TILING_OPTIMAL,
                                     .usage = VK_IMAGE_USAGE_SAMPLED_BIT};
  const VkDeviceImageMemoryRequirements of_image{
      .sType = VK_STRUCTURE_TYPE_DEVICE_IMAGE_MEMORY_REQUIREMENTS, .pCreateInfo = &image_info};
  vkGetDeviceImageMemoryRequirements(lab.device, &of_image, &early);
  VkImage image;
  check(vkCreateImage(lab.device, &image_info, nullptr, &image), "vkCreateImage");
  vkGetImageMemoryRequirements(lab.device, image, &late);
  vkDestroyImage(lab.device, image, nullptr);
  expect_equal(early.memoryRequirements, late, "the image's");
}

}  // namespace corners
