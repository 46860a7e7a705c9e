#include "bench/outcome.h"

#include <gtest/gtest.h>

namespace pvgpu::bench {
namespace {

TEST(Outcome, SurvivesTheWayToTheRunner) {
  Outcome told;
  told.figures = {{"p50", 2.5}, {"p99", 1e9}};
  told.distribution.add(2.5);
  told.distribution.add(0.001);
  told.gpu = "llvmpipe \"quoted\"\xff";  // bytes of a driver, which may be no UTF-8
  told.failure = "vkCreateDevice: VK_ERROR_DEVICE_LOST";
  const auto heard = parse_outcome(to_json_line(told));
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->figures, told.figures);
  EXPECT_EQ(heard->distribution.counts(), told.distribution.counts());
  EXPECT_EQ(heard->failure, told.failure);
  EXPECT_TRUE(heard->gpu.starts_with("llvmpipe \"quoted\""));
}

TEST(Outcome, IsFoundAmongWhatDriversPrint) {
  Outcome told;
  told.figures = {{"first", 12}};
  for (const std::string& text :
       {"MESA: hello\n{\"x\":1}\n" + to_json_line(told) + "bye\n", to_json_line(told)}) {
    const auto heard = parse_outcome(text);
    ASSERT_TRUE(heard) << text;
    EXPECT_EQ(heard->figures.at("first"), 12);
  }
}

TEST(Outcome, OthersWordsAreNone) {
  for (const char* text :
       {"", "\n", "\n\n", "{", "{}", "[1]", "null", "{\"pvgpu-bench\":2,\"figures\":{\"p50\":1}}",
        "{\"pvgpu-bench\":1,\"distribution\":[[1]]}"}) {
    EXPECT_FALSE(parse_outcome(text)) << text;
  }
}

}  // namespace
}  // namespace pvgpu::bench
