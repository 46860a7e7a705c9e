// The device as a guest kernel drives it: probe, contexts, submissions, fences, reset, and drivers that do it wrong.
#include "virtio_gpu/device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "virtio_gpu/testing/driver.h"

namespace pvgpu::virtio_gpu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::FakeMemory;
using testing::FakeRenderer;
using testing::kNext;
using testing::kWrite;
using testing::Machine;

class DeviceTest : public ::testing::Test {
 protected:
  DeviceTest() { machine_.probe(); }

  Machine::Sent submit(uint32_t ctx, std::vector<std::byte> commands, Header header = {}) {
    const auto size = static_cast<uint32_t>(commands.size());
    return machine_.send(
        Machine::request(Command::kSubmit3d, Submit3d{size, 0}, ctx, header, std::move(commands)));
  }
  static Header fence(uint64_t id, uint8_t ring) {
    Header header{};
    header.flags = kFlagFence | kFlagRingIdx;
    header.fence_id = id;
    header.ring_idx = ring;
    return header;
  }

  Machine machine_;
};

TEST_F(DeviceTest, OffersWhatMesaRequires) {
  // Protocol reference, section 9.1.
  const uint64_t required = kFeatureVirgl | kFeatureResourceBlob | kFeatureContextInit | kFeatureVersion1;
  EXPECT_EQ(machine_.device->offered_features() & required, required);
}

TEST_F(DeviceTest, ConfigSpace) {
  std::array<std::byte, 32> bytes;
  bytes.fill(std::byte{0xff});
  machine_.device->read_config(0, bytes);
  Config config;
  std::memcpy(&config, bytes.data(), sizeof config);
  EXPECT_EQ(config.num_capsets, 1u);
  EXPECT_EQ(bytes[31], std::byte{0});
  machine_.device->read_config(UINT32_MAX, bytes);
  machine_.device->read_config(0, std::span<std::byte>());
  machine_.device->write_config(0, bytes);
  machine_.device->write_config(UINT32_MAX, bytes);
}

TEST_F(DeviceTest, Capset) {
  auto answer = machine_.answer_to(machine_.send(Machine::request(Command::kGetCapsetInfo, GetCapsetInfo{})));
  ASSERT_EQ(Machine::type_of(answer), Response::kOkCapsetInfo);
  const auto info = Machine::body_of<CapsetInfo>(*answer);
  EXPECT_EQ(info.capset_id, 4u);
  EXPECT_EQ(info.capset_max_size, 160u);
  answer = machine_.answer_to(machine_.send(Machine::request(Command::kGetCapset, GetCapset{4, 0})));
  ASSERT_EQ(Machine::type_of(answer), Response::kOkCapset);
  EXPECT_EQ(answer->size(), sizeof(Header) + 160);
  EXPECT_EQ((*answer)[sizeof(Header) + 159], std::byte{159});

  EXPECT_EQ(machine_.call(Command::kGetCapsetInfo, GetCapsetInfo{1, 0}), Response::kErrInvalidParameter);
  EXPECT_EQ(machine_.call(Command::kGetCapset, GetCapset{1, 0}), Response::kErrInvalidParameter);
}

TEST_F(DeviceTest, ContextsComeAndGo) {
  machine_.create_context(7);
  ASSERT_EQ(machine_.renderers.size(), 1u);
  EXPECT_EQ(machine_.renderers[0]->name, "cube");
  EXPECT_EQ(machine_.call(Command::kCtxCreate, CtxCreate{.context_init = 4}, 7), Response::kErrInvalidContextId);
  EXPECT_EQ(machine_.call(Command::kCtxCreate, CtxCreate{.context_init = 4}, 0), Response::kErrInvalidContextId);
  EXPECT_EQ(machine_.call(Command::kCtxDestroy, 0, 7), Response::kOkNoData);
  EXPECT_TRUE(machine_.renderers.empty());
  EXPECT_EQ(machine_.call(Command::kCtxDestroy, 0, 7), Response::kErrInvalidContextId);
}

