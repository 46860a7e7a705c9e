// The byte examples of the Venus protocol reference, sections 3.7 and 4.4, which were written by a
// real guest's encoder: our encoder must write the same bytes, and our decoder must understand
// them.
#include <gtest/gtest.h>

#include "venus/testing/decoded.h"

namespace pvgpu::venus {
namespace {

using namespace testing;
using namespace protocol;

constexpr uint32_t kReply = 1;

// What the guest sends for `args`, both ways. Returns what the host decodes.
template <class Args>
Decoded<Args> expect_request(const Args& args, uint32_t flags, std::string_view hex) {
  const Bytes expected = from_hex(hex);
  EXPECT_EQ(to_hex(request_bytes(args, flags)), to_hex(expected));
  auto decoded = decode_request<Args>(expected);
  EXPECT_EQ(decoded.number, Args::kCommand);
  EXPECT_EQ(decoded.flags, flags);
  EXPECT_FALSE(decoded.failed) << poison_name(decoded.error.reason) << " " << decoded.error.value;
  EXPECT_EQ(decoded.left, 0u);
  EXPECT_EQ(to_hex(request_bytes(decoded.args, flags)), to_hex(expected));
  return decoded;
}

template <class Args>
Decoded<Args> expect_reply(const Args& args, std::string_view hex) {
  const Bytes expected = from_hex(hex);
  EXPECT_EQ(to_hex(reply_bytes(args)), to_hex(expected));
  auto decoded = decode_reply(args, expected);
  EXPECT_FALSE(decoded.failed);
  EXPECT_EQ(decoded.left, 0u);
  EXPECT_EQ(to_hex(reply_bytes(decoded.args)), to_hex(expected));
  return decoded;
}

TEST(ByteExamples, EnumerateInstanceVersion) {
  uint32_t version = VK_API_VERSION_1_3;
  EnumerateInstanceVersionArgs args{&version, VK_SUCCESS};
  const auto decoded = expect_request(args, kReply, "89000000 01000000 | 01000000 00000000");
  EXPECT_EQ(*decoded.args.pApiVersion, 0u);  // an output: its value does not travel
  expect_reply(args, "89000000 | 00000000 | 01000000 00000000 | 00304000");
}

TEST(ByteExamples, CreateInstance) {
  VkApplicationInfo application{VK_STRUCTURE_TYPE_APPLICATION_INFO};
  application.pApplicationName = "app";
  application.applicationVersion = 7;
  application.apiVersion = VK_API_VERSION_1_3;
  VkInstanceCreateInfo info{VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
  info.pApplicationInfo = &application;
  auto instance = id<VkInstance>(1);
  const CreateInstanceArgs args{&info, nullptr, &instance, VK_SUCCESS};
  const auto decoded = expect_request(args, kReply, R"(
    00000000 01000000
    01000000 00000000
    01000000
    00000000 00000000
    00000000
    01000000 00000000
    00000000 00000000 00000000
    04000000 00000000 61707000
    07000000
    00000000 00000000
    00000000
    00304000
    00000000 | 00000000 00000000
    00000000 | 00000000 00000000
    00000000 00000000
    01000000 00000000 01000000 00000000)");
  EXPECT_STREQ(decoded.args.pCreateInfo->pApplicationInfo->pApplicationName, "app");
  EXPECT_EQ(decoded.args.pCreateInfo->pApplicationInfo->pEngineName, nullptr);
  EXPECT_EQ(*decoded.args.pInstance, id<VkInstance>(1));
  expect_reply(args, "00000000 | 00000000 | 01000000 00000000 | 01000000 00000000");
}

TEST(ByteExamples, EnumeratePhysicalDevices) {
  uint32_t count = 0;
  expect_request(
      EnumeratePhysicalDevicesArgs{id<VkInstance>(1), &count, nullptr, VK_SUCCESS}, kReply,
      "02000000 01000000 | 01000000 00000000 | 01000000 00000000 00000000 | 00000000 00000000");
  VkPhysicalDevice devices[] = {id<VkPhysicalDevice>(2), id<VkPhysicalDevice>(3)};
  count = 2;
  const EnumeratePhysicalDevicesArgs args{id<VkInstance>(1), &count, devices, VK_SUCCESS};
  const auto decoded = expect_request(args, kReply, R"(
    02000000 01000000 | 01000000 00000000 | 01000000 00000000 02000000
    02000000 00000000 | 02000000 00000000 03000000 00000000)");
  EXPECT_EQ(decoded.args.pPhysicalDevices[1], id<VkPhysicalDevice>(3));
  const auto reply = expect_reply(args, R"(
    02000000 | 00000000 | 01000000 00000000 02000000
    02000000 00000000 | 02000000 00000000 | 03000000 00000000)");
  EXPECT_EQ(reply.bytes.size(), 44u);
}

TEST(ByteExamples, GetPhysicalDeviceProperties2) {
  VkPhysicalDeviceVulkan11Properties vulkan11{
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES};
  VkPhysicalDeviceDriverProperties driver{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES,
                                          &vulkan11};
  VkPhysicalDeviceProperties2 properties{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, &driver};
  const GetPhysicalDeviceProperties2Args args{id<VkPhysicalDevice>(2), &properties};
  expect_request(args, kReply, R"(
    94000000 01000000 | 02000000 00000000
    01000000 00000000
    79b09b3b
    01000000 00000000 a0c79d3b
    01000000 00000000 32000000
    00000000 00000000)");

  vulkan11.deviceUUID[0] = 0x11;
  driver.driverID = VK_DRIVER_ID_MESA_LLVMPIPE;
  properties.properties.apiVersion = VK_API_VERSION_1_4;
  std::strcpy(properties.properties.deviceName, "a device");
  const Bytes reply = reply_bytes(args);
  ASSERT_EQ(reply.size(), 1580u);
  const auto word = [&](size_t offset) {
    uint32_t value;
    std::memcpy(&value, reply.data() + offset, 4);
    return value;
  };
  EXPECT_EQ(word(12), uint32_t{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2});
  EXPECT_EQ(word(24), uint32_t{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES});
  EXPECT_EQ(word(36), uint32_t{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES});
  EXPECT_EQ(word(48), 16u);    // Vulkan11Properties: length of deviceUUID
  EXPECT_EQ(word(56), 0x11u);  // and its bytes
  EXPECT_EQ(word(164), uint32_t{VK_DRIVER_ID_MESA_LLVMPIPE});
  EXPECT_EQ(word(712), uint32_t{VK_API_VERSION_1_4});
  const auto decoded = decode_reply(args, reply);
  ASSERT_FALSE(decoded.failed);
  EXPECT_STREQ(decoded.args.pProperties->properties.deviceName, "a device");
}

TEST(ByteExamples, GetPhysicalDeviceMemoryProperties2) {
  VkPhysicalDeviceMemoryProperties2 properties{
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2};
  expect_request(GetPhysicalDeviceMemoryProperties2Args{id<VkPhysicalDevice>(2), &properties},
                 kReply, R"(
    98000000 01000000 | 02000000 00000000 | 01000000 00000000 | 7eb09b3b | 00000000 00000000
    20000000 00000000 | 10000000 00000000)");
}

TEST(ByteExamples, CreateDevice) {
  VkPhysicalDeviceTimelineSemaphoreFeatures timeline{
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES};
  timeline.timelineSemaphore = VK_TRUE;
  VkPhysicalDeviceSynchronization2Features sync2{
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SYNCHRONIZATION_2_FEATURES, &timeline};
  sync2.synchronization2 = VK_TRUE;
  const float priority = 1.0f;
  const VkDeviceQueueCreateInfo queue{
      VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, nullptr, 0, 0, 1, &priority};
  const char* extension = "VK_KHR_external_memory_fd";
  VkDeviceCreateInfo info{VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, &sync2};
  info.queueCreateInfoCount = 1;
  info.pQueueCreateInfos = &queue;
  info.enabledExtensionCount = 1;
  info.ppEnabledExtensionNames = &extension;
  auto device = id<VkDevice>(4);
  const auto decoded = expect_request(
      CreateDeviceArgs{id<VkPhysicalDevice>(2), &info, nullptr, &device, VK_SUCCESS}, kReply, R"(
    0b000000 01000000 02000000 00000000
    01000000 00000000 03000000
    01000000 00000000 97949f3b
    01000000 00000000 98f29d3b
    00000000 00000000
    01000000
    01000000
    00000000
    01000000 | 01000000 00000000
    02000000 00000000 00000000 00000000 00000000 01000000
    01000000 00000000 0000803f
    00000000 | 00000000 00000000
    01000000 | 01000000 00000000
    1a000000 00000000 564b5f4b 48525f65 78746572 6e616c5f 6d656d6f 72795f66 64000000
    00000000 00000000
    00000000 00000000
    01000000 00000000 04000000 00000000)");
  EXPECT_EQ(decoded.bytes.size(), 212u);
  const auto* first =
      static_cast<const VkPhysicalDeviceSynchronization2Features*>(decoded.args.pCreateInfo->pNext);
  ASSERT_EQ(first->sType, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SYNCHRONIZATION_2_FEATURES);
  EXPECT_EQ(first->synchronization2, VK_TRUE);
  const auto* second = static_cast<const VkPhysicalDeviceTimelineSemaphoreFeatures*>(first->pNext);
  ASSERT_EQ(second->sType, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES);
  EXPECT_EQ(second->timelineSemaphore, VK_TRUE);
  EXPECT_EQ(second->pNext, nullptr);
}

TEST(ByteExamples, GetDeviceQueue2) {
  VkDeviceQueueTimelineInfoMESA timeline{VK_STRUCTURE_TYPE_DEVICE_QUEUE_TIMELINE_INFO_MESA, nullptr,
                                         1};
  const VkDeviceQueueInfo2 info{VK_STRUCTURE_TYPE_DEVICE_QUEUE_INFO_2, &timeline, 0, 0, 0};
  auto queue = id<VkQueue>(5);
  expect_request(GetDeviceQueue2Args{id<VkDevice>(4), &info, &queue}, 0, R"(
    9b000000 00000000 04000000 00000000 | 01000000 00000000 6b009d3b
    01000000 00000000 05a6a03b 00000000 00000000 01000000
    00000000 00000000 00000000
    01000000 00000000 05000000 00000000)");
}

TEST(ByteExamples, CmdDraw) {
  expect_request(CmdDrawArgs{id<VkCommandBuffer>(0x20), 3, 1, 0, 0}, 0,
                 "6a000000 00000000 | 20000000 00000000 | 03000000 01000000 00000000 00000000");
}

TEST(ByteExamples, AllocateMemory) {
  VkMemoryAllocateInfo info{VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr, 1 << 20, 2};
  auto memory = id<VkDeviceMemory>(9);
  const AllocateMemoryArgs args{id<VkDevice>(4), &info, nullptr, &memory, VK_SUCCESS};
  expect_request(args, 0, R"(
    15000000 00000000 04000000 00000000 | 01000000 00000000 05000000 | 00000000 00000000
    00001000 00000000 02000000 | 00000000 00000000 | 01000000 00000000 09000000 00000000)");

  const VkImportMemoryResourceInfoMESA import{VK_STRUCTURE_TYPE_IMPORT_MEMORY_RESOURCE_INFO_MESA,
                                              nullptr, 42};
  info.pNext = &import;
  expect_request(args, 0, R"(
    15000000 00000000 04000000 00000000 | 01000000 00000000 05000000
    01000000 00000000 02a6a03b 00000000 00000000 2a000000
    00001000 00000000 02000000 | 00000000 00000000 | 01000000 00000000 09000000 00000000)");

  const VkExportMemoryAllocateInfo exported{VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO, nullptr,
                                            VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT};
  const VkMemoryDedicatedAllocateInfo dedicated{VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO,
                                                &exported, id<VkImage>(7), VK_NULL_HANDLE};
  info.pNext = &dedicated;
  expect_request(args, 0, R"(
    15000000 00000000 04000000 00000000 | 01000000 00000000 05000000
    01000000 00000000 19ba9c3b 01000000 00000000 42e39b3b 00000000 00000000 00020000
    07000000 00000000 00000000 00000000
    00001000 00000000 02000000 | 00000000 00000000 | 01000000 00000000 09000000 00000000)");
}

TEST(ByteExamples, CmdClearColorImage) {
  const VkClearColorValue color{{0.0f, 0.25f, 0.5f, 1.0f}};
  const VkImageSubresourceRange range{VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
  const auto decoded =
      expect_request(CmdClearColorImageArgs{id<VkCommandBuffer>(0x20), id<VkImage>(7),
                                            VK_IMAGE_LAYOUT_GENERAL, &color, 1, &range},
                     0, R"(
    77000000 00000000 | 20000000 00000000 | 07000000 00000000 | 01000000 | 01000000 00000000
    02000000 04000000 00000000 00000000 0000803e 0000003f 0000803f
    01000000 | 01000000 00000000 | 01000000 00000000 01000000 00000000 01000000)");
  EXPECT_EQ(decoded.args.pColor->float32[2], 0.5f);
}

TEST(ByteExamples, CmdBeginRenderPass) {
  VkClearValue clears[2] = {};
  clears[0].color = {{1.0f, 0.0f, 0.0f, 1.0f}};
  clears[1].depthStencil = {1.0f, 0};
  VkRenderPassBeginInfo info{VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO, nullptr, id<VkRenderPass>(8),
                             id<VkFramebuffer>(9)};
  info.renderArea = {{0, 0}, {64, 32}};
  info.clearValueCount = 2;
  info.pClearValues = clears;
  const auto decoded = expect_request(
      CmdBeginRenderPassArgs{id<VkCommandBuffer>(0x20), &info, VK_SUBPASS_CONTENTS_INLINE}, 0, R"(
    85000000 00000000 | 20000000 00000000 | 01000000 00000000 | 2b000000 00000000 00000000
    08000000 00000000 09000000 00000000 | 00000000 00000000 40000000 20000000
    02000000 | 02000000 00000000
    00000000 02000000 04000000 00000000 0000803f 00000000 00000000 0000803f
    00000000 02000000 04000000 00000000 0000803f 00000000 00000000 00000000
    00000000)");
  EXPECT_EQ(decoded.args.pRenderPassBegin->pClearValues[1].depthStencil.depth, 1.0f);
}

TEST(ByteExamples, CmdPushConstants) {
  const uint8_t values[] = {1, 2, 3, 4, 5, 6};
  const auto decoded =
      expect_request(CmdPushConstantsArgs{id<VkCommandBuffer>(0x20), id<VkPipelineLayout>(3),
                                          VK_SHADER_STAGE_VERTEX_BIT, 8, 6, values},
                     0, R"(
    84000000 00000000 | 20000000 00000000 | 03000000 00000000 | 01000000 | 08000000 | 06000000
    06000000 00000000 | 01020304 05060000)");
  EXPECT_EQ(static_cast<const uint8_t*>(decoded.args.pValues)[5], 6);
}

TEST(ByteExamples, QueueSubmit) {
  const auto commands = id<VkCommandBuffer>(0x20);
  VkSubmitInfo submit{VK_STRUCTURE_TYPE_SUBMIT_INFO};
  submit.commandBufferCount = 1;
  submit.pCommandBuffers = &commands;
  expect_request(QueueSubmitArgs{id<VkQueue>(5), 1, &submit, id<VkFence>(6), VK_SUCCESS}, 0, R"(
    12000000 00000000 | 05000000 00000000 | 01000000 | 01000000 00000000
    04000000 | 00000000 00000000 | 00000000 | 00000000 00000000 | 00000000 00000000
    01000000 | 01000000 00000000 | 20000000 00000000 | 00000000 | 00000000 00000000
    06000000 00000000)");
}

TEST(ByteExamples, GetPipelineCacheData) {
  size_t size = 7;
  expect_request(
      GetPipelineCacheDataArgs{id<VkDevice>(4), id<VkPipelineCache>(3), &size, nullptr, VK_SUCCESS},
      kReply, R"(
    3f000000 01000000 | 04000000 00000000 | 03000000 00000000
    01000000 00000000 07000000 00000000 | 00000000 00000000)");
  size = 100;
  uint8_t data[100] = {0xaa, 0xbb, 0xcc, 0xdd, 0xee};
  GetPipelineCacheDataArgs args{id<VkDevice>(4), id<VkPipelineCache>(3), &size, data, VK_SUCCESS};
  expect_request(args, kReply, R"(
    3f000000 01000000 | 04000000 00000000 | 03000000 00000000
    01000000 00000000 64000000 00000000 | 64000000 00000000)");
  size = 5;  // what the driver reduced also reduces the bytes
  expect_reply(args, R"(
    3f000000 | 00000000 | 01000000 00000000 05000000 00000000 | 05000000 00000000 aabbccdd ee000000)");
}

TEST(ByteExamples, EnumerateDeviceExtensionProperties) {
  uint32_t count = 3;
  VkExtensionProperties properties[3] = {};
  properties[2].specVersion = 9;
  const EnumerateDeviceExtensionPropertiesArgs args{id<VkPhysicalDevice>(2), nullptr, &count,
                                                    properties, VK_SUCCESS};
  expect_request(args, kReply, R"(
    0e000000 01000000 | 02000000 00000000 | 00000000 00000000 | 01000000 00000000 03000000 | 03000000 00000000)");
  EXPECT_EQ(reply_bytes(args).size(), 4 + 4 + 12 + 8 + 3 * 268u);
}

TEST(ByteExamples, EnumeratePhysicalDeviceGroups) {
  uint32_t count = 1;
  VkPhysicalDeviceGroupProperties group{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_GROUP_PROPERTIES};
  const Bytes bytes = request_bytes(
      EnumeratePhysicalDeviceGroupsArgs{id<VkInstance>(1), &count, &group, VK_SUCCESS}, kReply);
  EXPECT_EQ(bytes.size(), 312u);
  EXPECT_FALSE(decode_request<EnumeratePhysicalDeviceGroupsArgs>(bytes).failed);
}

// -- section 4.4: the protocol's own commands --

TEST(ByteExamples, CreateRing) {
  const VkRingMonitorInfoMESA monitor{VK_STRUCTURE_TYPE_RING_MONITOR_INFO_MESA, nullptr, 3000000};
  VkRingCreateInfoMESA info{VK_STRUCTURE_TYPE_RING_CREATE_INFO_MESA, &monitor};
  info.resourceId = 1;
  info.size = 0x200c4;
  info.idleTimeout = 1000000;
  info.tailOffset = 64;
  info.statusOffset = 128;
  info.bufferOffset = 192;
  info.bufferSize = 0x20000;
  info.extraOffset = 0x200c0;
  info.extraSize = 4;
  const auto decoded = expect_request(CreateRingMESAArgs{0x0123456789abcdef, &info}, 0, R"(
    bc000000 00000000 efcdab89 67452301
    01000000 00000000 00a6a03b
    01000000 00000000 06a6a03b 00000000 00000000 c0c62d00
    00000000 01000000
    00000000 00000000 c4000200 00000000
    40420f00 00000000
    00000000 00000000 40000000 00000000 80000000 00000000
    c0000000 00000000 00000200 00000000
    c0000200 00000000 04000000 00000000)");
  EXPECT_EQ(decoded.bytes.size(), 140u);
}

TEST(ByteExamples, RingAndStreamCommands) {
  expect_request(NotifyRingMESAArgs{0x0123456789abcdef, 0x1000, 0}, 0,
                 "be000000 00000000 | efcdab89 67452301 | 00100000 | 00000000");
  expect_request(DestroyRingMESAArgs{0x0123456789abcdef}, 0,
                 "bd000000 00000000 | efcdab89 67452301");
  const VkCommandStreamDescriptionMESA slot{3, 0x40, 36};
  expect_request(
      SetReplyCommandStreamMESAArgs{&slot}, 0,
      "b2000000 00000000 | 01000000 00000000 | 03000000 | 40000000 00000000 | 24000000 00000000");
  const VkCommandStreamDescriptionMESA streams[] = {{4, 0, 256}, {4, 4096, 64}};
  expect_request(ExecuteCommandStreamsMESAArgs{2, streams, nullptr, 0, nullptr, 0}, 0, R"(
    b4000000 00000000 | 02000000 | 02000000 00000000
    04000000 00000000 00000000 00010000 00000000
    04000000 00100000 00000000 40000000 00000000
    00000000 00000000 | 00000000 | 00000000 00000000 | 00000000)");
}

TEST(ByteExamples, SeqnoCommands) {
  expect_request(SubmitVirtqueueSeqnoMESAArgs{0x0123456789abcdef, 5}, 0,
                 "fb000000 00000000 | efcdab89 67452301 | 05000000 00000000");
  expect_request(WaitVirtqueueSeqnoMESAArgs{5}, 0, "fc000000 00000000 | 05000000 00000000");
  expect_request(WaitRingSeqnoMESAArgs{0x0123456789abcdef, 0x2040}, 0,
                 "fd000000 00000000 | efcdab89 67452301 | 40200000 00000000");
}

TEST(ByteExamples, ResourceCommands) {
  VkMemoryResourceAllocationSizePropertiesMESA size{
      VK_STRUCTURE_TYPE_MEMORY_RESOURCE_ALLOCATION_SIZE_PROPERTIES_MESA, nullptr, 4096};
  VkMemoryResourcePropertiesMESA properties{VK_STRUCTURE_TYPE_MEMORY_RESOURCE_PROPERTIES_MESA,
                                            &size, 0x0f};
  const GetMemoryResourcePropertiesMESAArgs args{id<VkDevice>(4), 42, &properties, VK_SUCCESS};
  expect_request(args, kReply, R"(
    c0000000 01000000 | 04000000 00000000 | 2a000000 | 01000000 00000000 | 01a6a03b
    01000000 00000000 03a6a03b 00000000 00000000)");
  expect_reply(args, R"(
    c0000000 | 00000000 | 01000000 00000000 | 01a6a03b | 01000000 00000000 03a6a03b 00000000 00000000
    00100000 00000000 | 0f000000)");

  const VkImportSemaphoreResourceInfoMESA import{
      VK_STRUCTURE_TYPE_IMPORT_SEMAPHORE_RESOURCE_INFO_MESA, nullptr, id<VkSemaphore>(6), 0};
  expect_request(ImportSemaphoreResourceMESAArgs{id<VkDevice>(4), &import}, 0, R"(
    f6000000 00000000 | 04000000 00000000 | 01000000 00000000 | 04a6a03b | 00000000 00000000
    06000000 00000000 | 00000000)");
  expect_request(ResetFenceResourceMESAArgs{id<VkDevice>(4), id<VkFence>(7)}, 0,
                 "f4000000 00000000 | 04000000 00000000 | 07000000 00000000");
  expect_request(WaitSemaphoreResourceMESAArgs{id<VkDevice>(4), id<VkSemaphore>(6)}, 0,
                 "f5000000 00000000 | 04000000 00000000 | 06000000 00000000");
}

}  // namespace
}  // namespace pvgpu::venus
