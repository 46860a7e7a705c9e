#include "bench/runner.h"

#include <gtest/gtest.h>

namespace pvgpu::bench {
namespace {

constexpr Figure kFigures[] = {{"time", "a time"}};
constexpr Unit kUnit{"µs", Better::kLower};
constexpr Work kOne{"one", "One", "One.", kUnit, kFigures};
constexpr Work kTwo{"two", "Two", "Two.", kUnit, kFigures};
constexpr const Work* kWorks[] = {&kOne, &kTwo};

class Runner : public testing::Test {
 protected:
  Side side(std::string name, std::function<Result<Outcome>(const Work&)> run) {
    return {{.name = name}, [this, name, run](const Work& work) {
              order += name + ' ' + std::string(work.name) + '\n';
              return run(work);
            }};
  }
  static Result<Outcome> done(const Work&) {
    Outcome outcome;
    outcome.figures["time"] = 1;
    outcome.gpu = "a GPU";
    return outcome;
  }

  std::string order;
};

TEST_F(Runner, InterleavesTheSidesInEachRoundOfAWork) {
  const Side sides[] = {side("n", done), side("p", done)};
  std::string told;
  const auto report =
      run_works(kWorks, sides, 2, [&](const Work& work, const SideInfo& info, int round) {
        told += std::string(work.name) + info.name + std::to_string(round) + ' ';
      });
  ASSERT_TRUE(report);
  EXPECT_EQ(order, "n one\np one\nn one\np one\nn two\np two\nn two\np two\n");
  EXPECT_EQ(told, "onen1 onep1 onen2 onep2 twon1 twop1 twon2 twop2 ");
  EXPECT_EQ(report->sides[1].gpu, "a GPU");
  EXPECT_EQ(report->works[1].sides[1].values("time")->size(), 2u);
}

TEST_F(Runner, AsksNoSideAgainForWhatItCannotDo) {
  const Side sides[] = {side("n", done), side("p", [](const Work& work) {
                          Outcome outcome;
                          if (&work == &kOne) outcome.failure = "vkMapMemory: no";
                          return outcome;
                        })};
  const auto report = run_works(kWorks, sides, 2, [](const Work&, const SideInfo&, int) {});
  ASSERT_TRUE(report);
  EXPECT_EQ(order, "n one\np one\nn one\nn two\np two\nn two\np two\n");
  EXPECT_EQ(report->works[0].sides[1].failure, "vkMapMemory: no");
  EXPECT_EQ(report->works[1].sides[1].failure, "");
}

TEST_F(Runner, EndsWithTheFirstError) {
  const Side sides[] = {side("n", [](const Work&) -> Result<Outcome> { return fail("a signal"); }),
                        side("p", done)};
  const auto report = run_works(kWorks, sides, 2, [](const Work&, const SideInfo&, int) {});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().what, "a signal");
  EXPECT_EQ(order, "n one\n");
}

}  // namespace
}  // namespace pvgpu::bench
