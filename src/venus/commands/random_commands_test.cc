// Every command, executed with random arguments on live objects: whatever a guest says, the context
// answers or is poisoned, and nothing is left at the driver. Run under the sanitizers.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string_view>
#include <utility>

#include "observe/log.h"
#include "venus/testing/command_codecs.h"
#include "venus/testing/session.h"

namespace pvgpu::venus {
namespace {

using namespace testing;

// They wait for what nothing here will do.
constexpr std::string_view kLeftOut[] = {"vkWaitForFences", "vkResetFenceResourceMESA"};

class LiveIds final : public Randomizer::Ids {
 public:
  explicit LiveIds(Session& session, std::mt19937_64& random) : session_(session), random_(random) {
    add(VK_OBJECT_TYPE_INSTANCE, std::bit_cast<uint64_t>(session.instance));
    add(VK_OBJECT_TYPE_PHYSICAL_DEVICE, std::bit_cast<uint64_t>(session.physical));
    add(VK_OBJECT_TYPE_DEVICE, std::bit_cast<uint64_t>(session.device));
    add(VK_OBJECT_TYPE_QUEUE, std::bit_cast<uint64_t>(session.queue));
  }
  uint64_t existing(VkObjectType type, bool null_allowed) override {
    const auto& known = ids_[type];
    missing_ |= known.empty() && !null_allowed;
    return known.empty() ? 0 : known[random_() % known.size()];
  }
  uint64_t fresh(VkObjectType type) override {
    const uint64_t id = session_.new_id();
    made_.emplace_back(type, id);
    return id;
  }
  // Whether the last command needs an object of a type that there is none of.
  bool take_missing() { return std::exchange(missing_, false); }
  void forget_made() { made_.clear(); }
  void add(VkObjectType type, uint64_t id) { ids_[type].push_back(id); }
  // The command that named them was executed.
  void keep_made() {
    for (const auto& [type, id] : made_) add(type, id);
    made_.clear();
  }

 private:
  Session& session_;
  std::mt19937_64& random_;
  std::map<VkObjectType, std::vector<uint64_t>> ids_;
  std::vector<std::pair<VkObjectType, uint64_t>> made_;
  bool missing_ = false;
};

// One guest, until it is poisoned or ends by itself.
struct Life {
  explicit Life(std::mt19937_64& random)
      : session(Session::Stage::kQueue, {},
                {VK_EXT_MULTI_DRAW_EXTENSION_NAME, VK_EXT_TRANSFORM_FEEDBACK_EXTENSION_NAME}),
        ids(session, random) {
    replies = session.create_blob(1 << 20);
    const VkCommandStreamDescriptionMESA slot{replies->id(), 0, 1 << 20};
    EXPECT_TRUE(session.submit(protocol::SetReplyCommandStreamMESAArgs{&slot}));
    rewind = request_bytes(protocol::SeekReplyCommandStreamMESAArgs{0});
  }
  Session session;
  LiveIds ids;
  std::unique_ptr<Blob> replies;  // of the context stream
  Bytes rewind;
};

class RandomCommands : public OnFakeDriver, public ::testing::WithParamInterface<uint64_t> {
 protected:
  void TearDown() override {
    // What Vulkan forbids, the driver hears: that is between the guest and the driver.
    EXPECT_EQ(fake_driver::live_objects(), objects_before_);
    fake_driver::reset();
  }
};

TEST_P(RandomCommands, AreExecutedOrRefused) {
  observe::set_level(observe::Level::kOff);  // thousands of poisoned contexts
  std::mt19937_64 random(GetParam());
  const auto commands = all_commands();
  std::map<std::string_view, int> executed;
  std::map<PoisonReason, int> reasons;
  auto life = std::make_unique<Life>(random);
  for (int step = 0; step < 3000; ++step) {
    // Creations more often, so that the others find something.
    const CommandCodec* command = &commands[random() % commands.size()];
    for (int i = 0; i < 2 && !std::string_view(command->name).starts_with("vkCreate"); ++i)
      command = &commands[random() % commands.size()];
    if (std::ranges::find(kLeftOut, command->name) != std::end(kLeftOut)) continue;
    wire::Arena arena;
    Randomizer randomizer(arena, random(), &life->ids);
    std::vector<uint64_t> args((command->size + 7) / 8);
    command->randomize(randomizer, args.data());
    // Not too often what cannot work: every poison costs a new guest.
    if (life->ids.take_missing() && random() % 50 != 0) {
      life->ids.forget_made();
      continue;
    }
    const uint32_t flags = random() % 2;
    Bytes bytes = life->rewind;
    append(bytes, encode([&](Encoder& encoder, wire::Writer& writer) {
             writer.u32(command->number);
             writer.u32(flags);
             command->encode_request(encoder, args.data());
           }));
    const bool damaged = random() % 30 == 0;
    if (damaged)
      bytes[life->rewind.size() + random() % (bytes.size() - life->rewind.size())] ^=
          std::byte(1 << random() % 8);
    SCOPED_TRACE(std::string(command->name) + ", step " + std::to_string(step));
    const auto result = life->session.submit(std::span<const std::byte>(bytes));
    if (result) {
      ++executed[command->name];
      life->ids.keep_made();
    } else {
      ++reasons[result.error().reason];
      life.reset();
      life = std::make_unique<Life>(random);
    }
    if (HasFatalFailure()) break;
  }
  life.reset();
  observe::set_level(observe::Level::kInfo);
  // Else this tests nothing: most commands must have got through, and many reasons must have been
  // met.
  EXPECT_GT(executed.size(), 90u);
  EXPECT_GT(reasons.size(), 8u);
  std::string text;
  for (const auto& [reason, count] : reasons)
    text += std::string(poison_name(reason)) + "=" + std::to_string(count) + " ";
  int total = 0;
  for (const auto& [name, count] : executed) total += count;
  RecordProperty("commands", static_cast<int>(executed.size()));
  RecordProperty("executed", total);
  RecordProperty("reasons", text);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomCommands, ::testing::Values(1, 2));

}  // namespace
}  // namespace pvgpu::venus