TEST_F(DeviceTest, ContextNamesMayLie) {
  CtxCreate body{.nlen = UINT32_MAX, .context_init = 4};
  std::memset(body.debug_name, 'x', sizeof body.debug_name);
  EXPECT_EQ(machine_.call(Command::kCtxCreate, body, 1), Response::kOkNoData);
  EXPECT_EQ(machine_.renderers[0]->name, std::string(64, 'x'));
  EXPECT_EQ(machine_.call(Command::kCtxCreate, CtxCreate{.context_init = 4}, 2), Response::kOkNoData);
  EXPECT_EQ(machine_.renderers[1]->name, "context 2");
}

TEST_F(DeviceTest, OnlyVenusContexts) {
  EXPECT_EQ(machine_.call(Command::kCtxCreate, CtxCreate{.context_init = 2}, 1), Response::kErrInvalidParameter);
  EXPECT_TRUE(machine_.renderers.empty());
}

TEST_F(DeviceTest, ContextsForNothingExecuteNothing) {
  EXPECT_EQ(machine_.call(Command::kCtxCreate, CtxCreate{.context_init = 0}, 1), Response::kOkNoData);
  EXPECT_TRUE(machine_.renderers.empty());
  EXPECT_EQ(machine_.call(Command::kResourceCreate2d, ResourceCreate2d{5, 2, 8, 8}), Response::kOkNoData);
  EXPECT_EQ(machine_.call(Command::kCtxAttachResource, ResourceId{5, 0}, 1), Response::kOkNoData);
  EXPECT_EQ(machine_.call(Command::kCtxDetachResource, ResourceId{5, 0}, 1), Response::kOkNoData);
  EXPECT_EQ(Machine::type_of(machine_.answer_to(submit(1, {}))), Response::kErrInvalidContextId);
  EXPECT_EQ(machine_.create_blob(6, 1), Response::kErrInvalidContextId);
  machine_.create_context(2);
  EXPECT_EQ(machine_.create_blob(6, 2), Response::kOkNoData);
  EXPECT_EQ(machine_.call(Command::kCtxAttachResource, ResourceId{6, 0}, 1), Response::kOkNoData);
  EXPECT_EQ(machine_.call(Command::kResourceUnref, ResourceId{6, 0}), Response::kOkNoData);
  EXPECT_EQ(machine_.call(Command::kCtxDestroy, 0, 1), Response::kOkNoData);
}

TEST_F(DeviceTest, AContextThatCannotBeServed) {
  machine_.refuse_contexts = true;
  EXPECT_EQ(machine_.call(Command::kCtxCreate, CtxCreate{.context_init = 4}, 1), Response::kErrOutOfMemory);
  EXPECT_EQ(machine_.call(Command::kCtxDestroy, 0, 1), Response::kErrInvalidContextId);
}

TEST_F(DeviceTest, SubmissionsReachTheirContext) {
  machine_.create_context(1);
  machine_.create_context(2);
  const std::vector<std::byte> commands(12, std::byte{0x5a});
  EXPECT_EQ(Machine::type_of(machine_.answer_to(submit(2, commands))), Response::kOkNoData);
  EXPECT_TRUE(machine_.renderers[0]->submissions.empty());
  EXPECT_THAT(machine_.renderers[1]->submissions, ElementsAre(commands));
  EXPECT_EQ(Machine::type_of(machine_.answer_to(submit(3, commands))), Response::kErrInvalidContextId);
}

TEST_F(DeviceTest, ASubmissionThatClaimsMoreThanItHas) {
  machine_.create_context(1);
  EXPECT_EQ(machine_.call(Command::kSubmit3d, Submit3d{100, 0}, 1, std::vector<std::byte>(99)),
            Response::kErrInvalidParameter);
  EXPECT_EQ(machine_.call(Command::kSubmit3d, Submit3d{UINT32_MAX, 0}, 1), Response::kErrOutOfMemory);
  EXPECT_TRUE(machine_.renderers[0]->submissions.empty());
}

