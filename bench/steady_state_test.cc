// What commands cost besides instructions once a guest runs: none of those that are recorded may allocate, lock or call the system, the
// others no more than is known here. On recorded programs, command by command.
#include <gmock/gmock.h>

#include <filesystem>
#include <map>
#include <mutex>
#include <set>

#include "costs.h"
#include "fake_driver/fake_driver.h"
#include "observe/log.h"
#include "replay.h"
#include "stage.h"

namespace pvgpu::bench {
namespace {

using namespace protocol;

struct CommandCosts {
  uint64_t executed = 0;  // in the steady state
  Costs most;             // of one of them
};
using CostsByName = std::map<std::string, CommandCosts>;

// The second half of each kind of command: by then arenas and buffers have the size that they need.
CostsByName steady_costs(const std::filesystem::path& recording) {
  CostsByName result;
  const auto replay = Replay::load(recording);
  EXPECT_TRUE(replay) << replay.error().what;
  if (!replay) return result;
  std::map<std::string, uint64_t> total, seen;
  const auto pass = [&](const Replay::Around& around) {
    const auto done = replay->run_each(around);
    EXPECT_TRUE(done) << done.error().what;
  };
  pass([&](const std::string& name, const std::function<void()>& execute) {
    ++total[name];
    execute();
  });
  pass([&](const std::string& name, const std::function<void()>& execute) {
    const bool steady = 2 * ++seen[name] > total[name] && total[name] >= 4;
    const Costs before = costs();
    execute();
    const Costs cost = costs() - before;
    if (!steady) return;
    CommandCosts& command = result[name];
    ++command.executed;
    command.most.allocations = std::max(command.most.allocations, cost.allocations);
    command.most.locks = std::max(command.most.locks, cost.locks);
    command.most.system_calls = std::max(command.most.system_calls, cost.system_calls);
  });
  fake_driver::reset();
  return result;
}

const std::map<std::string, CostsByName>& recordings() {
  static const std::map<std::string, CostsByName> all = [] {
    observe::set_level(observe::Level::kError);
    EXPECT_TRUE(count_system_calls()) << "this kernel lets no process filter its own system calls";
    std::map<std::string, CostsByName> made;
    for (const auto& entry : std::filesystem::directory_iterator(PVGPU_RECORDINGS))
      made[entry.path().stem()] = steady_costs(entry.path());
    return made;
  }();
  return all;
}

std::string text(const Costs& costs) {
  return fmt::format("{} allocations, {} locks, {} system calls", costs.allocations, costs.locks, costs.system_calls);
}

// What the other tests rely on.
TEST(Costs, AreSeen) {
  Costs before = costs();
  auto volatile memory = new int[100];
  EXPECT_EQ(costs() - before, (Costs{.allocations = 1}));
  delete[] memory;
  std::mutex mutex;
  before = costs();
  mutex.lock();
  EXPECT_EQ(costs() - before, (Costs{.locks = 1}));
  mutex.unlock();
  ASSERT_TRUE(count_system_calls());
  before = costs();
  const pid_t parent = ::getppid();
  EXPECT_EQ(costs() - before, (Costs{.system_calls = 1}));
  EXPECT_EQ(::getppid(), parent);  // and they do what they did
  const uint64_t heap = heap_bytes();
  auto volatile more = new char[100'000];
  EXPECT_GE(heap_bytes(), heap + 100'000);
  delete[] more;
  EXPECT_LT(heap_bytes(), heap + 1000);
}

TEST(SteadyState, RecordedCommandsCostNothing) {
  uint64_t executed = 0;
  for (const auto& [recording, commands] : recordings()) {
    for (const auto& [name, command] : commands) {
      if (!name.starts_with("vkCmd")) continue;
      executed += command.executed;
      EXPECT_EQ(command.most, Costs{}) << recording << ": " << name << ": " << text(command.most);
    }
  }
  EXPECT_GT(executed, 100'000u);
}

// A frame's other commands, of which the driver's part does nothing in a replay. To add to a line is to slow every frame down.
TEST(SteadyState, OtherCommandsCostWhatIsKnown) {
  const std::map<std::string, Costs> known = {
      {"vkBeginCommandBuffer", {}},
      {"vkEndCommandBuffer", {}},
      {"vkImportSemaphoreResourceMESA", {.locks = 1}},  // remembered as signalled
      {"vkNotifyRingMESA", {.locks = 1}},  // the ring
      {"vkQueueSubmit", {.locks = 2}},  // the queue, and semaphores remembered as signalled
      {"vkResetCommandPool", {}},
      {"vkResetFences", {}},
      {"vkSetReplyCommandStreamMESA", {.locks = 1}},  // the resource, where it is not that of the last reply
      {"vkSubmitVirtqueueSeqnoMESA", {.locks = 1}},  // the ring
      {"vkUpdateDescriptorSets", {}},
      {"vkWaitForFences", {}},
      {"vkWaitRingSeqnoMESA", {.locks = 1}},  // the ring
      {"vkWaitVirtqueueSeqnoMESA", {}},
  };
  std::set<std::string> seen;
  for (const auto& [recording, commands] : recordings()) {
    for (const auto& [name, command] : commands) {
      const auto found = known.find(name);
      if (found == known.end()) continue;
      seen.insert(name);
      EXPECT_LE(command.most.allocations, found->second.allocations) << recording << ": " << name;
      EXPECT_LE(command.most.locks, found->second.locks) << recording << ": " << name;
      EXPECT_LE(command.most.system_calls, found->second.system_calls) << recording << ": " << name;
    }
  }
  for (const auto& [name, costs] : known) EXPECT_TRUE(seen.contains(name)) << "no recording has " << name;
}

// A guest that creates and destroys for hours.
TEST(SteadyState, MemoryStaysFlatOverAMillionObjects) {
  constexpr int kBatches = 1000, kBatch = 1000;
  Stage stage;
  uint64_t settled = 0;
  for (int i = 0; i < kBatches; ++i) {
    for (int n = 0; n < kBatch; ++n) stage.send(DestroyBufferArgs{stage.device, stage.make_buffer(), nullptr});
    if (i == kBatches / 100) settled = heap_bytes();
  }
  EXPECT_LE(heap_bytes(), settled + 4096);
}

}  // namespace
}  // namespace pvgpu::bench
