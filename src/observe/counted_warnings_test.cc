#include "observe/counted_warnings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace pvgpu::observe {
namespace {

class CountedWarningsTest : public testing::Test {
 protected:
  ~CountedWarningsTest() override { set_level(Level::kInfo); }

  // The lines that `action` writes, without what comes before the level.
  template <class Action>
  static std::string lines_of(Action action) {
    testing::internal::CaptureStderr();
    action();
    const std::string text = testing::internal::GetCapturedStderr();
    std::string lines;
    for (size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
      const std::string line = text.substr(at, end + 1 - at);
      const size_t level = std::min(line.find("WARN"), line.find("DEBUG"));
      lines += level == std::string::npos ? line : line.substr(level);
    }
    return lines;
  }

  // As a device warns of a command that it refuses. Counts how often a line was built.
  void refuse(uint32_t command, int resource) {
    warnings_.add("resource {} does not exist", command, [&] {
      built_++;
      return fmt::format("command {} refused: resource {} does not exist", command, resource);
    });
  }

  CountedWarnings warnings_{1000};
  int built_ = 0;
};

TEST_F(CountedWarningsTest, TheFirstOfEachKindIsALineAndTheOthersAreNotEvenBuilt) {
  EXPECT_EQ(lines_of([&] {
              for (int resource = 5; resource < 1005; resource++) refuse(1, resource);
              refuse(2, 7);
              for (int queue = 0; queue < 2; queue++) warnings_.warn("queue {} has nothing", queue);
            }),
            "WARN  command 1 refused: resource 5 does not exist\n"
            "WARN  command 2 refused: resource 7 does not exist\n"
            "WARN  queue 0 has nothing\n");
  EXPECT_EQ(built_, 2);
}

TEST_F(CountedWarningsTest, TheEndTellsHowManyThereWereAndBeginsAnew) {
  lines_of([&] {
    for (int resource = 5; resource < 1005; resource++) refuse(1, resource);
    refuse(2, 7);
  });
  EXPECT_EQ(lines_of([&] { warnings_.finish(); }), "WARN  command 1 refused: resource 5 does not exist (and 999 more like it)\n");
  EXPECT_EQ(lines_of([&] { warnings_.finish(); }), "");
  EXPECT_EQ(lines_of([&] { refuse(1, 3); }), "WARN  command 1 refused: resource 3 does not exist\n");
}

TEST_F(CountedWarningsTest, TheDestructorIsAnEnd) {
  EXPECT_EQ(lines_of([] {
              CountedWarnings warnings;
              for (int i = 0; i < 3; i++) warnings.warn("no {}", i);
            }),
            "WARN  no 0\nWARN  no 0 (and 2 more like it)\n");
}

TEST_F(CountedWarningsTest, AGuestThatBeginsAnewAllTheTimeFillsNoLog) {
  CountedWarnings warnings(5);
  const std::string lines = lines_of([&] {
    for (int life = 0; life < 1000; life++) {
      warnings.warn("no {}", life);
      warnings.finish();
    }
  });
  // The loop may take two seconds or three on a busy machine.
  EXPECT_LE(std::ranges::count(lines, '\n'), 50);
}

TEST_F(CountedWarningsTest, AtTheLevelDebugEachIsALine) {
  set_level(Level::kDebug);
  EXPECT_EQ(lines_of([&] {
              refuse(1, 5);
              refuse(1, 6);
            }),
            "WARN  command 1 refused: resource 5 does not exist\n"
            "DEBUG command 1 refused: resource 6 does not exist\n");
}

TEST_F(CountedWarningsTest, WhereWarningsAreOffNothingIsBuilt) {
  set_level(Level::kError);
  EXPECT_EQ(lines_of([&] { refuse(1, 5); }), "");
  EXPECT_EQ(built_, 0);
}

TEST_F(CountedWarningsTest, AGuestThatMakesUpKindsIsCountedToo) {
  lines_of([&] {
    for (uint32_t command = 0; command < CountedWarnings::kMaxKinds + 10; command++) refuse(command, 1);
    refuse(0, 1);
  });
  EXPECT_EQ(built_, static_cast<int>(CountedWarnings::kMaxKinds));
  EXPECT_EQ(lines_of([&] { warnings_.finish(); }),
            "WARN  command 0 refused: resource 1 does not exist (and 1 more like it)\nWARN  10 warnings of further kinds\n");
}

}  // namespace
}  // namespace pvgpu::observe
