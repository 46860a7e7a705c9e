// With scripts in place of the client.
#include "bench/client_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "platform/temporary_folder.h"

namespace pvgpu::bench {
namespace {

using testing::HasSubstr;

constexpr Work kWork{"work", "A work", "What is done.", {}};

class ClientProcess : public testing::Test {
 protected:
  Result<Outcome> run(const std::string& script, int deadline = 60) {
    const std::string program = folder_.path() + "/client";
    std::ofstream(program) << "#!/bin/sh\n" << script;
    ::chmod(program.c_str(), 0700);
    return run_client({.prefix = "env PREFIX=1",
                       .variables = {"OURS=2"},
                       .program = program,
                       .arguments = {"--quick"},
                       .deadline_seconds = deadline},
                      kWork, signals_);
  }

  platform::TemporaryFolder folder_ = platform::TemporaryFolder::create().value();
  platform::SignalQueue signals_ = platform::SignalQueue::create({SIGUSR1}).value();
};

TEST_F(ClientProcess, GetsItsWordsAndVariablesAndTellsItsOutcome) {
  const auto outcome = run(R"(echo "noise"; echo "more" >&2
echo "{\"pvgpu-bench\":1,\"figures\":{\"p50\":2},\"gpu\":\"$PREFIX $OURS $*\"}")");
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->figures.at("p50"), 2);
  EXPECT_EQ(outcome->gpu, "1 2 --work work --deadline 60 --quick");
  EXPECT_EQ(outcome->failure, "");
}

TEST_F(ClientProcess, ThatTellsNothingHasFailedWithItsLastWords) {
  const auto outcome = run("echo first >&2; echo last words >&2; exit 3");
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->failure, "it ended with exit code 3: last words");
  EXPECT_EQ(run("kill -SEGV $$")->failure, "it ended with signal SIGSEGV");
}

TEST_F(ClientProcess, ThatDoesNotEndIsEnded) {
  // As the client does when its own alarm rings, and as what ignores it.
  EXPECT_EQ(run("kill -ALRM $$")->failure, "no end within 60 s");
  EXPECT_EQ(run("exec sleep 600", 0)->failure, "no end within 0 s");
}

TEST_F(ClientProcess, ASignalEndsTheRun) {
  const auto outcome = run("kill -USR1 $PPID; exec sleep 600");
  EXPECT_FALSE(outcome);
  EXPECT_TRUE(signals_.next());  // else it would end this program with the queue
}

}  // namespace
}  // namespace pvgpu::bench
