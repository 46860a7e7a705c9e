#include "observe/log.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "observe/log_limit.h"
#include "observe/log_line.h"
#include "observe/user_error.h"

namespace pvgpu::observe {
namespace {

class LogTest : public testing::Test {
 protected:
  ~LogTest() override {
    set_level(Level::kInfo);
    set_tag("");
  }
};

TEST_F(LogTest, LevelsParseAsTheyAreNamed) {
  for (Level level :
       {Level::kTrace, Level::kDebug, Level::kInfo, Level::kWarn, Level::kError, Level::kOff}) {
    EXPECT_EQ(parse_level(level_name(level)), level);
  }
  EXPECT_FALSE(parse_level("verbose").has_value());
  EXPECT_FALSE(parse_level("").has_value());
}

TEST_F(LogTest, ALineHasTimeLevelTagAndText) {
  timespec time{0, 789'000'000};
  std::string line = format_line(Level::kWarn, "vkcube 1234", "text", time, false);
  EXPECT_EQ(line.substr(line.find('.')), ".789 WARN  [vkcube 1234] text\n");
  EXPECT_EQ(format_line(Level::kInfo, "", "text", time, false).substr(8), ".789 INFO  text\n");
}

TEST_F(LogTest, ColourIsOnlyThereOnRequest) {
  timespec time{};
  EXPECT_EQ(format_line(Level::kError, "t", "x", time, false).find('\x1b'), std::string::npos);
  EXPECT_NE(format_line(Level::kError, "t", "x", time, true).find("\x1b[1;31mERROR\x1b[0m"),
            std::string::npos);
}

TEST_F(LogTest, GuestTextCannotSteerTheTerminalOrFakeALine) {
  EXPECT_EQ(printable("a\nb\x1b[31m\x7f"), "a\\x0ab\\x1b[31m\\x7f");
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(printable("caf\u00e9 \u4e2d \U0001f44d"), "caf\u00e9 \u4e2d \U0001f44d");
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b");           // C1: CSI
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");           // overlong
  EXPECT_EQ(printable("\xe4\xb8"), "\\xe4\\xb8");           // truncated
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // surrogate
  EXPECT_EQ(printable("\xe2\x80\xae"), "\\xe2\\x80\\xae");  // right-to-left override
  EXPECT_EQ(printable("\xf5\x80\x80\x80"), "\\xf5\\x80\\x80\\x80");
}

TEST_F(LogTest, DisabledLevelsWriteNothingAndFormatNothing) {
  set_level(Level::kWarn);
  testing::internal::CaptureStderr();
  LOG_INFO("hidden");
  LOG_WARN("shown {}", 1);
  std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.find("hidden"), std::string::npos);
  EXPECT_NE(text.find("WARN  shown 1\n"), std::string::npos);
  set_level(Level::kOff);
  EXPECT_FALSE(enabled(Level::kError));
  EXPECT_FALSE(enabled(Level::kOff));
}

TEST_F(LogTest, ALimitLetsSoManyLinesThroughInASecondAndCountsTheRest) {
  LogLimit limit(2);
  const LogLimit::Clock::time_point start{std::chrono::seconds(100)};
  EXPECT_EQ(limit.admit(start), 0u);
  EXPECT_EQ(limit.admit(start), 0u);
  EXPECT_EQ(limit.admit(start), std::nullopt);
  EXPECT_EQ(limit.admit(start + std::chrono::milliseconds(999)), std::nullopt);
  EXPECT_EQ(limit.admit(start + std::chrono::seconds(1)), 2u);
  EXPECT_EQ(limit.admit(start + std::chrono::seconds(1)), 0u);
}

TEST_F(LogTest, TheLineAfterAFloodTellsHowManyWereLeftOut) {
  LogLimit limit(1);
  (void)limit.admit(LogLimit::Clock::time_point{});
  (void)limit.admit(LogLimit::Clock::time_point{});
  testing::internal::CaptureStderr();
  warn_within(limit, "call {} failed", 3);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("call 3 failed (1 more like it left out)\n"), std::string::npos);
}

TEST_F(LogTest, UsersAreToldWhatIsWrongAndWhatToDo) {
  testing::internal::CaptureStderr();
  print_error({"cannot listen", "pick another path\n"});
  print_error({"no hint", ""});
  print_error({"", "told already"});
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "pvgpu: cannot listen\n  hint: pick another path\\x0a\npvgpu: no hint\n");
}

TEST_F(LogTest, LinesOfManyThreadsStayWhole) {
  set_tag("tag");
  testing::internal::CaptureStderr();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++) {
    threads.emplace_back([] {
      for (int i = 0; i < 200; i++) LOG_INFO("{}", std::string(200, 'x'));
    });
  }
  for (auto& thread : threads) thread.join();
  std::istringstream lines(testing::internal::GetCapturedStderr());
  int count = 0;
  for (std::string line; std::getline(lines, line); count++) {
    ASSERT_EQ(line.substr(12), " INFO  [tag] " + std::string(200, 'x'));
  }
  EXPECT_EQ(count, 800);
}

}  // namespace
}  // namespace pvgpu::observe
