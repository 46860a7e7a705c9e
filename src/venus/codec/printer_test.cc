#include "venus/codec/printer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "venus/testing/bytes.h"
#include "venus/testing/command_codecs.h"

namespace pvgpu::venus {
namespace {

using namespace testing;
using namespace protocol;

const Bytes kDraw =
    from_hex("6a000000 00000000 | 20000000 00000000 | 03000000 01000000 00000000 00000000");

TEST(Printer, NamesEveryArgument) {
  const PrintedCommand printed = print_command(kDraw);
  EXPECT_EQ(printed.text,
            "vkCmdDraw(commandBuffer=0x20, vertexCount=3, instanceCount=1, firstVertex=0, "
            "firstInstance=0)");
  EXPECT_EQ(printed.size, kDraw.size());
}

TEST(Printer, PrintsStructuresChainsAndOutputs) {
  const VkExportMemoryAllocateInfo exported{VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO, nullptr,
                                            512};
  const VkMemoryAllocateInfo info{VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, &exported, 4096, 2};
  auto memory = id<VkDeviceMemory>(9);
  EXPECT_EQ(print_command(request_bytes(AllocateMemoryArgs{id<VkDevice>(4), &info, nullptr, &memory,
                                                           VK_SUCCESS}))
                .text,
            "vkAllocateMemory(device=0x4, "
            "pAllocateInfo={pNext=[VkExportMemoryAllocateInfo{handleTypes=512}], "
            "allocationSize=4096, memoryTypeIndex=2}, pAllocator=NULL, pMemory=0x9)");
}

TEST(Printer, PrintsArraysUnionsAndStrings) {
  const VkClearColorValue color{.uint32 = {1, 2, 3, 4}};
  const VkImageSubresourceRange ranges[] = {{1, 0, 1, 0, 1}, {2, 0, 1, 0, 1}};
  EXPECT_EQ(
      print_command(
          request_bytes(CmdClearColorImageArgs{id<VkCommandBuffer>(0x20), id<VkImage>(7),
                                               VK_IMAGE_LAYOUT_GENERAL, &color, 2, ranges}))
          .text,
      "vkCmdClearColorImage(commandBuffer=0x20, image=0x7, imageLayout=1, pColor={uint32=[1, 2, 3, "
      "4]}, rangeCount=2, "
      "pRanges=[{aspectMask=1, baseMipLevel=0, levelCount=1, baseArrayLayer=0, layerCount=1}, "
      "{aspectMask=2, baseMipLevel=0, levelCount=1, baseArrayLayer=0, layerCount=1}])");
  uint32_t count = 3;
  EXPECT_EQ(
      print_command(
          request_bytes(EnumerateDeviceExtensionPropertiesArgs{id<VkPhysicalDevice>(2), "a \"b\"\n",
                                                               &count, nullptr, VK_SUCCESS},
                        1))
          .text,
      "vkEnumerateDeviceExtensionProperties(physicalDevice=0x2, pLayerName=\"a \\x22b\\x22\\x0a\", "
      "pPropertyCount=3, pProperties=NULL) with reply");
}

TEST(Printer, ShortensWhatIsLong) {
  const std::vector<uint32_t> offsets(100, 7);
  const auto set = id<VkDescriptorSet>(5);
  const std::string text =
      print_command(request_bytes(CmdBindDescriptorSetsArgs{
                        id<VkCommandBuffer>(0x20), VK_PIPELINE_BIND_POINT_COMPUTE,
                        id<VkPipelineLayout>(3), 0, 1, &set, 100, offsets.data()}))
          .text;
  EXPECT_NE(text.find("pDescriptorSets=[0x5], dynamicOffsetCount=100, pDynamicOffsets=[7, 7, 7, 7, "
                      "7, 7, 7, 7, ... 100 in all]"),
            std::string::npos)
      << text;
}

TEST(Printer, SaysWhatCannotBePrinted) {
  EXPECT_EQ(print_command(from_hex("6a0000")).text,
            "3 bytes, which is less than a command's header");
  EXPECT_EQ(print_command(from_hex("0f270000 00000000")).text,
            "a command (9999), which is not decoded");
  EXPECT_EQ(print_command(from_hex("22000000 00000000")).size, 0u);
  EXPECT_EQ(print_command(std::span(kDraw).first(20)).text,
            "vkCmdDraw, which is damaged: truncated (0)");
}

TEST(Printer, PrintsStreamsUpToTheFirstError) {
  Bytes stream = kDraw;
  append(stream, from_hex("bd000000 00000000 | efcdab89 67452301"));
  append(stream, from_hex("0f270000 00000000 01000000"));
  EXPECT_EQ(print_stream(stream),
            "vkCmdDraw(commandBuffer=0x20, vertexCount=3, instanceCount=1, firstVertex=0, "
            "firstInstance=0)\n"
            "vkDestroyRingMESA(ring=81985529216486895)\n"
            "a command (9999), which is not decoded\n");
}

TEST(Printer, PrintsEveryCommand) {
  for (const CommandCodec& command : all_commands()) {
    for (uint64_t seed = 0; seed < 4; ++seed) {
      SCOPED_TRACE(command.name);
      wire::Arena arena;
      Randomizer randomizer(arena, seed);
      std::vector<uint64_t> args((command.size + 7) / 8);
      command.randomize(randomizer, args.data());
      const Bytes bytes = encode([&](Encoder& encoder, wire::Writer& writer) {
        writer.u32(command.number);
        writer.u32(0);
        command.encode_request(encoder, args.data());
      });
      const PrintedCommand printed = print_command(bytes);
      EXPECT_EQ(printed.size, bytes.size()) << printed.text;
      EXPECT_TRUE(printed.text.starts_with(std::string(command.name) + "(")) << printed.text;
      EXPECT_EQ(std::ranges::count(printed.text, '{'), std::ranges::count(printed.text, '}'))
          << printed.text;
      EXPECT_LT(printed.text.size(), 16000u);
    }
  }
}

}  // namespace
}  // namespace pvgpu::venus
