// The pictures that a folder holds.
#include "display/png_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <png.h>

#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "platform/temporary_folder.h"

namespace pvgpu::display {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using virtio_gpu::PixelFormat;
using virtio_gpu::Pixels;

class PngSinkTest : public ::testing::Test {
 protected:
  // A guest's frame of 3 x 2 pixels.
  static Pixels frame(const uint32_t (&words)[6]) {
    return {.first = reinterpret_cast<const std::byte*>(words), .width = 3, .height = 2, .stride = 12, .format = PixelFormat::kB8G8R8X8};
  }
  std::set<std::string> files() const {
    std::set<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(folder_)) names.insert(file.path().filename());
    return names;
  }
  std::vector<uint8_t> rgb_of(const std::string& name) const {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    EXPECT_TRUE(png_image_begin_read_from_file(&image, (folder_ / name).c_str())) << image.message;
    image.format = PNG_FORMAT_RGB;
    EXPECT_EQ(image.width, 3u);
    EXPECT_EQ(image.height, 2u);
    std::vector<uint8_t> rgb(PNG_IMAGE_SIZE(image));
    EXPECT_TRUE(png_image_finish_read(&image, nullptr, rgb.data(), 0, nullptr)) << image.message;
    return rgb;
  }

  const platform::TemporaryFolder temporary_ = *platform::TemporaryFolder::create();
  const std::filesystem::path folder_ = std::filesystem::path(temporary_.path()) / "vm-1";
};

TEST_F(PngSinkTest, HoldsTheLastFrameAlways) {
  const uint32_t first[6] = {}, last[6] = {0x102030, 0x405060, 0x708090, 0xffffffff, 0, 0xa0b0c0};
  {
    auto sink = open_png_sink(folder_);
    ASSERT_TRUE(sink);
    for (int i = 0; i < 20; i++) (*sink)->show(0, frame(first), {0, 0, 3, 2});
    (*sink)->show(0, frame(last), {0, 0, 3, 2});
    (*sink)->blank(0);
  }
  const auto names = files();
  ASSERT_FALSE(names.empty());
  EXPECT_LT(names.size(), 10u) << "at most ten a second";
  EXPECT_TRUE(names.contains("frame-000001.png"));
  EXPECT_THAT(rgb_of(*names.rbegin()),
              ElementsAre(0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80, 0x90, 0xff, 0xff, 0xff, 0, 0, 0, 0xa0, 0xb0, 0xc0));
}

TEST_F(PngSinkTest, RemovesWhatIsFromBefore) {
  std::filesystem::create_directories(folder_);
  for (const char* name : {"frame-000007.png", "frame-123456789.png", "mine.png", "frame-notes.txt"}) std::ofstream(folder_ / name) << "x";
  ASSERT_TRUE(open_png_sink(folder_));
  EXPECT_THAT(files(), ElementsAre("frame-notes.txt", "mine.png"));
}

TEST_F(PngSinkTest, SaysWhyItCannotBe) {
  std::ofstream(folder_) << "a file";
  const auto sink = open_png_sink(folder_);
  ASSERT_FALSE(sink);
  EXPECT_THAT(sink.error().what, HasSubstr(folder_.string()));
  EXPECT_FALSE(sink.error().hint.empty());
}

}  // namespace
}  // namespace pvgpu::display
