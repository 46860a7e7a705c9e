// A thousand random sequences of calls, each made twice: directly on the fake driver, and by a guest.
// The driver must get the same calls with the same arguments from both, and give both the same
// answers. What the codec itself leaves out, it leaves out on both sides: that is pinned by
// codegen/wire_layout.txt.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string_view>
#include <unordered_map>

#include "observe/log.h"
#include "venus/testing/command_codecs.h"
#include "venus/testing/session.h"

namespace pvgpu::venus {
namespace {

using namespace testing;
using namespace protocol;

constexpr int kSequences = 1000;
constexpr int kParts = 4;  // which run at the same time
constexpr size_t kSteps = 24;
constexpr uint64_t kFirstHandle = uint64_t{1} << 44;
constexpr uint64_t kFirstId = 1000;

// Commands with a handler of their own.
constexpr std::string_view kSpecial[] = {
#define PLAIN_COMMAND(number, Args, function, level, ids, member)
#define CREATE_COMMAND PLAIN_COMMAND
#define DESTROY_COMMAND PLAIN_COMMAND
#define SPECIAL_COMMAND(number, Args, function, level, ids, member) #function,
#include "protocol/commands.inc"
#undef SPECIAL_COMMAND
#undef DESTROY_COMMAND
#undef CREATE_COMMAND
#undef PLAIN_COMMAND
};
// Those whose handler passes on what the guest has said. Of the others, the driver is told something
// else (memory is imported, strides are ours, waits are sliced), or nothing.
constexpr std::string_view kPassedOn[] = {
    "vkAllocateCommandBuffers", "vkAllocateDescriptorSets", "vkCmdPipelineBarrier",
    "vkCmdPipelineBarrier2",    "vkCmdSetEvent2",           "vkCmdWaitEvents",
    "vkCmdWaitEvents2",         "vkCreateComputePipelines", "vkCreateGraphicsPipelines",
    "vkDestroyCommandPool",     "vkDestroyDescriptorPool",  "vkDestroySemaphore",
    "vkQueueBindSparse",        "vkQueueSubmit",
    "vkQueueSubmit2",           "vkQueueWaitIdle",          "vkResetDescriptorPool"};

bool contains(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

const CommandCodec& codec_of(std::string_view name) {
  static const auto all = [] {
    std::unordered_map<std::string_view, CommandCodec> codecs;
    for (const CommandCodec& codec : all_commands()) codecs.emplace(codec.name, codec);
    return codecs;
  }();
  return all.at(name);
}

// Every call that the driver gets, with its arguments and what it answers. It answers something else
// each time.
class Recorder final : public fake_driver::Observer {
 public:
  struct Call {
    std::string_view function;
    Bytes bytes;
  };
  void called(const char* function, void* arguments) override {
    const CommandCodec& codec = codec_of(function);
    OutputFiller filler(calls_.size());
    codec.fill_outputs(filler, arguments);
    Bytes bytes =
        encode([&](Encoder& encoder, wire::Writer&) { codec.encode_request(encoder, arguments); });
    append(bytes, encode([&](Encoder& encoder, wire::Writer&) {
             codec.encode_reply(encoder, arguments);
           }));
    calls_.push_back({codec.name, std::move(bytes)});
  }
  std::vector<Call>& calls() { return calls_; }

 private:
  std::vector<Call> calls_;
};

// What both sides have from the start, in the order in which it is made.
constexpr VkObjectType kStart[] = {
    VK_OBJECT_TYPE_INSTANCE,  VK_OBJECT_TYPE_PHYSICAL_DEVICE, VK_OBJECT_TYPE_DEVICE,
    VK_OBJECT_TYPE_QUEUE,     VK_OBJECT_TYPE_COMMAND_POOL,    VK_OBJECT_TYPE_COMMAND_BUFFER,
    VK_OBJECT_TYPE_BUFFER,    VK_OBJECT_TYPE_BUFFER,          VK_OBJECT_TYPE_IMAGE,
    VK_OBJECT_TYPE_IMAGE,     VK_OBJECT_TYPE_FENCE,           VK_OBJECT_TYPE_FENCE,
    VK_OBJECT_TYPE_SEMAPHORE, VK_OBJECT_TYPE_SEMAPHORE,       VK_OBJECT_TYPE_DEVICE_MEMORY};
const std::vector<const char*> kExtensions = {VK_EXT_MULTI_DRAW_EXTENSION_NAME,
                                              VK_EXT_TRANSFORM_FEEDBACK_EXTENSION_NAME};

struct Step {
  const CommandCodec* command;
  uint64_t seed;              // of the arguments
  std::vector<uint64_t> ids;  // of the objects in the arguments, as the Randomizer asked for them
  VkResult failure;           // what the driver answers without doing anything; VK_SUCCESS: it acts
  bool wants_reply;
  Bytes reply;  // as it must be
};

// Objects for the arguments of native calls, and their names in the guest.
class NativeObjects final : public Randomizer::Ids {
 public:
  explicit NativeObjects(std::mt19937_64& random) : random_(random) {}
  void add(VkObjectType type, uint64_t handle, uint64_t id) {
    known_[type].push_back({handle, id});
  }
  uint64_t existing(VkObjectType type, bool null_allowed) override {
    const auto& known = known_[type];
    missing |= known.empty() && !null_allowed;
    const Object object = known.empty() ? Object{} : known[random_() % known.size()];
    named.push_back(object.id);
    return object.handle;
  }
  uint64_t fresh(VkObjectType type) override {
    made.push_back({type, next_id_});
    named.push_back(next_id_);
    return next_id_++;
  }
  void forget_dead() {
    for (auto& [type, known] : known_)
      std::erase_if(known, [](const Object& o) { return !fake_driver::exists(o.handle); });
  }

  // Of the present command.
  bool missing = false;
  std::vector<uint64_t> named;
  struct Made {
    VkObjectType type;
    uint64_t id;
  };
  std::vector<Made> made;

 private:
  struct Object {
    uint64_t handle = 0, id = 0;
  };
  std::mt19937_64& random_;
  std::map<VkObjectType, std::vector<Object>> known_;
  uint64_t next_id_ = kFirstId;
};

// The same objects, by the names that were noted.
class NotedIds final : public Randomizer::Ids {
 public:
  explicit NotedIds(const std::vector<uint64_t>& ids) : ids_(ids) {}
  uint64_t existing(VkObjectType, bool) override { return ids_.at(next_++); }
  uint64_t fresh(VkObjectType) override { return ids_.at(next_++); }

 private:
  const std::vector<uint64_t>& ids_;
  size_t next_ = 0;
};

struct Arguments {
  Arguments(const CommandCodec& command, uint64_t seed, Randomizer::Ids& ids)
      : words((command.size + 7) / 8) {
    Randomizer randomizer(arena, seed, &ids);
    command.randomize(randomizer, words.data());
  }
  void* get() { return words.data(); }
  wire::Arena arena;
  std::vector<uint64_t> words;
};

// Puts `to` wherever `bytes` have `from`.
void rename(Bytes& bytes, uint64_t from, uint64_t to) {
  for (size_t at = 0; at + 8 <= bytes.size(); at += 4)
    if (std::memcmp(&bytes[at], &from, 8) == 0) std::memcpy(&bytes[at], &to, 8);
}

Bytes reply_of(const CommandCodec& command, void* arguments) {
  return encode([&](Encoder& encoder, wire::Writer& writer) {
    writer.u32(command.number);
    command.encode_reply(encoder, arguments);
  });
}

// Makes up a sequence while making its calls directly.
class Native {
 public:
  explicit Native(uint64_t seed) : random_(seed), objects_(random_) {
    start();
    fake_driver::observe(&recorder);
    while (steps.size() < kSteps && !::testing::Test::HasFailure()) step();
    fake_driver::observe(nullptr);
    misuse = fake_driver::misuse();
    make(DestroyDeviceArgs{device_, nullptr});
    make(DestroyInstanceArgs{instance_, nullptr});
  }

  std::vector<Step> steps;
  Recorder recorder;
  std::string misuse;

 private:
  PFN_vkVoidFunction function(const char* name) {
    const auto get = reinterpret_cast<PFN_vkGetDeviceProcAddr>(
        ::vkGetInstanceProcAddr(nullptr, "vkGetDeviceProcAddr"));
    return get(device_, name);
  }
  // A call that is neither random nor compared.
  template <class Args>
  void make(Args args) {
    codec_of(Args::kName).call(::vkGetInstanceProcAddr(nullptr, Args::kName), &args);
  }

  void start();
  void step();
  const CommandCodec& any_command();

  std::mt19937_64 random_;
  NativeObjects objects_;
  VkInstance instance_ = VK_NULL_HANDLE;
  VkDevice device_ = VK_NULL_HANDLE;
};

void Native::start() {
  const VkInstanceCreateInfo instance_info{VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
  make(CreateInstanceArgs{&instance_info, nullptr, &instance_, VK_SUCCESS});
  uint32_t one = 1;
  VkPhysicalDevice physical;
  make(EnumeratePhysicalDevicesArgs{instance_, &one, &physical, VK_SUCCESS});
  VkDeviceCreateInfo device_info{VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO};
  device_info.enabledExtensionCount = static_cast<uint32_t>(kExtensions.size());
  device_info.ppEnabledExtensionNames = kExtensions.data();
  make(CreateDeviceArgs{physical, &device_info, nullptr, &device_, VK_SUCCESS});
  VkQueue queue;
  make(GetDeviceQueueArgs{device_, 0, 0, &queue});
  const VkCommandPoolCreateInfo pool_info{VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
  VkCommandPool pool;
  make(CreateCommandPoolArgs{device_, &pool_info, nullptr, &pool, VK_SUCCESS});
  const VkCommandBufferAllocateInfo commands_info{VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                                  nullptr, pool, VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                                  1};
  VkCommandBuffer commands;
  make(AllocateCommandBuffersArgs{device_, &commands_info, &commands, VK_SUCCESS});
  for (int i = 0; i < 2; ++i) {
    VkBufferCreateInfo info{VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO};
    info.size = 4096;
    VkBuffer buffer;
    make(CreateBufferArgs{device_, &info, nullptr, &buffer, VK_SUCCESS});
  }
  for (int i = 0; i < 2; ++i) {
    const VkImageCreateInfo info{VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO};
    VkImage image;
    make(CreateImageArgs{device_, &info, nullptr, &image, VK_SUCCESS});
  }
  for (int i = 0; i < 2; ++i) {
    const VkFenceCreateInfo info{VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkFence fence;
    make(CreateFenceArgs{device_, &info, nullptr, &fence, VK_SUCCESS});
  }
  for (int i = 0; i < 2; ++i) {
    const VkSemaphoreCreateInfo info{VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
    VkSemaphore semaphore;
    make(CreateSemaphoreArgs{device_, &info, nullptr, &semaphore, VK_SUCCESS});
  }
  const VkMemoryAllocateInfo info{VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr, 65536, 0};
  VkDeviceMemory memory;
  make(AllocateMemoryArgs{device_, &info, nullptr, &memory, VK_SUCCESS});
  uint64_t handle = kFirstHandle, id = 0;
  for (VkObjectType type : kStart)
    objects_.add(type, handle += fake_driver::kHandleStep, ++id);
  ASSERT_EQ(fake_driver::last_handle(), handle);
}

// Creations more often, so that the others find something.
const CommandCodec& Native::any_command() {
  static const auto suitable = [] {
    std::vector<CommandCodec> all = all_commands();
    std::erase_if(all, [](const CommandCodec& codec) {
      return !codec.call || (contains(kSpecial, codec.name) && !contains(kPassedOn, codec.name));
    });
    return all;
  }();
  for (;;) {
    const CommandCodec& command = suitable[random_() % suitable.size()];
    if (std::string_view(command.name).starts_with("vkCreate") || random_() % 2) return command;
  }
}

void Native::step() {
  Step step{&any_command(), random_(), {}, VK_SUCCESS, random_() % 2 == 0, {}};
  // What a driver leaves where failed pipelines should be, the guest's handler has cleared before.
  const bool may_fail = !std::string_view(step.command->name).ends_with("Pipelines");
  if (random_() % 20 == 0 && may_fail) step.failure = VK_ERROR_OUT_OF_DEVICE_MEMORY;
  const auto called = function(step.command->name);
  objects_.missing = false;
  objects_.named.clear();
  objects_.made.clear();
  Arguments arguments(*step.command, step.seed, objects_);
  if (!called || objects_.missing) return;
  step.ids = objects_.named;
  const uint64_t last = fake_driver::last_handle();
  const size_t living = fake_driver::live_objects();
  if (step.failure != VK_SUCCESS) fake_driver::fail(step.command->name, step.failure, 1);
  step.command->call(called, arguments.get());
  fake_driver::fail(step.command->name, VK_SUCCESS);
  if (std::string_view(step.command->name).starts_with("vkDestroy") &&
      fake_driver::live_objects() == living) {
    recorder.calls().pop_back();  // of nothing: the driver need not know
    return;
  }
  step.reply = reply_of(*step.command, arguments.get());
  const bool acted = fake_driver::last_handle() != last;
  uint64_t handle = last;
  for (const auto& [type, id] : objects_.made) {
    if (acted) {
      objects_.add(type, handle += fake_driver::kHandleStep, id);
      rename(step.reply, handle, id);
    } else {
      rename(step.reply, id, 0);
    }
  }
  ASSERT_EQ(fake_driver::last_handle(), handle) << step.command->name;
  objects_.forget_dead();
  steps.push_back(std::move(step));
}

// Makes the calls as a guest.
void make_as_guest(const std::vector<Step>& steps, Recorder& recorder, std::string& misuse) {
  Session session(Session::Stage::kQueue, {}, kExtensions);
  session.allocate_command_buffer(session.create_command_pool());
  session.create_buffer(4096);
  session.create_buffer(4096);
  session.create_image();
  session.create_image();
  session.create_fence();
  session.create_fence();
  session.create_semaphore();
  session.create_semaphore();
  session.allocate(65536, 0);
  ASSERT_TRUE(session.ring().wait(session.ring().tail()));
  ASSERT_EQ(session.new_id(), std::size(kStart) + 1);
  ASSERT_EQ(fake_driver::last_handle(),
            kFirstHandle + std::size(kStart) * fake_driver::kHandleStep);
  const auto replies = session.create_blob(1 << 20);
  const VkCommandStreamDescriptionMESA slot{replies->id(), 0, 1 << 20};
  ASSERT_TRUE(session.submit(SetReplyCommandStreamMESAArgs{&slot}));
  const Bytes rewind = request_bytes(SeekReplyCommandStreamMESAArgs{0});
  fake_driver::observe(&recorder);
  for (const Step& step : steps) {
    SCOPED_TRACE(step.command->name);
    NotedIds ids(step.ids);
    Arguments arguments(*step.command, step.seed, ids);
    Bytes bytes = rewind;
    append(bytes, encode([&](Encoder& encoder, wire::Writer& writer) {
             writer.u32(step.command->number);
             writer.u32(step.wants_reply);
             step.command->encode_request(encoder, arguments.get());
           }));
    if (step.failure != VK_SUCCESS) fake_driver::fail(step.command->name, step.failure, 1);
    const auto result = session.submit(std::span<const std::byte>(bytes));
    fake_driver::fail(step.command->name, VK_SUCCESS);
    EXPECT_TRUE(result) << result.error().detail;
    if (!result) break;
    if (!step.wants_reply) continue;
    EXPECT_EQ(to_hex(std::span(replies->data(), step.reply.size())), to_hex(step.reply));
  }
  fake_driver::observe(nullptr);
  misuse = fake_driver::misuse();
}

class RandomSequences : public OnFakeDriver, public ::testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    OnFakeDriver::SetUp();
    observe::set_level(observe::Level::kOff);  // failures that no guest waits for
  }
  void TearDown() override {
    observe::set_level(observe::Level::kInfo);
    EXPECT_EQ(fake_driver::live_objects(), objects_before_);
    fake_driver::reset();
  }
};

TEST_P(RandomSequences, AreTheSameNativelyAndInAGuest) {
  std::map<std::string_view, int> commands;
  size_t calls = 0;
  for (int i = GetParam(); i < kSequences && !HasFailure(); i += kParts) {
    SCOPED_TRACE("sequence " + std::to_string(i));
    fake_driver::reset();
    fake_driver::number_handles_from(kFirstHandle);
    Native native(static_cast<uint64_t>(i));
    for (const Step& step : native.steps) ++commands[step.command->name];
    if (HasFailure()) break;

    fake_driver::reset();
    fake_driver::number_handles_from(kFirstHandle);
    Recorder of_guest;
    std::string misuse;
    make_as_guest(native.steps, of_guest, misuse);
    const auto& wanted = native.recorder.calls();
    const auto& got = of_guest.calls();
    for (size_t n = 0; n < std::min(wanted.size(), got.size()) && !HasFailure(); ++n) {
      EXPECT_EQ(got[n].function, wanted[n].function) << "call " << n;
      EXPECT_EQ(to_hex(got[n].bytes), to_hex(wanted[n].bytes)) << wanted[n].function;
    }
    EXPECT_EQ(got.size(), wanted.size());
    EXPECT_EQ(misuse, native.misuse);
    calls += wanted.size();
  }
  EXPECT_GT(commands.size(), 160u);  // else this tests little
  RecordProperty("commands", static_cast<int>(commands.size()));
  RecordProperty("calls", static_cast<int>(calls));
}

INSTANTIATE_TEST_SUITE_P(Parts, RandomSequences, ::testing::Range(0, kParts));

}  // namespace
}  // namespace pvgpu::venus
