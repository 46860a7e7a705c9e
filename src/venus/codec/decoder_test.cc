// What the decoder refuses, and with which reason.
#include "venus/codec/decoder.h"

#include <gtest/gtest.h>

#include "venus/testing/decoded.h"

namespace pvgpu::venus {
namespace {

using namespace testing;
using namespace protocol;

Bytes with_word(Bytes bytes, size_t offset, uint32_t value) {
  EXPECT_LE(offset + 4, bytes.size());
  std::memcpy(bytes.data() + offset, &value, 4);
  return bytes;
}

template <class Args>
void expect_refused(const Bytes& bytes, PoisonReason reason, std::optional<uint64_t> value = {}) {
  const auto decoded = decode_request<Args>(bytes);
  ASSERT_TRUE(decoded.failed) << "expected " << poison_name(reason);
  EXPECT_EQ(poison_name(decoded.error.reason), poison_name(reason)) << decoded.error.value;
  if (value) {
    EXPECT_EQ(decoded.error.value, *value);
  }
}
template <class Args>
Decoded<Args> expect_taken(const Bytes& bytes) {
  auto decoded = decode_request<Args>(bytes);
  EXPECT_FALSE(decoded.failed) << poison_name(decoded.error.reason) << " " << decoded.error.value;
  EXPECT_EQ(decoded.left, 0u);
  return decoded;
}

// vkAllocateMemory(device 4, type 2, 1 MiB) with room for a chain: offset 28 is where the chain
// starts.
Bytes allocate_memory(std::string_view chain) {
  Bytes bytes = from_hex("15000000 00000000 04000000 00000000 | 01000000 00000000 05000000");
  append(bytes, from_hex(chain));
  append(
      bytes,
      from_hex(
          "00001000 00000000 02000000 | 00000000 00000000 | 01000000 00000000 09000000 00000000"));
  return bytes;
}

TEST(Decoder, RefusesAnAbsentPointerThatIsRequired) {
  const Bytes bytes = allocate_memory("00000000 00000000");
  expect_taken<AllocateMemoryArgs>(bytes);
  expect_refused<AllocateMemoryArgs>(with_word(bytes, 16, 0), PoisonReason::kBadPresence);
}

TEST(Decoder, TakesAnyPresenceButZero) {
  expect_taken<AllocateMemoryArgs>(with_word(allocate_memory("00000000 00000000"), 20, 7));
}

TEST(Decoder, RefusesAllocators) {
  expect_refused<AllocateMemoryArgs>(with_word(allocate_memory("00000000 00000000"), 48, 1),
                                     PoisonReason::kBadPresence, 1);
}

TEST(Decoder, RefusesAnotherStructureType) {
  expect_refused<AllocateMemoryArgs>(with_word(allocate_memory("00000000 00000000"), 24, 6),
                                     PoisonReason::kBadStructType, 6);
}

TEST(Decoder, RefusesUnknownStructuresInChains) {
  expect_refused<AllocateMemoryArgs>(
      allocate_memory("01000000 00000000 78563412 00000000 00000000"), PoisonReason::kUnknownStruct,
      0x12345678);
}

TEST(Decoder, RefusesStructuresThatExtendAnother) {
  // VkPhysicalDeviceTimelineSemaphoreFeatures does not extend VkMemoryAllocateInfo.
  expect_refused<AllocateMemoryArgs>(
      allocate_memory("01000000 00000000 98f29d3b 00000000 00000000 01000000"),
      PoisonReason::kUnknownStruct, 1000207000);
  // Nor does the structure itself.
  expect_refused<AllocateMemoryArgs>(
      allocate_memory("01000000 00000000 05000000 00000000 00000000"), PoisonReason::kUnknownStruct,
      5);
}

std::string chain_of_exports(uint32_t length) {
  std::string chain;
  for (uint32_t i = 0; i < length; ++i) chain += "01000000 00000000 42e39b3b ";
  chain += "00000000 00000000 ";
  for (uint32_t i = 0; i < length; ++i) chain += "00020000 ";
  return chain;
}

TEST(Decoder, LimitsChains) {
  const auto decoded =
      expect_taken<AllocateMemoryArgs>(allocate_memory(chain_of_exports(kMaxChainLength)));
  uint32_t length = 0;
  for (auto* link = static_cast<const VkBaseInStructure*>(decoded.args.pAllocateInfo->pNext); link;
       link = link->pNext)
    ++length;
  EXPECT_EQ(length, kMaxChainLength);
  expect_refused<AllocateMemoryArgs>(allocate_memory(chain_of_exports(kMaxChainLength + 1)),
                                     PoisonReason::kNestingTooDeep);
}

TEST(Decoder, ReadsChainBodiesLastFirst) {
  const auto decoded = expect_taken<AllocateMemoryArgs>(allocate_memory(R"(
      01000000 00000000 19ba9c3b 01000000 00000000 42e39b3b 00000000 00000000
      00020000  07000000 00000000 00000000 00000000)"));
  const auto* dedicated =
      static_cast<const VkMemoryDedicatedAllocateInfo*>(decoded.args.pAllocateInfo->pNext);
  EXPECT_EQ(dedicated->image, id<VkImage>(7));
  const auto* exported = static_cast<const VkExportMemoryAllocateInfo*>(dedicated->pNext);
  EXPECT_EQ(exported->handleTypes, 0x200u);
  EXPECT_EQ(decoded.args.pAllocateInfo->allocationSize, 1u << 20);
}

TEST(Decoder, DecodesChainsInsideChains) {
  // VkPipelineShaderStageCreateInfo chains a VkShaderModuleCreateInfo, which chains its own.
  const uint32_t code[] = {0x07230203, 1};
  const VkShaderModuleValidationCacheCreateInfoEXT cache{
      VK_STRUCTURE_TYPE_SHADER_MODULE_VALIDATION_CACHE_CREATE_INFO_EXT, nullptr,
      id<VkValidationCacheEXT>(77)};
  const VkShaderModuleCreateInfo module{VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, &cache, 0,
                                        sizeof code, code};
  VkComputePipelineCreateInfo info{VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO};
  info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
  info.stage.pNext = &module;
  info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
  info.stage.pName = "main";
  info.layout = id<VkPipelineLayout>(3);
  auto pipeline = id<VkPipeline>(9);
  const Bytes bytes = request_bytes(CreateComputePipelinesArgs{
      id<VkDevice>(4), VK_NULL_HANDLE, 1, &info, nullptr, &pipeline, VK_SUCCESS});
  const auto decoded = expect_taken<CreateComputePipelinesArgs>(bytes);
  const auto* inner =
      static_cast<const VkShaderModuleCreateInfo*>(decoded.args.pCreateInfos[0].stage.pNext);
  ASSERT_NE(inner, nullptr);
  ASSERT_EQ(inner->codeSize, 8u);
  EXPECT_EQ(inner->pCode[0], 0x07230203u);
  EXPECT_EQ(to_hex(request_bytes(decoded.args)), to_hex(bytes));
}

TEST(Decoder, LeavesOutWhatTheProtocolDoesNotCarry) {
  VkBaseInStructure unknown{static_cast<VkStructureType>(0x12345678), nullptr};
  VkExportMemoryAllocateInfo exported{VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO, nullptr,
                                      0x200};
  unknown.pNext = reinterpret_cast<const VkBaseInStructure*>(&exported);
  VkMemoryAllocateInfo info{VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, &unknown, 1 << 20, 2};
  auto memory = id<VkDeviceMemory>(9);
  EXPECT_EQ(to_hex(request_bytes(
                AllocateMemoryArgs{id<VkDevice>(4), &info, nullptr, &memory, VK_SUCCESS})),
            to_hex(allocate_memory(chain_of_exports(1))));
}

// -- lengths --

// vkCmdPipelineBarrier with no barriers: counts and arrays at 28, 40 and 52.
const char* const kBarrier = R"(
    7e000000 00000000 | 20000000 00000000 | 01000000 00000000 00000000
    00000000 00000000 00000000 | 00000000 00000000 00000000 | 00000000 00000000 00000000)";

TEST(Decoder, RefusesCountsThatContradictTheirLength) {
  const Bytes bytes = from_hex(kBarrier);
  expect_taken<CmdPipelineBarrierArgs>(bytes);
  expect_refused<CmdPipelineBarrierArgs>(with_word(bytes, 32, 1), PoisonReason::kBadCount, 1);
  expect_refused<CmdPipelineBarrierArgs>(with_word(bytes, 28, 1), PoisonReason::kBadCount, 0);
}

TEST(Decoder, HugeCountsCostNothing) {
  const Bytes bytes = with_word(with_word(from_hex(kBarrier), 28, 0xffffffff), 32, 0xffffffff);
  const auto decoded = decode_request<CmdPipelineBarrierArgs>(bytes);
  ASSERT_TRUE(decoded.failed);
  EXPECT_EQ(decoded.error.reason, PoisonReason::kTruncated);
  EXPECT_LT(decoded.arena->capacity(), size_t{1} << 20);
}

TEST(Decoder, HugeBlobsCostNothing) {
  for (const char* size : {"fcffffff ffffffff", "00000000 00000080", "fdffffff ffffffff"}) {
    const Bytes update = from_hex(
        std::string(
            "75000000 00000000 | 20000000 00000000 | 07000000 00000000 | 00000000 00000000 | ") +
        size + size + "00000000");
    const auto decoded = decode_request<CmdUpdateBufferArgs>(update);
    ASSERT_TRUE(decoded.failed);
    EXPECT_EQ(decoded.error.reason, PoisonReason::kTruncated);
    EXPECT_LT(decoded.arena->capacity(), size_t{1} << 20);
  }
}

TEST(Decoder, RefusesOutputsBeyondTheArena) {
  // vkGetPipelineCacheData of 2^40 bytes: the shape has no bytes that could run out.
  expect_refused<GetPipelineCacheDataArgs>(
      from_hex(R"(3f000000 01000000 | 04000000 00000000 | 03000000 00000000
                  01000000 00000000 00000000 00010000 | 00000000 00010000)"),
      PoisonReason::kLimitExceeded);
}

TEST(Decoder, OptionalArraysMayBeAbsentDespiteTheirLength) {
  VkBufferCreateInfo info{VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO};
  info.size = 64;
  info.queueFamilyIndexCount = 2;  // as a guest with EXCLUSIVE sharing sends it
  auto buffer = id<VkBuffer>(9);
  const auto decoded = expect_taken<CreateBufferArgs>(
      request_bytes(CreateBufferArgs{id<VkDevice>(4), &info, nullptr, &buffer, VK_SUCCESS}));
  EXPECT_EQ(decoded.args.pCreateInfo->queueFamilyIndexCount, 2u);
  EXPECT_EQ(decoded.args.pCreateInfo->pQueueFamilyIndices, nullptr);
}

TEST(Decoder, RefusesFixedArraysOfAnotherLength) {
  // vkGetPhysicalDeviceMemoryProperties2 with 31 memory types.
  expect_refused<GetPhysicalDeviceMemoryProperties2Args>(
      from_hex(
          R"(98000000 01000000 | 02000000 00000000 | 01000000 00000000 | 7eb09b3b | 00000000 00000000
                  1f000000 00000000 | 10000000 00000000)"),
      PoisonReason::kBadCount, 31);
}

// -- strings --

// vkEnumerateDeviceExtensionProperties with a layer's name of `size` bytes.
Bytes with_layer(std::string_view size_and_text) {
  Bytes bytes = from_hex("0e000000 01000000 | 02000000 00000000");
  append(bytes, from_hex(size_and_text));
  append(bytes, from_hex("01000000 00000000 00000000 | 00000000 00000000"));
  return bytes;
}

TEST(Decoder, StringsEndWithZero) {
  const auto decoded = expect_taken<EnumerateDeviceExtensionPropertiesArgs>(
      with_layer("03000000 00000000 616200ff"));
  EXPECT_STREQ(decoded.args.pLayerName, "ab");
  expect_refused<EnumerateDeviceExtensionPropertiesArgs>(with_layer("03000000 00000000 616263ff"),
                                                         PoisonReason::kBadCount, 3);
  expect_refused<EnumerateDeviceExtensionPropertiesArgs>(with_layer("ffffffff ffffffff 616263ff"),
                                                         PoisonReason::kTruncated);
}

TEST(Decoder, RefusesAnAbsentStringThatIsRequired) {
  VkComputePipelineCreateInfo info{VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO};
  info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
  auto pipeline = id<VkPipeline>(9);
  expect_refused<CreateComputePipelinesArgs>(
      request_bytes(CreateComputePipelinesArgs{id<VkDevice>(4), VK_NULL_HANDLE, 1, &info, nullptr,
                                               &pipeline, VK_SUCCESS}),
      PoisonReason::kBadPresence);
}

TEST(Decoder, FixedStringsAlwaysEnd) {
  VkPhysicalDeviceProperties properties{};
  std::memset(properties.deviceName, 'x', sizeof properties.deviceName);
  const GetPhysicalDevicePropertiesArgs args{id<VkPhysicalDevice>(2), &properties};
  const auto decoded = decode_reply(args, reply_bytes(args));
  ASSERT_FALSE(decoded.failed);
  EXPECT_EQ(std::strlen(decoded.args.pProperties->deviceName), sizeof properties.deviceName - 1);
}

// -- unions --

// A colour of vkCmdClearColorImage behind tag `tag`.
Bytes clear_color(std::string_view tag) {
  Bytes bytes = from_hex(
      "77000000 00000000 | 20000000 00000000 | 07000000 00000000 | 01000000 | 01000000 00000000");
  append(bytes, from_hex(tag));
  append(bytes,
         from_hex(
             "04000000 00000000 00000000 0000803e 0000003f 0000803f | 00000000 00000000 00000000"));
  return bytes;
}

TEST(Decoder, TakesEveryFormOfAColor) {
  for (const char* tag : {"00000000", "01000000", "02000000"})
    EXPECT_EQ(expect_taken<CmdClearColorImageArgs>(clear_color(tag)).args.pColor->float32[3], 1.0f);
  expect_refused<CmdClearColorImageArgs>(clear_color("03000000"), PoisonReason::kBadUnionTag, 3);
}

TEST(Decoder, TakesDepthAndStencilByTheirTag) {
  const auto begin = [](std::string_view clear) {
    Bytes bytes = from_hex(
        R"(85000000 00000000 | 20000000 00000000 | 01000000 00000000 | 2b000000 00000000 00000000
        08000000 00000000 09000000 00000000 | 00000000 00000000 40000000 20000000 | 01000000 | 01000000 00000000)");
    append(bytes, from_hex(clear));
    append(bytes, from_hex("00000000"));
    return bytes;
  };
  const auto decoded = expect_taken<CmdBeginRenderPassArgs>(begin("01000000 0000803f 07000000"));
  EXPECT_EQ(decoded.args.pRenderPassBegin->pClearValues[0].depthStencil.stencil, 7u);
  expect_refused<CmdBeginRenderPassArgs>(begin("02000000 0000803f 07000000"),
                                         PoisonReason::kBadUnionTag, 2);
}

TEST(Decoder, SelectorsAndTagsAgree) {
  VkAccelerationStructureGeometryKHR geometry{
      VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_GEOMETRY_KHR};
  geometry.geometryType = VK_GEOMETRY_TYPE_AABBS_KHR;
  geometry.geometry.aabbs.sType = VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_GEOMETRY_AABBS_DATA_KHR;
  geometry.geometry.aabbs.stride = 24;
  VkAccelerationStructureBuildGeometryInfoKHR build{
      VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_BUILD_GEOMETRY_INFO_KHR};
  build.geometryCount = 1;
  build.pGeometries = &geometry;
  const uint32_t primitives = 1;
  VkAccelerationStructureBuildSizesInfoKHR sizes{
      VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_BUILD_SIZES_INFO_KHR};
  const Bytes bytes = request_bytes(GetAccelerationStructureBuildSizesKHRArgs{
      id<VkDevice>(4), VK_ACCELERATION_STRUCTURE_BUILD_TYPE_DEVICE_KHR, &build, &primitives,
      &sizes});
  const auto decoded = expect_taken<GetAccelerationStructureBuildSizesKHRArgs>(bytes);
  EXPECT_EQ(decoded.args.pBuildInfo->pGeometries[0].geometry.aabbs.stride, 24u);
  // sType, chain and geometryType of the geometry lie before the tag.
  const uint32_t type = VK_STRUCTURE_TYPE_ACCELERATION_STRUCTURE_GEOMETRY_KHR;
  size_t at = 0;
  for (size_t offset = 0; offset + 4 <= bytes.size(); offset += 4)
    if (std::memcmp(bytes.data() + offset, &type, 4) == 0) at = offset;
  ASSERT_NE(at, 0u);
  expect_refused<GetAccelerationStructureBuildSizesKHRArgs>(
      with_word(bytes, at + 16, VK_GEOMETRY_TYPE_TRIANGLES_KHR), PoisonReason::kBadUnionTag);
  expect_refused<GetAccelerationStructureBuildSizesKHRArgs>(
      with_word(with_word(bytes, at + 12, 9), at + 16, 9), PoisonReason::kBadUnionTag, 9);
}

TEST(Decoder, KeepsTheFirstError) {
  // A wrong sType, and then nothing: the end of the bytes is a consequence.
  expect_refused<AllocateMemoryArgs>(
      from_hex("15000000 00000000 04000000 00000000 | 01000000 00000000 06000000"),
      PoisonReason::kBadStructType, 6);
}

TEST(Decoder, CopiesWordsThatAreNotAligned) {
  // 8-byte elements at an offset of 4: read in place they would be misaligned.
  const uint64_t offset = 0x1122334455667788, size = 5;
  const auto buffer = id<VkBuffer>(7);
  const Bytes bytes = request_bytes(CmdBindTransformFeedbackBuffersEXTArgs{
      id<VkCommandBuffer>(0x20), 0, 1, &buffer, &offset, &size});
  const auto decoded = expect_taken<CmdBindTransformFeedbackBuffersEXTArgs>(bytes);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(decoded.args.pOffsets) % alignof(VkDeviceSize), 0u);
  EXPECT_EQ(decoded.args.pOffsets[0], offset);
  EXPECT_EQ(decoded.args.pSizes[0], size);
}

}  // namespace
}  // namespace pvgpu::venus