TEST_F(DeviceTest, AnswersFencesWhenTheyAreSignalled) {
  machine_.create_context(1);
  FakeRenderer& renderer = *machine_.renderers[0];
  const auto first = submit(1, {}, fence(10, 1)), second = submit(1, {}, fence(11, 1)), other = submit(1, {}, fence(12, 2));
  EXPECT_FALSE(machine_.answer_to(first));
  // Out of order on one timeline: the later answer waits. Other timelines do not.
  renderer.fences[1][1]();
  EXPECT_FALSE(machine_.answer_to(second));
  renderer.fences[2][0]();
  EXPECT_TRUE(machine_.answer_to(other));
  renderer.fences[1][0]();
  const auto answer = machine_.answer_to(first);
  ASSERT_TRUE(answer);
  EXPECT_TRUE(machine_.answer_to(second));
  Header header;
  std::memcpy(&header, answer->data(), sizeof header);
  EXPECT_EQ(header.type, static_cast<uint32_t>(Response::kOkNoData));
  EXPECT_EQ(header.flags, kFlagFence | kFlagRingIdx);
  EXPECT_EQ(header.fence_id, 10u);
  EXPECT_EQ(header.ctx_id, 1u);
  EXPECT_EQ(header.ring_idx, 1);
}

TEST_F(DeviceTest, UnfencedCommandsOvertakeFences) {
  machine_.create_context(1);
  const auto fenced = submit(1, {}, fence(1, 1));
  EXPECT_TRUE(machine_.answer_to(submit(1, std::vector<std::byte>(4))));
  EXPECT_FALSE(machine_.answer_to(fenced));
  machine_.renderers[0]->fences[1][0]();
  EXPECT_TRUE(machine_.answer_to(fenced));
}

TEST_F(DeviceTest, AnswersWhatWaitsWhenItsContextGoes) {
  machine_.create_context(1);
  machine_.renderers[0]->later = true;
  const auto first = submit(1, {}, fence(1, 1)), second = submit(1, {}, fence(2, 1)), unfenced = submit(1, {});
  EXPECT_FALSE(machine_.answer_to(unfenced));
  EXPECT_EQ(machine_.call(Command::kCtxDestroy, 0, 1), Response::kOkNoData);
  // No failures: a program's last submission is often still on its way when it ends.
  EXPECT_EQ(Machine::type_of(machine_.answer_to(first)), Response::kOkNoData);
  EXPECT_EQ(Machine::type_of(machine_.answer_to(second)), Response::kOkNoData);
  EXPECT_EQ(Machine::type_of(machine_.answer_to(unfenced)), Response::kOkNoData);
}

TEST_F(DeviceTest, APoisonedContextAnswersErrorsAndSignalsFences) {
  machine_.create_context(1);
  machine_.renderers[0]->poisoned = true;
  EXPECT_EQ(Machine::type_of(machine_.answer_to(submit(1, std::vector<std::byte>(4)))), Response::kErrUnspec);
  EXPECT_EQ(Machine::type_of(machine_.answer_to(submit(1, {}, fence(5, 3)))), Response::kErrUnspec);
}

TEST_F(DeviceTest, UnknownCommandsAreRefused) {
  for (const uint32_t type : {0u, 0x204u, 0x205u, 0x206u, 0x300u, 0xffffffffu})
    EXPECT_EQ(machine_.call(static_cast<Command>(type)), Response::kErrUnspec) << type;
}

TEST_F(DeviceTest, WhatIsRefusedAgainAndAgainIsTwoLinesInTheLog) {
  ::testing::internal::CaptureStderr();
  for (uint32_t resource = 70; resource < 1070; resource++)
    EXPECT_EQ(machine_.call(Command::kResourceUnref, ResourceId{resource, 0}), Response::kErrInvalidResourceId);
  for (uint32_t type = 0x900; type < 0x910; type++)
    EXPECT_EQ(machine_.call(static_cast<Command>(type)), Response::kErrUnspec);
  const std::string first = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(first, HasSubstr("virtio-gpu command 0x102 refused: resource 70 does not exist\n"));
  EXPECT_THAT(first, HasSubstr("virtio-gpu command 0x900 refused: not a command of this queue\n"));
  EXPECT_EQ(std::ranges::count(first, '\n'), 2);

  ::testing::internal::CaptureStderr();
  machine_.device->reset();
  const std::string last = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(last, HasSubstr("resource 70 does not exist (and 999 more like it)\n"));
  EXPECT_THAT(last, HasSubstr("not a command of this queue (and 15 more like it)\n"));
  EXPECT_EQ(std::ranges::count(last, '\n'), 2);
}

