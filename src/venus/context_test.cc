// A context as a frontend drives it: the capset, a guest's whole session, blobs, nested streams,
// fences, and the lifetime of what a guest creates.
#include "venus/context.h"

#include <gmock/gmock.h>

#include "observe/log.h"
#include "venus/testing/command_codecs.h"
#include "venus/testing/session.h"

namespace pvgpu::venus {
namespace {

using namespace testing;
using namespace protocol;
using ::testing::HasSubstr;

class ContextTest : public OnFakeDriver {};

TEST(Capset, SaysWhatThisBuildDecodes) {
  const auto bytes = capset();
  ASSERT_EQ(bytes.size(), 160u);
  uint32_t words[40];
  std::memcpy(words, bytes.data(), sizeof words);
  EXPECT_EQ(words[0], 1u);
  EXPECT_GE(words[1], VK_MAKE_API_VERSION(0, 1, 4, 309));
  EXPECT_EQ(words[1], kRegistryVersion);
  EXPECT_EQ(words[2], 1u);
  EXPECT_EQ(words[3], 3u);
  EXPECT_EQ(words[4], 1u);
  EXPECT_EQ(words[37], 1u);
  EXPECT_EQ(words[38], 1u);
  EXPECT_EQ(words[39], 0u);
  const auto has = [&](uint32_t number) { return words[5 + number / 32] >> (number % 32) & 1; };
  EXPECT_TRUE(has(0));  // else guests take every extension as known
  for (const uint32_t number : {384u, 385u, 315u /* synchronization2, promoted */,
                                208u /* timeline_semaphore */, 393u /* multi_draw */})
    EXPECT_TRUE(has(number)) << number;
  EXPECT_FALSE(has(1)) << "surfaces never travel";
  EXPECT_FALSE(has(136)) << "VK_EXT_descriptor_heap is withheld";
}

TEST_F(ContextTest, TheFakeDriverHasEveryCommand) {
  for (const CommandCodec& command : all_commands()) {
    if (std::string_view(command.name).ends_with("MESA")) continue;  // the protocol's own
    EXPECT_NE(fake_host().get_instance_proc_addr()(nullptr, command.name), nullptr) << command.name;
  }
}

TEST_F(ContextTest, RunsAGuestsSession) {
  Session guest;
  const VkDeviceMemory memory = guest.allocate(4096);
  const VkBuffer buffer = guest.create_buffer(4096);
  const VkBindBufferMemoryInfo bind{VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_INFO, nullptr, buffer,
                                    memory, 0};
  guest.ring().send(BindBufferMemory2Args{guest.device, 1, &bind, VK_SUCCESS});
  ASSERT_TRUE(guest.submit(WaitRingSeqnoMESAArgs{Session::kRing, guest.ring().tail()}));
  const auto mapped = guest.create_blob(4096, std::bit_cast<uint64_t>(memory));
  ASSERT_NE(mapped, nullptr);
  const VkCommandPool pool = guest.create_command_pool();
  const VkCommandBuffer commands = guest.allocate_command_buffer(pool);
  const VkFence fence = guest.create_fence();
  for (const uint32_t value : {0x11111111u, 0x22222222u}) {
    guest.fill(commands, buffer, value, fence);
    const auto waited = guest.ring().call(
        WaitForFencesArgs{guest.device, 1, &fence, VK_TRUE, ~uint64_t{0}, VK_SUCCESS});
    EXPECT_EQ(waited.args.ret, VK_SUCCESS);
    for (size_t offset = 0; offset < 4096; offset += 4)
      ASSERT_EQ(mapped->word(offset).load(), value);
    guest.ring().send(ResetFencesArgs{guest.device, 1, &fence, VK_SUCCESS});
  }
  // And the guest's writes are the GPU's.
  mapped->word(0).store(0x33333333);
  const VkBufferCopy region{0, 2048, 4};
  const VkCommandBufferBeginInfo begin{VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
  guest.ring().send(BeginCommandBufferArgs{commands, &begin, VK_SUCCESS});
  guest.ring().send(CmdCopyBufferArgs{commands, buffer, buffer, 1, &region});
  guest.ring().send(EndCommandBufferArgs{commands, VK_SUCCESS});
  VkSubmitInfo submit{VK_STRUCTURE_TYPE_SUBMIT_INFO};
  submit.commandBufferCount = 1;
  submit.pCommandBuffers = &commands;
  ASSERT_TRUE(guest.ring().run(QueueSubmitArgs{guest.queue, 1, &submit, fence, VK_SUCCESS}));
  EXPECT_EQ(mapped->word(2048).load(), 0x33333333u);

  guest.ring().send(DestroyFenceArgs{guest.device, fence, nullptr});
  guest.ring().send(DestroyCommandPoolArgs{guest.device, pool, nullptr});
  guest.ring().send(DestroyBufferArgs{guest.device, buffer, nullptr});
  guest.ring().send(FreeMemoryArgs{guest.device, memory, nullptr});
  guest.ring().send(DestroyDeviceArgs{guest.device, nullptr});
  EXPECT_FALSE(guest.ring().call(DestroyInstanceArgs{guest.instance, nullptr}).failed);
  EXPECT_EQ(fake_driver::live_objects(), objects_before_);
  EXPECT_FALSE(guest.context().poisoned());
}

TEST_F(ContextTest, HidesWhatCannotBeShared) {
  Session guest(Session::Stage::kPhysicalDevice);
  VkPhysicalDeviceMemoryProperties2 properties{
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2};
  const auto reply =
      guest.ring().call(GetPhysicalDeviceMemoryProperties2Args{guest.physical, &properties});
  ASSERT_FALSE(reply.failed);
  EXPECT_EQ(reply.args.pMemoryProperties->memoryProperties.memoryTypeCount, 2u);
  EXPECT_EQ(fake_host().devices()[0].memory_plan[1].strategy, host::MemoryStrategy::kHostImport);
}

TEST_F(ContextTest, GroupsNameTheIdsOfDevices) {
  Session guest(Session::Stage::kPhysicalDevice);
  uint32_t count = 1;
  VkPhysicalDeviceGroupProperties group{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_GROUP_PROPERTIES};
  const auto reply = guest.ring().call(
      EnumeratePhysicalDeviceGroupsArgs{guest.instance, &count, &group, VK_SUCCESS});
  ASSERT_FALSE(reply.failed);
  ASSERT_EQ(reply.args.pPhysicalDeviceGroupProperties[0].physicalDeviceCount, 1u);
  EXPECT_EQ(reply.args.pPhysicalDeviceGroupProperties[0].physicalDevices[0], guest.physical);
}

// -- nested streams --

TEST_F(ContextTest, ExecutesStreamsInSharedMemory) {
  Session guest;
  const VkFence fence = guest.create_fence();
  const auto pieces = guest.create_blob(1 << 20);
  const Bytes reset = request_bytes(ResetFencesArgs{guest.device, 1, &fence, VK_SUCCESS});
  uint32_t version = 0;
  const Bytes ask = request_bytes(EnumerateInstanceVersionArgs{&version, VK_SUCCESS}, 1);
  std::memcpy(pieces->data(), reset.data(), reset.size());
  std::memcpy(pieces->data() + reset.size(), reset.data(), reset.size());
  std::memcpy(pieces->data() + 4096, ask.data(), ask.size());
  const VkCommandStreamDescriptionMESA slot = guest.ring().reply_slot(64);
  guest.ring().send(SetReplyCommandStreamMESAArgs{&slot});
  const VkCommandStreamDescriptionMESA streams[] = {
      {pieces->id(), 0, 2 * reset.size()}, {pieces->id(), 64, 0}, {pieces->id(), 4096, ask.size()}};
  const size_t positions[] = {0, 0, 32};
  ASSERT_TRUE(
      guest.ring().run(ExecuteCommandStreamsMESAArgs{3, streams, positions, 0, nullptr, 0}));
  EXPECT_EQ(fake_driver::calls("vkResetFences"), 2u);
  const std::byte* at = guest.ring().replies().data() + slot.offset + 32;
  const auto reply =
      decode_reply(EnumerateInstanceVersionArgs{&version, VK_SUCCESS}, Bytes(at, at + 20));
  ASSERT_FALSE(reply.failed);
  EXPECT_EQ(*reply.args.pApiVersion, uint32_t{VK_API_VERSION_1_4});
}

TEST_F(ContextTest, RepliesFollowEachOtherInTheirSlot) {
  Session guest(Session::Stage::kNothing);
  const VkCommandStreamDescriptionMESA slot = guest.ring().reply_slot(60);
  uint32_t version = 0;
  const Bytes ask = request_bytes(EnumerateInstanceVersionArgs{&version, VK_SUCCESS}, 1);
  Bytes bytes = request_bytes(SetReplyCommandStreamMESAArgs{&slot});
  for (int i = 0; i < 3; ++i) append(bytes, ask);
  append(bytes, request_bytes(SeekReplyCommandStreamMESAArgs{20}));
  append(bytes, ask);
  ASSERT_TRUE(guest.ring().wait(guest.ring().write(bytes)));
  for (size_t i = 0; i < 3; ++i)
    EXPECT_EQ(guest.ring().replies().word(slot.offset + i * 20).load(), 137u);
  EXPECT_FALSE(guest.context().poisoned());
}

TEST_F(ContextTest, TracesCommandsByName) {
  ::testing::internal::CaptureStderr();
  observe::set_level(observe::Level::kTrace);
  Session guest(Session::Stage::kNothing);
  uint32_t version = 0;
  guest.ring().call(EnumerateInstanceVersionArgs{&version, VK_SUCCESS});
  guest.close();
  observe::set_level(observe::Level::kInfo);
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("context stream: vkCreateRingMESA(ring=1431633920, "
                             "pCreateInfo={flags=0, resourceId=1, "));
  EXPECT_THAT(log,
              HasSubstr("ring 0x55550000: vkEnumerateInstanceVersion(pApiVersion=out) with reply"));
}

// A reply never leaves its slot: the neighbours are other threads' replies.
TEST_F(ContextTest, AnOverflowingReplyTouchesNothingElse) {
  Session guest(Session::Stage::kPhysicalDevice);
  const VkCommandStreamDescriptionMESA slot = guest.ring().reply_slot(100);
  std::memset(guest.ring().replies().data(), 0x77, guest.ring().replies().size());
  VkPhysicalDeviceProperties properties{};
  guest.ring().send(SetReplyCommandStreamMESAArgs{&slot});
  guest.ring().write(
      request_bytes(GetPhysicalDevicePropertiesArgs{guest.physical, &properties}, 1));
  EXPECT_EQ(guest.wait_for_poison().reason, PoisonReason::kReplyOverflow);
  for (size_t i = 0; i < guest.ring().replies().size(); ++i)
    if (i < slot.offset || i >= slot.offset + slot.size) {
      ASSERT_EQ(guest.ring().replies().data()[i], std::byte{0x77}) << i;
    }
}

// -- creations that fail --

TEST_F(ContextTest, ReportsAFailureToWhoWaits) {
  Session guest;
  fake_driver::fail("vkCreateImage", VK_ERROR_OUT_OF_DEVICE_MEMORY, 1);
  VkImageCreateInfo info{VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO};
  info.imageType = VK_IMAGE_TYPE_2D;
  info.extent = {16, 16, 1};
  info.mipLevels = info.arrayLayers = 1;
  info.samples = VK_SAMPLE_COUNT_1_BIT;
  auto image = guest.new_object<VkImage>();
  const auto failed =
      guest.ring().call(CreateImageArgs{guest.device, &info, nullptr, &image, VK_SUCCESS});
  EXPECT_EQ(failed.args.ret, VK_ERROR_OUT_OF_DEVICE_MEMORY);
  EXPECT_EQ(*failed.args.pImage, VK_NULL_HANDLE);
  // The id is free again.
  const auto made =
      guest.ring().call(CreateImageArgs{guest.device, &info, nullptr, &image, VK_SUCCESS});
  EXPECT_EQ(made.args.ret, VK_SUCCESS);
  EXPECT_EQ(*made.args.pImage, image);
}

TEST_F(ContextTest, DestroysWhatCouldNotBeCreated) {
  Session guest;
  for (const char* function : {"vkCreateImage", "vkCreateBuffer", "vkCreateFence",
                               "vkCreateSemaphore", "vkAllocateMemory", "vkCreateCommandPool"})
    fake_driver::fail(function, VK_ERROR_OUT_OF_HOST_MEMORY);
  guest.ring().send(DestroyImageArgs{guest.device, guest.create_image(), nullptr});
  guest.ring().send(DestroyBufferArgs{guest.device, guest.create_buffer(64), nullptr});
  guest.ring().send(DestroyFenceArgs{guest.device, guest.create_fence(), nullptr});
  guest.ring().send(DestroySemaphoreArgs{guest.device, guest.create_semaphore(), nullptr});
  guest.ring().send(FreeMemoryArgs{guest.device, guest.allocate(4096), nullptr});
  guest.ring().send(DestroyCommandPoolArgs{guest.device, guest.create_command_pool(), nullptr});
  EXPECT_TRUE(guest.ring().wait(guest.ring().tail()));
  EXPECT_FALSE(guest.context().poisoned());
}

// There is no error reply for a blob, so a guest whose allocation failed unseen gets plain memory.
TEST_F(ContextTest, GivesPlainMemoryForAnAllocationThatFailed) {
  Session guest;
  fake_driver::fail("vkAllocateMemory", VK_ERROR_OUT_OF_DEVICE_MEMORY, 1);
  const VkDeviceMemory memory = guest.allocate(8192);
  ASSERT_TRUE(guest.ring().wait(guest.ring().tail()));
  const auto blob = guest.create_blob(8192, std::bit_cast<uint64_t>(memory));
  ASSERT_NE(blob, nullptr);
  blob->word(8188).store(1);
  EXPECT_FALSE(guest.context().poisoned());
}

TEST_F(ContextTest, GivesAMemoryToTheEndOfItsLastPage) {
  Session guest;
  const VkDeviceMemory memory = guest.allocate(5000);
  ASSERT_TRUE(guest.ring().wait(guest.ring().tail()));
  const auto blob = guest.create_blob(8192, std::bit_cast<uint64_t>(memory));
  ASSERT_NE(blob, nullptr);
  blob->word(8188).store(1);
  EXPECT_FALSE(guest.context().poisoned());
}

TEST_F(ContextTest, PipelinesMayFailOneByOne) {
  Session guest;
  fake_driver::fail("vkCreateComputePipelines", VK_ERROR_OUT_OF_DEVICE_MEMORY, 1);
  VkComputePipelineCreateInfo infos[2] = {};
  for (auto& info : infos) {
    info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
    info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
    info.stage.pName = "main";
  }
  const VkPipelineLayoutCreateInfo layout_info{VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO};
  auto layout = guest.new_object<VkPipelineLayout>();
  guest.ring().send(
      CreatePipelineLayoutArgs{guest.device, &layout_info, nullptr, &layout, VK_SUCCESS});
  infos[0].layout = infos[1].layout = layout;
  VkPipeline pipelines[] = {guest.new_object<VkPipeline>(), guest.new_object<VkPipeline>()};
  const CreateComputePipelinesArgs args{guest.device, VK_NULL_HANDLE, 2,         infos,
                                        nullptr,      pipelines,      VK_SUCCESS};
  const auto failed = guest.ring().call(args);
  EXPECT_EQ(failed.args.ret, VK_ERROR_OUT_OF_DEVICE_MEMORY);
  EXPECT_EQ(failed.args.pPipelines[0], VK_NULL_HANDLE);
  const auto made = guest.ring().call(args);
  EXPECT_EQ(made.args.ret, VK_SUCCESS);
  EXPECT_EQ(made.args.pPipelines[1], pipelines[1]);
  guest.ring().send(DestroyPipelineArgs{guest.device, pipelines[0], nullptr});
  guest.ring().send(DestroyPipelineArgs{guest.device, pipelines[1], nullptr});
  EXPECT_TRUE(guest.ring().run(DestroyPipelineLayoutArgs{guest.device, layout, nullptr}));
}

// -- lifetime --

void leave_children(Session& guest) {
  const VkCommandPool pool = guest.create_command_pool();
  guest.allocate_command_buffer(pool);
  guest.create_image();
  guest.create_fence();
  guest.create_semaphore();
  const VkDeviceMemory memory = guest.allocate(4096);
  const VkBuffer buffer = guest.create_buffer(4096);
  const VkBindBufferMemoryInfo bind{VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_INFO, nullptr, buffer,
                                    memory, 0};
  guest.ring().send(BindBufferMemory2Args{guest.device, 1, &bind, VK_SUCCESS});
  VkDescriptorPoolCreateInfo info{VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO, nullptr, 0, 4};
  auto sets = guest.new_object<VkDescriptorPool>();
  guest.ring().send(CreateDescriptorPoolArgs{guest.device, &info, nullptr, &sets, VK_SUCCESS});
  const VkDescriptorSetLayoutCreateInfo layout_info{
      VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO};
  auto layout = guest.new_object<VkDescriptorSetLayout>();
  guest.ring().send(
      CreateDescriptorSetLayoutArgs{guest.device, &layout_info, nullptr, &layout, VK_SUCCESS});
  const VkDescriptorSetAllocateInfo allocate{VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                             nullptr, sets, 1, &layout};
  auto set = guest.new_object<VkDescriptorSet>();
  guest.ring().send(AllocateDescriptorSetsArgs{guest.device, &allocate, &set, VK_SUCCESS});
}

TEST_F(ContextTest, ADeviceTakesItsChildrenAlong) {
  Session guest;
  leave_children(guest);
  ASSERT_TRUE(guest.ring().run(DestroyDeviceArgs{guest.device, nullptr}));
  EXPECT_EQ(fake_driver::misuse(), "");
  // The instance and its physical device are left; ids of the device's children mean nothing any
  // more.
  EXPECT_EQ(fake_driver::live_objects(), objects_before_ + 2);
  guest.ring().send(DestroyFenceArgs{guest.device, VK_NULL_HANDLE, nullptr});
  EXPECT_EQ(guest.wait_for_poison().reason, PoisonReason::kUnknownObject);
}

TEST_F(ContextTest, AnInstanceTakesItsDevicesAlong) {
  Session guest;
  leave_children(guest);
  EXPECT_FALSE(guest.ring().call(DestroyInstanceArgs{guest.instance, nullptr}).failed);
  EXPECT_EQ(fake_driver::live_objects(), objects_before_);
}

TEST_F(ContextTest, AGuestMayStartAgain) {
  Session guest;
  EXPECT_FALSE(guest.ring().call(DestroyInstanceArgs{guest.instance, nullptr}).failed);
  const VkInstanceCreateInfo info{VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
  auto instance = guest.new_object<VkInstance>();
  const auto created = guest.ring().call(CreateInstanceArgs{&info, nullptr, &instance, VK_SUCCESS});
  EXPECT_EQ(created.args.ret, VK_SUCCESS);
  uint32_t count = 1;
  auto physical = guest.new_object<VkPhysicalDevice>();
  const auto enumerated =
      guest.ring().call(EnumeratePhysicalDevicesArgs{instance, &count, &physical, VK_SUCCESS});
  EXPECT_EQ(enumerated.args.pPhysicalDevices[0], physical);
}

// The socket may close at any moment.
TEST_F(ContextTest, EndsAtAnyPoint) {
  using Stage = Session::Stage;
  for (const Stage stage :
       {Stage::kNothing, Stage::kInstance, Stage::kPhysicalDevice, Stage::kDevice, Stage::kQueue}) {
    {
      Session guest(stage);
    }
    EXPECT_EQ(fake_driver::live_objects(), objects_before_) << static_cast<int>(stage);
  }
  for (int i = 0; i < 20; ++i) {
    {
      Session guest;
      leave_children(guest);  // most of it is still in the ring
      if (i % 2) guest.ring().wait(guest.ring().tail());
    }
    EXPECT_EQ(fake_driver::live_objects(), objects_before_) << i;
    EXPECT_EQ(fake_driver::misuse(), "");
  }
}

TEST_F(ContextTest, PoolsTakeTheirMembersAlong) {
  Session guest;
  const VkCommandPool pool = guest.create_command_pool();
  const VkCommandBuffer first = guest.allocate_command_buffer(pool),
                        second = guest.allocate_command_buffer(pool);
  const VkCommandBuffer freed[] = {VK_NULL_HANDLE, first};
  guest.ring().send(FreeCommandBuffersArgs{guest.device, pool, 2, freed});
  ASSERT_TRUE(guest.ring().run(DestroyCommandPoolArgs{guest.device, pool, nullptr}));
  guest.ring().send(CmdDrawArgs{second, 3, 1, 0, 0});
  EXPECT_EQ(guest.wait_for_poison().reason, PoisonReason::kUnknownObject);
}

// -- blobs --

TEST_F(ContextTest, MemoryOutlivesItsBlobAndTheOtherWayRound) {
  Session guest;
  const VkDeviceMemory memory = guest.allocate(4096);
  ASSERT_TRUE(guest.ring().wait(guest.ring().tail()));
  const auto blob = guest.create_blob(4096, std::bit_cast<uint64_t>(memory));
  guest.context().unref_resource(blob->id());
  EXPECT_EQ(fake_driver::calls("vkFreeMemory"), 0u);
  ASSERT_TRUE(guest.ring().run(FreeMemoryArgs{guest.device, memory, nullptr}));
  EXPECT_EQ(fake_driver::calls("vkFreeMemory"), 1u);
  blob->word(0).store(5);  // the guest may still hold its mapping
}

TEST_F(ContextTest, OddSizesAreMappable) {
  Guest guest(fake_host());
  for (const size_t size : {1u, 196u, 4097u, (128u << 10) + 196u}) {
    const auto blob = guest.create_blob(size);
    ASSERT_NE(blob, nullptr);
    blob->data()[size - 1] = std::byte{1};
  }
}

// -- fences of the transport --

TEST_F(ContextTest, TheCpuTimelineIsDoneAtOnce) {
  Guest guest(fake_host());
  bool done = false;
  EXPECT_TRUE(guest.context().submit_fence(0, [&] { done = true; }));
  EXPECT_TRUE(done);
}

TEST_F(ContextTest, AQueuesTimelineFollowsItsQueue) {
  Session guest;
  fake_driver::hold_queues(true);
  ASSERT_TRUE(
      guest.ring().run(QueueSubmitArgs{guest.queue, 0, nullptr, VK_NULL_HANDLE, VK_SUCCESS}));
  std::atomic<int> done{0};
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(guest.context().submit_fence(1, [&, i] { EXPECT_EQ(done.exchange(i + 1), i); }));
  EXPECT_EQ(done, 0);
  fake_driver::hold_queues(false);
  EXPECT_TRUE(wait_until([&] { return done == 3; }));
}

TEST_F(ContextTest, FencesAreCalledOnceWhenTheContextEnds) {
  std::atomic<int> done{0};
  {
    Session guest;
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(guest.context().submit_fence(1, [&] { ++done; }));
  }
  EXPECT_EQ(done, 100);
}

TEST_F(ContextTest, FencesAreCalledOnceWhenTheDeviceIsLost) {
  Session guest;
  fake_driver::fail("vkQueueSubmit", VK_ERROR_DEVICE_LOST);
  std::atomic<int> done{0};
  (void)guest.context().submit_fence(1, [&] { ++done; });
  EXPECT_TRUE(wait_until([&] { return done == 1; }));
}

// -- semaphores whose payload is imported as "already signalled" --

TEST_F(ContextTest, ImportedSemaphoresAreWaitedForOnce) {
  Session guest;
  const VkSemaphore semaphore = guest.create_semaphore();
  const VkImportSemaphoreResourceInfoMESA import{
      VK_STRUCTURE_TYPE_IMPORT_SEMAPHORE_RESOURCE_INFO_MESA, nullptr, semaphore, 0};
  const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
  VkSubmitInfo wait{VK_STRUCTURE_TYPE_SUBMIT_INFO};
  wait.waitSemaphoreCount = 1;
  wait.pWaitSemaphores = &semaphore;
  wait.pWaitDstStageMask = &stage;
  VkSubmitInfo signal{VK_STRUCTURE_TYPE_SUBMIT_INFO};
  signal.signalSemaphoreCount = 1;
  signal.pSignalSemaphores = &semaphore;
  for (int i = 0; i < 3; ++i) {
    guest.ring().send(ImportSemaphoreResourceMESAArgs{guest.device, &import});
    guest.ring().send(QueueSubmitArgs{guest.queue, 1, &wait, VK_NULL_HANDLE, VK_SUCCESS});
    // Its own payload is waited for as ever.
    guest.ring().send(QueueSubmitArgs{guest.queue, 1, &signal, VK_NULL_HANDLE, VK_SUCCESS});
    guest.ring().send(QueueSubmitArgs{guest.queue, 1, &wait, VK_NULL_HANDLE, VK_SUCCESS});
    guest.ring().send(QueueSubmitArgs{guest.queue, 1, &signal, VK_NULL_HANDLE, VK_SUCCESS});
    guest.ring().send(WaitSemaphoreResourceMESAArgs{guest.device, semaphore});
  }
  EXPECT_TRUE(guest.ring().wait(guest.ring().tail()));
}

TEST_F(ContextTest, ExportedFencesAreReset) {
  Session guest;
  const VkFence fence = guest.create_fence();
  guest.ring().send(QueueSubmitArgs{guest.queue, 0, nullptr, fence, VK_SUCCESS});
  guest.ring().send(ResetFenceResourceMESAArgs{guest.device, fence});
  EXPECT_EQ(guest.ring().call(GetFenceStatusArgs{guest.device, fence, VK_SUCCESS}).args.ret,
            VK_NOT_READY);
}

}  // namespace
}  // namespace pvgpu::venus
