#include "frontends/server/ready_workers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <array>
#include <utility>
#include <vector>

#include "observe/log.h"
#include "platform/unix_socket.h"

namespace pvgpu::frontends::server {
namespace {

// Waits for an assignment, which carries the guest's connection, and ends with 7. (A shell cannot receive a descriptor.)
constexpr const char* kTakesOne = "head -c 1 <&3 >/dev/null && exit 7";

constexpr std::array<std::byte, 4> kAssignment{};

struct Fixture : testing::Test {
  Fixture() { observe::set_level(observe::Level::kOff); }
  ~Fixture() override { observe::set_level(observe::Level::kInfo); }

  ReadyWorkers::Spawn shell(const char* script) {
    return [this, script](const platform::UniqueFd& assignments) {
      platform::Command command;
      command.program = "/bin/sh";
      command.arguments = {"-c", script};
      command.descriptors = {assignments.get()};
      auto process = platform::ChildProcess::spawn(command);
      if (process) pids.push_back(process->pid());
      return process;
    };
  }
  static platform::UniqueFd connection() {
    return std::move(platform::socket_pair().value().first);
  }

  std::vector<pid_t> pids;  // of all that were started
  const platform::UniqueFd guest = connection();
};
using ReadyWorkersTest = Fixture;

TEST_F(ReadyWorkersTest, StartsNoneUnlessTold) {
  ReadyWorkers none(0, shell(kTakesOne)), not_yet(2, shell(kTakesOne));
  none.fill();
  EXPECT_FALSE(none.take(kAssignment, guest).has_value());
  EXPECT_FALSE(not_yet.take(kAssignment, guest).has_value());
  EXPECT_THAT(pids, testing::IsEmpty());
}

TEST_F(ReadyWorkersTest, HandsOutTheOldestAndStartsWhatIsMissing) {
  ReadyWorkers workers(2, shell(kTakesOne));
  workers.fill(1);
  EXPECT_EQ(pids.size(), 1u);
  workers.fill();
  workers.fill();
  ASSERT_EQ(pids.size(), 2u);
  auto first = workers.take(kAssignment, guest);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->pid(), pids[0]);
  EXPECT_EQ(first->wait().code, 7);
  workers.fill();
  ASSERT_EQ(pids.size(), 3u);
  auto second = workers.take(kAssignment, guest);
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->pid(), pids[1]);
}

TEST_F(ReadyWorkersTest, PassesOverOneThatHasDied) {
  ReadyWorkers workers(2, shell(kTakesOne));
  workers.fill();
  ASSERT_EQ(pids.size(), 2u);
  ::kill(pids[0], SIGKILL);
  siginfo_t ended;
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pids[0]), &ended, WEXITED | WNOWAIT), 0);
  auto taken = workers.take(kAssignment, guest);
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(taken->pid(), pids[1]);
}

TEST_F(ReadyWorkersTest, ReplacesOneThatHasDied) {
  ReadyWorkers workers(1, shell("exit 2"));
  workers.fill();
  siginfo_t ended;
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pids[0]), &ended, WEXITED | WNOWAIT), 0);
  workers.fill();
  EXPECT_EQ(pids.size(), 2u);
}

TEST_F(ReadyWorkersTest, EndsThemWithItself) {
  ReadyWorkers(2, shell("exec sleep 1000")).fill();
  ASSERT_EQ(pids.size(), 2u);
  for (const pid_t pid : pids) EXPECT_NE(::kill(pid, 0), 0);
}

TEST_F(ReadyWorkersTest, AFailureIsLeftForTheNextTime) {
  int failures = 1;
  auto real = shell(kTakesOne);
  ReadyWorkers workers(1, [&](const platform::UniqueFd& assignments) -> Result<platform::ChildProcess> {
    if (failures-- > 0) return fail("too many processes");
    return real(assignments);
  });
  workers.fill();
  EXPECT_FALSE(workers.take(kAssignment, guest).has_value());
  workers.fill();
  EXPECT_TRUE(workers.take(kAssignment, guest).has_value());
}

}  // namespace
}  // namespace pvgpu::frontends::server