TEST_F(DeviceTest, CutOffRequestsAreRefused) {
  const uint32_t types[] = {0x108, 0x109, 0x10b, 0x10c, 0x102, 0x106, 0x107, 0x200, 0x202, 0x203, 0x207, 0x208, 0x209};
  for (const uint32_t type : types) {
    Header header{};
    header.type = type;
    std::vector<std::byte> bytes(sizeof header);
    std::memcpy(bytes.data(), &header, sizeof header);
    EXPECT_EQ(Machine::type_of(machine_.answer_to(machine_.send(bytes))), Response::kErrInvalidParameter) << type;
  }
  EXPECT_EQ(Machine::type_of(machine_.answer_to(machine_.send(std::vector<std::byte>(3)))), Response::kErrInvalidParameter);
}

TEST_F(DeviceTest, AnswersThatFindNoRoomAreCut) {
  const auto sent = machine_.send(Machine::request(Command::kGetCapset, GetCapset{4, 0}), kControlQueue, 30);
  EXPECT_EQ(machine_.answer_to(sent)->size(), 30u);
  const auto nothing = machine_.send(Machine::request(Command::kGetCapset, GetCapset{4, 0}), kControlQueue, 0);
  EXPECT_EQ(machine_.answer_to(nothing)->size(), 0u);
}

TEST_F(DeviceTest, ABrokenQueueStopsUntilReset) {
  machine_.control.set_descriptor(0, {FakeMemory::kLow + 0x40000, 8, kNext, 0});
  machine_.control.make_available(0);
  machine_.device->kick(kControlQueue);
  EXPECT_EQ(machine_.broken[kControlQueue], 1);
  machine_.device->kick(kControlQueue);
  EXPECT_EQ(machine_.broken[kControlQueue], 1);
  machine_.device->reset();
  std::memset(machine_.guest.at(FakeMemory::kLow), 0, 0x20000);
  machine_.control.set_available_index(0);
  machine_.probe();
  machine_.create_context(1);
}

TEST_F(DeviceTest, SurvivesMemoryThatGoes) {
  machine_.create_context(1);
  const auto fenced = submit(1, {}, fence(1, 1));
  machine_.guest.unplug();
  machine_.renderers[0]->fences[1][0]();
  // The rings are still mapped here: the buffer goes back, with an answer that could not be written.
  EXPECT_NE(machine_.answer_to(fenced), std::nullopt);
  machine_.send(Machine::request(Command::kGetDisplayInfo, 0));
}

TEST_F(DeviceTest, ServesPackedQueues) {
  Machine machine;
  machine.device->accept_features(machine.device->offered_features());
  testing::PackedDriverQueue rings(machine.guest, FakeMemory::kLow);
  ASSERT_TRUE(machine.device->start_queue(kControlQueue, rings.layout(), machine.device->initial_position()));
  const uint64_t request = FakeMemory::kLow + 0x20000, answer = request + 0x1000;
  for (uint16_t id = 0; id < 30; id++) {
    const auto bytes = Machine::request(Command::kGetCapsetInfo, GetCapsetInfo{});
    std::memcpy(machine.guest.at(request), bytes.data(), bytes.size());
    rings.make_available(id, {{request, static_cast<uint32_t>(bytes.size()), 0, 0}, {answer, 256, testing::kWrite, 0}});
    machine.device->kick(kControlQueue);
    Header header;
    std::memcpy(&header, machine.guest.at(answer), sizeof header);
    ASSERT_EQ(header.type, static_cast<uint32_t>(Response::kOkCapsetInfo));
    ASSERT_EQ(rings.take_used(2), std::pair(id, static_cast<uint32_t>(sizeof(Header) + sizeof(CapsetInfo))));
    const uint32_t position = machine.device->stop_queue(kControlQueue);
    ASSERT_TRUE(machine.device->start_queue(kControlQueue, rings.layout(), position));
  }
}

