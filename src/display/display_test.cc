// What users write, and what they are told.
#include "display/display.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "platform/temporary_folder.h"

namespace pvgpu::display {
namespace {

using ::testing::HasSubstr;
using Kind = DisplayOptions::Kind;

TEST(DisplayOption, IsUnderstood) {
  EXPECT_EQ(parse_display("none", "1280x800")->kind, Kind::kNone);
  const auto png = parse_display("png:/tmp/a:b", "640x480");
  EXPECT_EQ(png->kind, Kind::kPng);
  EXPECT_EQ(png->folder, "/tmp/a:b");
  EXPECT_EQ(png->size.width, 640u);
  EXPECT_EQ(png->size.height, 480u);
  const auto vnc = parse_display("vnc:0.0.0.0:5901", "8192x64");
  EXPECT_EQ(vnc->kind, Kind::kVnc);
  EXPECT_EQ(vnc->host, "0.0.0.0");
  EXPECT_EQ(vnc->port, 5901);
}

TEST(DisplayOption, IsRefusedWithAHint) {
  for (const char* bad : {"", "gtk", "png", "png:", "vnc", "vnc:", "vnc:localhost", "vnc::5900", "vnc:localhost:", "vnc:localhost:0",
                          "vnc:localhost:65536", "vnc:localhost:59x", "vnc:localhost:-1"}) {
    const auto options = parse_display(bad, "1280x800");
    ASSERT_FALSE(options) << bad;
    EXPECT_THAT(options.error().hint, HasSubstr("vnc:HOST:PORT"));
  }
  for (const char* bad : {"", "1280", "x800", "1280x", "1280x800x", "63x800", "1280x63", "8193x800", "-1x800", "1280 x 800", "99999999999x800"}) {
    const auto options = parse_display("none", bad);
    ASSERT_FALSE(options) << bad;
    EXPECT_THAT(options.error().hint, HasSubstr("1280x800"));
  }
}

TEST(DisplayOption, IsTriedOut) {
  const auto temporary = *platform::TemporaryFolder::create();
  const auto folder = std::filesystem::path(temporary.path()) / "a" / "b";
  EXPECT_TRUE(check_display({.kind = Kind::kPng, .folder = folder}));
  EXPECT_TRUE(std::filesystem::is_directory(folder));
  std::ofstream(folder / "file") << "x";
  EXPECT_FALSE(check_display({.kind = Kind::kPng, .folder = folder / "file"}));
  EXPECT_TRUE(check_display({}));
  const auto wrong = check_display({.kind = Kind::kVnc, .host = "no.such.host", .port = 5900});
  ASSERT_FALSE(wrong);
  EXPECT_FALSE(wrong.error().hint.empty());
}

TEST(DisplayOption, GivesEachMachineAFolder) {
  const auto temporary = *platform::TemporaryFolder::create();
  const DisplayOptions options{.kind = Kind::kPng, .folder = temporary.path()};
  EXPECT_TRUE(*open_display(options, 3));
  EXPECT_TRUE(std::filesystem::is_directory(std::filesystem::path(temporary.path()) / "vm-3"));
  EXPECT_FALSE(*open_display({}, 1)) << "no sink where none is wanted";
}

}  // namespace
}  // namespace pvgpu::display
