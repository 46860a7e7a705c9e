// What is seen of a scanout and its pointer, and what is said to have changed.
#include "display/screen.h"

#include <gtest/gtest.h>

#include <thread>

namespace pvgpu::display {
namespace {

using virtio_gpu::Cursor;
using virtio_gpu::PixelFormat;
using virtio_gpu::Pixels;
using virtio_gpu::Rect;

// A picture of the guest's, in one colour: 0xRRGGBBAA.
class Drawing {
 public:
  Drawing(uint32_t width, uint32_t height, uint32_t color) : width_(width), height_(height), bytes_(size_t{4} * width * height) {
    for (size_t i = 0; i < bytes_.size(); i++) bytes_[i] = std::byte(color >> 8 * (3 - i % 4) & 0xff);
  }
  void set(uint32_t x, uint32_t y, uint32_t color) {
    for (uint32_t i = 0; i < 4; i++) bytes_[4 * (size_t{y} * width_ + x) + i] = std::byte(color >> 8 * (3 - i) & 0xff);
  }
  Pixels pixels() const {
    return {.first = bytes_.data(), .width = width_, .height = height_, .stride = 4 * width_, .format = PixelFormat::kR8G8B8A8};
  }
  Rect whole() const { return {0, 0, width_, height_}; }

 private:
  uint32_t width_, height_;
  std::vector<std::byte> bytes_;
};

class ScreenTest : public ::testing::Test {
 protected:
  // 0xRRGGBB.
  uint32_t at(uint32_t x, uint32_t y) {
    uint32_t value = 0;
    for (const std::byte byte : picture_.line(y, x, 1).first(3)) value = value << 8 | static_cast<uint32_t>(byte);
    return value;
  }
  Screen screen_;
  Picture picture_;
};

TEST_F(ScreenTest, ShowsWhatIsNew) {
  EXPECT_FALSE(screen_.take(picture_));
  Drawing drawing(8, 6, 0x10203000);
  screen_.show(drawing.pixels(), drawing.whole());
  auto change = screen_.take(picture_);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->rect, drawing.whole());
  EXPECT_FALSE(change->blank);
  EXPECT_EQ(at(7, 5), 0x102030u);
  EXPECT_FALSE(screen_.take(picture_));
  drawing.set(2, 3, 0xffffff00);
  drawing.set(3, 3, 0xffffff00);
  screen_.show(drawing.pixels(), {2, 3, 1, 1});
  screen_.show(drawing.pixels(), {4, 1, 1, 1});
  change = screen_.take(picture_);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->rect, (Rect{2, 1, 3, 3})) << "what holds both";
  EXPECT_EQ(at(2, 3), 0xffffffu);
  EXPECT_EQ(at(3, 3), 0x102030u) << "was not said to be new";
}

TEST_F(ScreenTest, TakesNewSizes) {
  const Drawing large(8, 6, 0xffffff00), small(4, 3, 0x01020300);
  screen_.show(large.pixels(), large.whole());
  screen_.show(small.pixels(), {1, 1, 1, 1});
  const auto change = screen_.take(picture_);
  EXPECT_EQ(change->rect, small.whole());
  EXPECT_EQ(picture_.width, 4u);
  EXPECT_EQ(at(3, 2), 0x010203u);
}

TEST_F(ScreenTest, GoesDark) {
  const Drawing drawing(8, 6, 0xffffff00);
  screen_.show(drawing.pixels(), drawing.whole());
  screen_.take(picture_);
  screen_.blank();
  const auto change = screen_.take(picture_);
  EXPECT_TRUE(change->blank);
  EXPECT_EQ(change->rect, drawing.whole());
  EXPECT_EQ(at(0, 0), 0u);
  screen_.show(drawing.pixels(), {1, 1, 1, 1});
  EXPECT_FALSE(screen_.take(picture_)->blank);
  EXPECT_EQ(at(7, 5), 0xffffffu) << "all of it again";
}