TEST_F(DeviceTest, InterruptsByEntryWhereTheDriverCan) {
  Machine machine;
  machine.device->accept_features(machine.device->offered_features() & ~kFeatureRingPacked);
  ASSERT_TRUE(machine.device->start_queue(kControlQueue, machine.control.layout(), 0));
  machine.control.ask_for_interrupt(2);
  for (int i = 0; i < 5; i++) EXPECT_EQ(machine.call(Command::kGetCapsetInfo, GetCapsetInfo{}), Response::kOkCapsetInfo);
  EXPECT_EQ(machine.interrupts[kControlQueue], 1);
  EXPECT_EQ(machine.control.wanted_entry(), 5);
}

TEST_F(DeviceTest, KeepsAnswersWhileStopped) {
  machine_.create_context(1);
  const auto fenced = submit(1, {}, fence(1, 1));
  const uint32_t next = machine_.device->stop_queue(kControlQueue);
  EXPECT_EQ(next, 2);
  machine_.renderers[0]->fences[1][0]();
  EXPECT_FALSE(machine_.answer_to(fenced));
  EXPECT_TRUE(machine_.device->start_queue(kControlQueue, machine_.control.layout(), next));
  EXPECT_EQ(Machine::type_of(machine_.answer_to(fenced)), Response::kOkNoData);
  EXPECT_EQ(machine_.call(Command::kCtxDestroy, 0, 1), Response::kOkNoData);
}

TEST_F(DeviceTest, ResetEndsEverything) {
  machine_.create_context(1);
  EXPECT_EQ(machine_.create_blob(5, 1), Response::kOkNoData);
  EXPECT_EQ(machine_.map(5, 0), Response::kOkMapInfo);
  const auto fenced = submit(1, {}, fence(1, 1));
  auto late = machine_.renderers[0]->fences[1][0];
  machine_.device->reset();
  EXPECT_TRUE(machine_.renderers.empty());
  EXPECT_TRUE(machine_.window.empty());
  late();  // a completion that crossed the reset
  EXPECT_FALSE(machine_.answer_to(fenced));
  // The next driver finds a new device.
  std::memset(machine_.guest.at(FakeMemory::kLow), 0, 0x20000);
  machine_.control.set_available_index(0);
  machine_.probe();
  machine_.create_context(1);
  EXPECT_EQ(machine_.create_blob(5, 1), Response::kOkNoData);
}

TEST_F(DeviceTest, WorksWithoutIndirectDescriptors) {
  machine_.device->reset();
  std::memset(machine_.guest.at(FakeMemory::kLow), 0, 0x20000);
  machine_.control.set_available_index(0);
  machine_.probe(false);
  machine_.create_context(1);
}

TEST(DeviceLimits, Contexts) {
  Machine machine({.max_contexts = 2});
  machine.probe();
  machine.create_context(1);
  machine.create_context(2);
  EXPECT_EQ(machine.call(Command::kCtxCreate, CtxCreate{.context_init = 4}, 3), Response::kErrOutOfMemory);
}

TEST(DeviceLimits, ResourcesAndPages) {
  Machine machine({.max_resources = 2, .max_pages = 3});
  machine.probe();
  const auto guest_blob = [&](uint32_t id, uint32_t entries) {
    std::vector<MemEntry> pages(entries, {FakeMemory::kLow, 4096, 0});
    const auto bytes = std::as_bytes(std::span(pages));
    return machine.call(Command::kResourceCreateBlob,
                        ResourceCreateBlob{id, kBlobMemGuest, 0, entries, 0, uint64_t{4096} * entries}, 0,
                        {bytes.begin(), bytes.end()});
  };
  EXPECT_EQ(guest_blob(1, 4), Response::kErrOutOfMemory);
  EXPECT_EQ(guest_blob(1, 3), Response::kOkNoData);
  EXPECT_EQ(guest_blob(2, 1), Response::kErrOutOfMemory);
  EXPECT_EQ(machine.call(Command::kResourceUnref, ResourceId{1, 0}), Response::kOkNoData);
  EXPECT_EQ(guest_blob(2, 1), Response::kOkNoData);
  EXPECT_EQ(guest_blob(3, 1), Response::kOkNoData);
  EXPECT_EQ(guest_blob(4, 1), Response::kErrOutOfMemory);
}

}  // namespace
}  // namespace pvgpu::virtio_gpu
