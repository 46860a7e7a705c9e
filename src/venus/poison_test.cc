// Every reason for which a context is stopped, caused by what a guest can send. Each must be named
// in the log with its command, show FATAL on the guest's rings, and leave all other contexts alone.
#include "venus/poison.h"

#include <gmock/gmock.h>

#include <functional>
#include <map>

#include "venus/testing/session.h"

namespace pvgpu::venus {
namespace {

using namespace testing;
using namespace protocol;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Cause {
  const char* name;
  PoisonReason reason;
  const char* detail;  // how the detail begins
  std::function<void(Session&)> act;
};

// What a test's name shows of its parameter.
void PrintTo(const Cause& cause, std::ostream* out) { *out << cause.name; }

Bytes with_word(Bytes bytes, size_t offset, uint32_t value) {
  std::memcpy(bytes.data() + offset, &value, 4);
  return bytes;
}

Bytes create_instance_bytes(uint64_t instance_id) {
  const VkInstanceCreateInfo info{VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
  auto instance = id<VkInstance>(instance_id);
  return request_bytes(CreateInstanceArgs{&info, nullptr, &instance, VK_SUCCESS});
}

VkCommandBuffer command_buffer(Session& s) {
  return s.allocate_command_buffer(s.create_command_pool());
}

VkCommandStreamDescriptionMESA stream(uint32_t resource, size_t offset, size_t size) {
  return {resource, offset, size};
}

void submit_ring(Session& s, uint64_t ring, std::function<void(VkRingCreateInfoMESA&)> change) {
  const auto blob = s.create_blob(192 + 4096 + 4);
  VkRingCreateInfoMESA info = ring_info(blob->id(), {.buffer_size = 4096});
  change(info);
  (void)s.submit(CreateRingMESAArgs{ring, &info});
}

// In one piece: the session's device is destroyed, then `device` is used.
Bytes after_destroying_device(Session& s, VkDevice device) {
  s.ring().wait(s.ring().tail());
  Bytes bytes = request_bytes(DestroyDeviceArgs{s.device, nullptr});
  append(bytes, request_bytes(DeviceWaitIdleArgs{device, VK_SUCCESS}));
  return bytes;
}

const std::vector<Cause>& causes() {
  static const std::vector<Cause> list = {
      {"HeaderEndsEarly", PoisonReason::kTruncated, "a command header ends early",
       [](Session& s) { s.ring().write(from_hex("6a000000")); }},
      {"ArgumentsEndEarly", PoisonReason::kTruncated, "vkCreateInstance: ",
       [](Session& s) {
         Bytes bytes = create_instance_bytes(90);
         bytes.resize(40);
         s.ring().write(bytes);
       }},
      {"ContextStreamEndsEarly", PoisonReason::kTruncated, "vkNotifyRingMESA: ",
       [](Session& s) { (void)s.submit(from_hex("be000000 00000000 | 0000")); }},
      {"Count", PoisonReason::kBadCount, "vkCreateInstance: ",
       [](Session& s) { s.ring().write(with_word(create_instance_bytes(90), 44, 5)); }},
      {"Presence", PoisonReason::kBadPresence, "vkCreateInstance: ",
       [](Session& s) { s.ring().write(with_word(create_instance_bytes(90), 8, 0)); }},
      {"UnknownCommand", PoisonReason::kUnknownCommand, "command number 9999",
       [](Session& s) { s.ring().write(from_hex("0f270000 00000000")); }},
      {"CommandNumberOfAllOnes", PoisonReason::kUnknownCommand, "command number 4294967295",
       [](Session& s) { s.ring().write(from_hex("ffffffff ffffffff")); }},
      {"CommandThatNeverTravels", PoisonReason::kForbiddenCommand, "vkGetDeviceProcAddr ",
       [](Session& s) {
         uint32_t number = 0;
         while (std::string_view(command_name(number) ? command_name(number) : "") !=
                "vkGetDeviceProcAddr")
           ++number;
         s.ring().write(with_word(Bytes(8), 0, number));
       }},
      {"RingCommandOnARing", PoisonReason::kForbiddenCommand, "vkNotifyRingMESA: ",
       [](Session& s) { s.ring().send(NotifyRingMESAArgs{Session::kRing, 0, 0}); }},
      {"RingCreatedOnARing", PoisonReason::kForbiddenCommand, "vkCreateRingMESA: ",
       [](Session& s) {
         const auto blob = s.create_blob(8192);
         const VkRingCreateInfoMESA info = ring_info(blob->id(), {.buffer_size = 4096});
         s.ring().send(CreateRingMESAArgs{7, &info});
       }},
      {"RingWaitOnTheContextStream", PoisonReason::kForbiddenCommand, "vkWaitVirtqueueSeqnoMESA: ",
       [](Session& s) { (void)s.submit(WaitVirtqueueSeqnoMESAArgs{1}); }},
      {"ExtensionNotEnabled", PoisonReason::kUnavailableCommand, "vkCmdDrawMultiEXT: ",
       [](Session& s) {
         const VkMultiDrawInfoEXT draw{0, 3};
         s.ring().send(CmdDrawMultiEXTArgs{command_buffer(s), 1, &draw, 1, 0, 8});
       }},
      {"PlainCommandOfAnExtensionNotEnabled", PoisonReason::kUnavailableCommand,
       "vkCmdBeginTransformFeedbackEXT: ",
       [](Session& s) {
         s.ring().send(CmdBeginTransformFeedbackEXTArgs{command_buffer(s), 0, 0, nullptr, nullptr});
       }},
      {"StructureThatExtendsAnother", PoisonReason::kUnknownStruct, "vkCreateInstance: ",
       [](Session& s) {
         s.ring().write(
             from_hex("00000000 00000000 | 01000000 00000000 | 01000000 | 01000000 00000000 "
                      "42e39b3b 00000000 00000000"));
       }},
      {"StructureType", PoisonReason::kBadStructType, "vkCreateInstance: ",
       [](Session& s) { s.ring().write(with_word(create_instance_bytes(90), 16, 77)); }},
      {"UnionTag", PoisonReason::kBadUnionTag, "vkCmdClearColorImage: ",
       [](Session& s) {
         const VkClearColorValue color{};
         s.ring().write(with_word(
             request_bytes(CmdClearColorImageArgs{command_buffer(s), s.create_image(),
                                                  VK_IMAGE_LAYOUT_GENERAL, &color, 0, nullptr}),
             36, 3));
       }},
      {"ChainTooLong", PoisonReason::kNestingTooDeep, "vkAllocateMemory: ",
       [](Session& s) {
         std::vector<VkExportMemoryAllocateInfo> chain(
             300, {VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO});
         for (size_t i = 1; i < chain.size(); ++i) chain[i - 1].pNext = &chain[i];
         const VkMemoryAllocateInfo info{VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, chain.data(), 4096,
                                         1};
         auto memory = s.new_object<VkDeviceMemory>();
         s.ring().send(AllocateMemoryArgs{s.device, &info, nullptr, &memory, VK_SUCCESS});
       }},
      {"StreamsInStreams", PoisonReason::kNestingTooDeep, "vkExecuteCommandStreamsMESA: ",
       [](Session& s) {
         const auto blob = s.create_blob(4096);
         const auto outer = stream(blob->id(), 0, 256);
         const Bytes inner =
             request_bytes(ExecuteCommandStreamsMESAArgs{1, &outer, nullptr, 0, nullptr, 0});
         std::memcpy(blob->data(), inner.data(), inner.size());
         const auto itself = stream(blob->id(), 0, inner.size());
         s.ring().send(ExecuteCommandStreamsMESAArgs{1, &itself, nullptr, 0, nullptr, 0});
         s.wait_for_poison();
       }},
      {"UnknownObject", PoisonReason::kUnknownObject, "vkDestroyFence: object 4711 ",
       [](Session& s) { s.ring().send(DestroyFenceArgs{s.device, id<VkFence>(4711), nullptr}); }},
      {"UnknownDispatchableObject", PoisonReason::kUnknownObject, "vkCmdDraw: object 4711 ",
       [](Session& s) { s.ring().send(CmdDrawArgs{id<VkCommandBuffer>(4711), 1, 1, 0, 0}); }},
      {"HugeObjectId", PoisonReason::kUnknownObject, "vkCmdDraw: ",
       [](Session& s) {
         s.ring().send(CmdDrawArgs{id<VkCommandBuffer>(~uint64_t{0}), 1, 1, 0, 0});
       }},
      {"DestroyedObject", PoisonReason::kUnknownObject, "vkResetFences: ",
       [](Session& s) {
         const VkFence fence = s.create_fence();
         s.ring().send(DestroyFenceArgs{s.device, fence, nullptr});
         s.ring().send(ResetFencesArgs{s.device, 1, &fence, VK_SUCCESS});
       }},
      // The decoder remembers what the command before was dispatched on, and its slot is free now.
      {"DispatchOnWhatTheCommandBeforeDestroyed", PoisonReason::kUnknownObject,
       "vkDeviceWaitIdle: object ",
       [](Session& s) { (void)s.submit(after_destroying_device(s, s.device)); }},
      {"NullDispatchAfterADestroy", PoisonReason::kNullObject, "vkDeviceWaitIdle: ",
       [](Session& s) { (void)s.submit(after_destroying_device(s, VK_NULL_HANDLE)); }},
      {"ObjectOfAnotherType", PoisonReason::kWrongObjectType, "vkResetFences: ",
       [](Session& s) {
         const auto fence = std::bit_cast<VkFence>(s.create_semaphore());
         s.ring().send(ResetFencesArgs{s.device, 1, &fence, VK_SUCCESS});
       }},
      {"DispatchOnAnotherType", PoisonReason::kWrongObjectType, "vkCmdDraw: ",
       [](Session& s) {
         s.ring().send(CmdDrawArgs{std::bit_cast<VkCommandBuffer>(s.queue), 1, 1, 0, 0});
       }},
      {"ObjectOfAnotherDevice", PoisonReason::kWrongObjectType, "vkResetFences: ",
       [](Session& s) {
         const VkFence fence = s.create_fence();
         s.ring().send(ResetFencesArgs{s.create_device(), 1, &fence, VK_SUCCESS});
       }},
      {"MemberOfAnotherPool", PoisonReason::kWrongObjectType, "vkFreeCommandBuffers: ",
       [](Session& s) {
         const VkCommandBuffer commands = command_buffer(s);
         s.ring().send(FreeCommandBuffersArgs{s.device, s.create_command_pool(), 1, &commands});
       }},
      {"NullDispatch", PoisonReason::kNullObject,
       "vkCmdDraw: ", [](Session& s) { s.ring().send(CmdDrawArgs{VK_NULL_HANDLE, 1, 1, 0, 0}); }},
      {"NullElement", PoisonReason::kNullObject, "vkResetFences: ",
       [](Session& s) {
         const VkFence fence = VK_NULL_HANDLE;
         s.ring().send(ResetFencesArgs{s.device, 1, &fence, VK_SUCCESS});
       }},
      {"NullPool", PoisonReason::kNullObject,
       "vkAllocateCommandBuffers: ", [](Session& s) { s.allocate_command_buffer(VK_NULL_HANDLE); }},
      {"IdInUse", PoisonReason::kDuplicateObject, "vkCreateFence: object ",
       [](Session& s) {
         const VkFenceCreateInfo info{VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
         auto fence = std::bit_cast<VkFence>(s.create_semaphore());
         s.ring().send(CreateFenceArgs{s.device, &info, nullptr, &fence, VK_SUCCESS});
       }},
      {"SecondInstance", PoisonReason::kDuplicateObject,
       "vkCreateInstance: ", [](Session& s) { s.ring().write(create_instance_bytes(s.new_id())); }},
      {"PhysicalDeviceWithTwoIds", PoisonReason::kDuplicateObject, "vkEnumeratePhysicalDevices: ",
       [](Session& s) {
         uint32_t count = 1;
         auto other = s.new_object<VkPhysicalDevice>();
         s.ring().send(EnumeratePhysicalDevicesArgs{s.instance, &count, &other, VK_SUCCESS});
       }},
      {"IdZero", PoisonReason::kBadObjectId, "vkCreateFence: ",
       [](Session& s) {
         const VkFenceCreateInfo info{VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
         VkFence fence = VK_NULL_HANDLE;
         s.ring().send(CreateFenceArgs{s.device, &info, nullptr, &fence, VK_SUCCESS});
       }},
      {"IdBeyondTheTable", PoisonReason::kBadObjectId, "vkCreateFence: ",
       [](Session& s) {
         const VkFenceCreateInfo info{VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
         auto fence = id<VkFence>(uint64_t{1} << 60);
         s.ring().send(CreateFenceArgs{s.device, &info, nullptr, &fence, VK_SUCCESS});
       }},
      {"ReplyToAnUnknownResource", PoisonReason::kUnknownResource, "vkSetReplyCommandStreamMESA: ",
       [](Session& s) {
         const auto slot = stream(777, 0, 64);
         s.ring().send(SetReplyCommandStreamMESAArgs{&slot});
       }},
      {"RingInAnUnknownResource", PoisonReason::kUnknownResource, "vkCreateRingMESA: ",
       [](Session& s) { submit_ring(s, 7, [](auto& info) { info.resourceId = 777; }); }},
      {"StreamInAnUnknownResource", PoisonReason::kUnknownResource, "vkExecuteCommandStreamsMESA: ",
       [](Session& s) {
         const auto none = stream(777, 0, 64);
         s.ring().send(ExecuteCommandStreamsMESAArgs{1, &none, nullptr, 0, nullptr, 0});
       }},
      {"ImportOfAnUnknownResource", PoisonReason::kUnknownResource, "vkAllocateMemory: ",
       [](Session& s) {
         const VkImportMemoryResourceInfoMESA import{
             VK_STRUCTURE_TYPE_IMPORT_MEMORY_RESOURCE_INFO_MESA, nullptr, 777};
         const VkMemoryAllocateInfo info{VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, &import, 4096, 1};
         auto memory = s.new_object<VkDeviceMemory>();
         s.ring().send(AllocateMemoryArgs{s.device, &info, nullptr, &memory, VK_SUCCESS});
       }},
      {"ResourceIdInUse", PoisonReason::kDuplicateResource, "blob 1",
       [](Session& s) {
         EXPECT_FALSE(
             s.context().create_blob(1, {.flags = kBlobMappable, .blob_id = 0, .size = 4096}));
       }},
      {"ReplyBeyondItsResource", PoisonReason::kBadRange, "vkSetReplyCommandStreamMESA: ",
       [](Session& s) {
         const auto slot = stream(s.ring().replies().id(), (1 << 20) - 32, 64);
         s.ring().send(SetReplyCommandStreamMESAArgs{&slot});
       }},
      {"ReplyWhoseEndOverflows", PoisonReason::kBadRange, "vkSetReplyCommandStreamMESA: ",
       [](Session& s) {
         const auto slot = stream(s.ring().replies().id(), 64, ~size_t{0} - 32);
         s.ring().send(SetReplyCommandStreamMESAArgs{&slot});
       }},
      {"ReplyPositionOutside", PoisonReason::kBadRange, "vkSeekReplyCommandStreamMESA: ",
       [](Session& s) {
         const auto slot = s.ring().reply_slot(64);
         s.ring().send(SetReplyCommandStreamMESAArgs{&slot});
         s.ring().send(SeekReplyCommandStreamMESAArgs{68});
       }},
      {"RingBeyondItsResource", PoisonReason::kBadRange, "vkCreateRingMESA: ",
       [](Session& s) { submit_ring(s, 7, [](auto& info) { info.offset = 1 << 20; }); }},
      {"ExtraWordOutside", PoisonReason::kBadRange, "vkWriteRingExtraMESA: ",
       [](Session& s) { (void)s.submit(WriteRingExtraMESAArgs{Session::kRing, 4, 1}); }},
      {"UnknownMemoryType", PoisonReason::kBadRange,
       "vkAllocateMemory: ", [](Session& s) { s.allocate(4096, 31); }},
      {"BlobLargerThanItsMemory", PoisonReason::kBadRange, "blob ",
       [](Session& s) {
         const auto memory = std::bit_cast<uint64_t>(s.allocate(4096));
         s.ring().wait(s.ring().tail());
         EXPECT_FALSE(s.context().create_blob(
             s.next_resource_id(), {.flags = kBlobMappable, .blob_id = memory, .size = 1 << 20}));
       }},
      {"UnknownRing", PoisonReason::kBadRing,
       "vkNotifyRingMESA: ", [](Session& s) { (void)s.submit(NotifyRingMESAArgs{0xdead, 0, 0}); }},
      {"RingTwice", PoisonReason::kBadRing,
       "vkCreateRingMESA: ", [](Session& s) { submit_ring(s, Session::kRing, [](auto&) {}); }},
      {"BufferSizeNoPowerOfTwo", PoisonReason::kBadRing, "vkCreateRingMESA: ",
       [](Session& s) { submit_ring(s, 7, [](auto& info) { info.bufferSize = 4000; }); }},
      {"BufferBeyondTheRing", PoisonReason::kBadRing, "vkCreateRingMESA: ",
       [](Session& s) { submit_ring(s, 7, [](auto& info) { info.bufferOffset = 4096; }); }},
      {"BufferWhoseEndOverflows", PoisonReason::kBadRing, "vkCreateRingMESA: ",
       [](Session& s) {
         submit_ring(s, 7, [](auto& info) { info.bufferOffset = ~size_t{0} - 3; });
       }},
      {"WordsThatOverlap", PoisonReason::kBadRing, "vkCreateRingMESA: ",
       [](Session& s) {
         submit_ring(s, 7, [](auto& info) { info.tailOffset = info.headOffset; });
       }},
      {"MisalignedWord", PoisonReason::kBadRing, "vkCreateRingMESA: ",
       [](Session& s) { submit_ring(s, 7, [](auto& info) { info.headOffset = 2; }); }},
      {"TailBeyondTheBuffer", PoisonReason::kBadRing, "tail ",
       [](Session& s) { s.ring().blob()->word(64).store(s.ring().tail() + (1 << 20)); }},
      {"NoReplyStream", PoisonReason::kNoReplyStream, "vkEnumerateInstanceVersion: ",
       [](Session& s) {
         GuestRing second(s, 7);
         uint32_t version = 0;
         second.write(request_bytes(EnumerateInstanceVersionArgs{&version, VK_SUCCESS}, 1));
         s.wait_for_poison();
       }},
      {"SeekWithoutAReplyStream", PoisonReason::kNoReplyStream, "vkSeekReplyCommandStreamMESA: ",
       [](Session& s) { (void)s.submit(SeekReplyCommandStreamMESAArgs{0}); }},
      {"ReplyLargerThanItsSlot", PoisonReason::kReplyOverflow, "vkEnumerateInstanceVersion: ",
       [](Session& s) {
         const auto slot = s.ring().reply_slot(16);
         uint32_t version = 0;
         s.ring().send(SetReplyCommandStreamMESAArgs{&slot});
         s.ring().write(request_bytes(EnumerateInstanceVersionArgs{&version, VK_SUCCESS}, 1));
       }},
      {"SeqnoThatNeverComes", PoisonReason::kBadSeqno, "vkWaitRingSeqnoMESA: ",
       [](Session& s) {
         (void)s.submit(WaitRingSeqnoMESAArgs{Session::kRing, s.ring().tail() + 4});
       }},
      {"TimelineOutOfRange", PoisonReason::kBadTimeline, "vkGetDeviceQueue2: ",
       [](Session& s) {
         const VkDeviceQueueTimelineInfoMESA timeline{
             VK_STRUCTURE_TYPE_DEVICE_QUEUE_TIMELINE_INFO_MESA, nullptr, 64};
         const VkDeviceQueueInfo2 info{VK_STRUCTURE_TYPE_DEVICE_QUEUE_INFO_2, &timeline, 0, 0, 1};
         auto queue = s.new_object<VkQueue>();
         s.ring().send(GetDeviceQueue2Args{s.device, &info, &queue});
       }},
      {"TimelineBoundTwice", PoisonReason::kBadTimeline, "vkGetDeviceQueue2: ",
       [](Session& s) {
         const VkDeviceQueueTimelineInfoMESA timeline{
             VK_STRUCTURE_TYPE_DEVICE_QUEUE_TIMELINE_INFO_MESA, nullptr, 1};
         const VkDeviceQueueInfo2 info{VK_STRUCTURE_TYPE_DEVICE_QUEUE_INFO_2, &timeline, 0, 0, 1};
         auto queue = s.new_object<VkQueue>();
         s.ring().send(GetDeviceQueue2Args{s.device, &info, &queue});
       }},
      {"FenceOnAnUnboundTimeline", PoisonReason::kBadTimeline, "fence on timeline 9",
       [](Session& s) {
         bool done = false;
         EXPECT_FALSE(s.context().submit_fence(9, [&] { done = true; }));
         EXPECT_TRUE(done);
       }},
      {"OutputTooLarge", PoisonReason::kLimitExceeded, "vkGetQueryPoolResults: ",
       [](Session& s) {
         const VkQueryPoolCreateInfo info{VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO};
         auto pool = s.new_object<VkQueryPool>();
         s.ring().send(CreateQueryPoolArgs{s.device, &info, nullptr, &pool, VK_SUCCESS});
         uint8_t data = 0;
         GetQueryPoolResultsArgs args{s.device, pool, 0, 1,         size_t{1} << 40,
                                      &data,    8,    0, VK_SUCCESS};
         s.ring().send(args);
       }},
      {"StreamTooLarge", PoisonReason::kLimitExceeded, "vkExecuteCommandStreamsMESA: ",
       [](Session& s) {
         const auto blob =
             s.create_blob(size_t{300} << 20);  // never touched, so it takes no memory
         const auto all = stream(blob->id(), 0, size_t{300} << 20);
         s.ring().send(ExecuteCommandStreamsMESAArgs{1, &all, nullptr, 0, nullptr, 0});
         s.wait_for_poison();
       }},
      {"BlobTooLarge", PoisonReason::kBadRange, "blob ",
       [](Session& s) {
         EXPECT_FALSE(s.context().create_blob(
             s.next_resource_id(),
             {.flags = kBlobMappable, .blob_id = 0, .size = uint64_t{1} << 50}));
       }},
      {"ObjectThatTheDriverFailedToCreate", PoisonReason::kHostFailure, "vkResetFences: ",
       [](Session& s) {
         fake_driver::fail("vkCreateFence", VK_ERROR_OUT_OF_HOST_MEMORY, 1);
         const VkFence fence = s.create_fence();
         s.ring().send(ResetFencesArgs{s.device, 1, &fence, VK_SUCCESS});
       }},
      {"PoolThatTheDriverFailedToCreate", PoisonReason::kHostFailure, "vkAllocateCommandBuffers: ",
       [](Session& s) {
         fake_driver::fail("vkCreateCommandPool", VK_ERROR_OUT_OF_HOST_MEMORY, 1);
         s.allocate_command_buffer(s.create_command_pool());
       }},
      {"ResetOfAPoolThatTheDriverFailedToCreate", PoisonReason::kHostFailure,
       "vkResetDescriptorPool: ",
       [](Session& s) {
         fake_driver::fail("vkCreateDescriptorPool", VK_ERROR_OUT_OF_HOST_MEMORY, 1);
         const VkDescriptorPoolCreateInfo info{VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                               nullptr, 0, 1};
         auto pool = s.new_object<VkDescriptorPool>();
         s.ring().send(CreateDescriptorPoolArgs{s.device, &info, nullptr, &pool, VK_SUCCESS});
         s.ring().send(ResetDescriptorPoolArgs{s.device, pool, 0, VK_SUCCESS});
       }},
      {"LostDevice", PoisonReason::kDeviceLost, "vkQueueSubmit: ",
       [](Session& s) {
         fake_driver::fail("vkQueueSubmit", VK_ERROR_DEVICE_LOST);
         s.ring().send(QueueSubmitArgs{s.queue, 0, nullptr, VK_NULL_HANDLE, VK_SUCCESS});
       }},
      {"DeviceLostWhileWaiting", PoisonReason::kDeviceLost, "vkWaitForFences: ",
       [](Session& s) {
         const VkFence fence = s.create_fence();
         fake_driver::fail("vkWaitForFences", VK_ERROR_DEVICE_LOST);
         s.ring().send(WaitForFencesArgs{s.device, 1, &fence, VK_TRUE, ~uint64_t{0}, VK_SUCCESS});
       }},
  };
  return list;
}

class PoisonedContext : public OnFakeDriver, public ::testing::WithParamInterface<Cause> {};

TEST_P(PoisonedContext, SaysWhyAndLeavesOthersAlone) {
  Session bystander(Session::Stage::kInstance);
  ::testing::internal::CaptureStderr();
  Session guest;
  EXPECT_FALSE(guest.context().poisoned());
  GetParam().act(guest);
  const Poison poison = guest.wait_for_poison();
  EXPECT_EQ(poison_name(poison.reason), poison_name(GetParam().reason)) << poison.detail;
  EXPECT_THAT(poison.detail, StartsWith(GetParam().detail));
  EXPECT_TRUE(wait_until([&] { return guest.ring().status() & GuestRing::kFatal; }));
  const auto refused = guest.submit(NotifyRingMESAArgs{Session::kRing, 0, 0});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().detail, poison.detail);
  EXPECT_FALSE(
      guest.context().create_blob(4000, {.flags = kBlobMappable, .blob_id = 0, .size = 4096}));

  fake_driver::fail("vkWaitForFences", VK_SUCCESS);  // what failed may work again for others
  uint32_t version = 0;
  const auto reply = bystander.ring().call(EnumerateInstanceVersionArgs{&version, VK_SUCCESS});
  EXPECT_FALSE(reply.failed);
  EXPECT_FALSE(bystander.context().poisoned());

  guest.close();
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr(std::string("context poisoned: ") +
                             std::string(poison_name(poison.reason)) + ": " + poison.detail));
}

INSTANTIATE_TEST_SUITE_P(Causes, PoisonedContext, ::testing::ValuesIn(causes()),
                         [](const auto& param) { return param.param.name; });

TEST(PoisonReasons, AllHaveANameAndACause) {
  std::map<PoisonReason, int> caused;
  for (const Cause& cause : causes()) ++caused[cause.reason];
  std::map<std::string_view, int> names;
  for (int i = 0; i <= static_cast<int>(PoisonReason::kDeviceLost); ++i) {
    const auto reason = static_cast<PoisonReason>(i);
    EXPECT_NE(poison_name(reason), "unnamed");
    EXPECT_EQ(++names[poison_name(reason)], 1) << poison_name(reason);
    // The transport's own, caused in src/frontends.
    if (reason != PoisonReason::kBadMessage) {
      EXPECT_GT(caused[reason], 0) << poison_name(reason);
    }
  }
}

}  // namespace
}  // namespace pvgpu::venus