TEST_F(ScreenTest, CutsWhatIsTooLarge) {
  const Drawing wide(Screen::kMaxWidth + 10, 2, 0x01020300), high(1, Screen::kMaxHeight + 10, 0x01020300);
  screen_.show(wide.pixels(), {Screen::kMaxWidth + 1, 0, 1, 1});
  EXPECT_EQ(screen_.take(picture_)->rect, (Rect{0, 0, Screen::kMaxWidth, 2}));
  screen_.show(wide.pixels(), {Screen::kMaxWidth + 1, 0, 1, 1});
  EXPECT_FALSE(screen_.take(picture_)) << "nothing of it is to be seen";
  screen_.show(high.pixels(), high.whole());
  EXPECT_EQ(screen_.take(picture_)->rect, (Rect{0, 0, 1, Screen::kMaxHeight}));
}

TEST_F(ScreenTest, DrawsThePointer) {
  const Drawing drawing(10, 10, 0x64646400);
  Drawing arrow(3, 2, 0x00000000);
  arrow.set(0, 0, 0xff0000ff);
  arrow.set(1, 0, 0x40000080);  // half transparent, as drivers store it: multiplied already
  screen_.show(drawing.pixels(), drawing.whole());
  screen_.move_cursor(5, 5);
  const Cursor cursor{arrow.pixels(), 1, 1};
  screen_.set_cursor(&cursor);
  screen_.take(picture_);
  EXPECT_EQ(at(4, 4), 0xff0000u);
  EXPECT_EQ(at(5, 4), 0x723232u);
  EXPECT_EQ(at(6, 4), 0x646464u) << "transparent";
  screen_.move_cursor(8, 8);
  const auto change = screen_.take(picture_);
  EXPECT_EQ(change->rect, (Rect{4, 4, 6, 5})) << "where it was and where it is";
  EXPECT_EQ(at(4, 4), 0x646464u);
  EXPECT_EQ(at(7, 7), 0xff0000u);
  screen_.set_cursor(nullptr);
  EXPECT_EQ(screen_.take(picture_)->rect, (Rect{7, 7, 3, 2}));
  EXPECT_EQ(at(7, 7), 0x646464u);
}

TEST_F(ScreenTest, ThePointerMayLeaveThePicture) {
  const Drawing drawing(10, 10, 0x00000000), block(4, 4, 0xffffffff);
  screen_.show(drawing.pixels(), drawing.whole());
  const Cursor cursor{block.pixels(), 0, 0};
  screen_.set_cursor(&cursor);
  screen_.move_cursor(-2, -3);
  screen_.take(picture_);
  EXPECT_EQ(at(1, 0), 0xffffffu);
  EXPECT_EQ(at(2, 0), 0u);
  EXPECT_EQ(at(0, 1), 0u);
  screen_.move_cursor(9, 9);
  screen_.take(picture_);
  EXPECT_EQ(at(9, 9), 0xffffffu);
  for (const auto& [x, y] : {std::pair{INT32_MIN, INT32_MIN}, {INT32_MAX, INT32_MAX}, {10, 0}, {0, -4}}) {
    screen_.move_cursor(x, y);
    screen_.take(picture_);
    for (uint32_t pixel = 0; pixel < 100; pixel++) EXPECT_EQ(at(pixel % 10, pixel / 10), 0u);
  }
}

TEST_F(ScreenTest, WakesWhoWaits) {
  const Drawing drawing(1, 1, 0);
  std::thread guest([&] {
    screen_.show(drawing.pixels(), drawing.whole());
  });
  EXPECT_TRUE(screen_.wait());
  guest.join();
  std::thread end([&] { screen_.close(); });
  EXPECT_TRUE(screen_.wait()) << "what is left";
  screen_.take(picture_);
  EXPECT_FALSE(screen_.wait());
  end.join();
}

}  // namespace
}  // namespace pvgpu::display
