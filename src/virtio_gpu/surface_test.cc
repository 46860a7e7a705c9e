// Rectangles, budgets, and pictures in pages that lie anywhere.
#include "virtio_gpu/surface.h"

#include <gtest/gtest.h>

#include "virtio_gpu/page_list.h"
#include "virtio_gpu/testing/driver.h"
#include "virtio_gpu/testing/sink.h"

namespace pvgpu::virtio_gpu {
namespace {

using testing::FakeMemory;

constexpr uint32_t kMax = UINT32_MAX;

TEST(Rectangles, FitOnlyWhole) {
  EXPECT_TRUE(fits({0, 0, 10, 20}, 10, 20));
  EXPECT_TRUE(fits({9, 19, 1, 1}, 10, 20));
  for (const Rect& bad : {Rect{0, 0, 11, 20}, {0, 0, 10, 21}, {1, 0, 10, 1}, {10, 0, 1, 1}, {0, 20, 1, 1}, {0, 0, 0, 1}, {0, 0, 1, 0},
                          {kMax, 0, 1, 1}, {kMax, 0, 2, 1}, {1, 1, kMax, kMax}, {0, kMax, 1, kMax}})
    EXPECT_FALSE(fits(bad, 10, 20)) << bad.x << "," << bad.y << " " << bad.width << "x" << bad.height;
}

TEST(Rectangles, HaveInCommon) {
  EXPECT_EQ(intersection({0, 0, 10, 10}, {5, 6, 10, 10}), (Rect{5, 6, 5, 4}));
  EXPECT_EQ(intersection({2, 2, 3, 3}, {0, 0, 10, 10}), (Rect{2, 2, 3, 3}));
  EXPECT_EQ(intersection({0, 0, 5, 5}, {5, 0, 5, 5}), Rect{});
  EXPECT_EQ(intersection({kMax - 1, 0, kMax, kMax}, {kMax, 5, kMax, kMax}), (Rect{kMax, 5, kMax - 1, kMax - 5}));
}

TEST(PixelBudgets, EndAndComeBack) {
  const auto budget = std::make_shared<PixelBudget>(100);
  {
    const PixelBuffer first = PixelBuffer::create(budget, 60);
    ASSERT_TRUE(first);
    EXPECT_FALSE(PixelBuffer::create(budget, 41));
    EXPECT_TRUE(PixelBuffer::create(budget, 40));
    EXPECT_EQ(budget->left, 40u);
  }
  EXPECT_EQ(budget->left, 100u);
  EXPECT_FALSE(PixelBuffer::create(budget, UINT64_MAX));
}

TEST(BlobLayouts, MustFitInTheBlob) {
  const auto layout = [](uint32_t width, uint32_t height, uint32_t stride, uint32_t offset) {
    return BlobLayout{width, height, PixelFormat::kB8G8R8X8, stride, offset};
  };
  EXPECT_TRUE(layout(10, 10, 40, 0).fits_in(400));
  EXPECT_FALSE(layout(10, 10, 40, 0).fits_in(399));
  EXPECT_TRUE(layout(10, 10, 50, 8).fits_in(8 + 9 * 50 + 40)) << "nothing follows the last line";
  EXPECT_FALSE(layout(10, 10, 50, 9).fits_in(8 + 9 * 50 + 40));
  EXPECT_FALSE(layout(10, 10, 39, 0).fits_in(4096)) << "lines overlap";
  EXPECT_FALSE(layout(0, 10, 40, 0).fits_in(4096));
  EXPECT_FALSE(layout(10, 0, 40, 0).fits_in(4096));
  EXPECT_FALSE(layout(kMax, 10, kMax, 0).fits_in(UINT64_MAX));
  EXPECT_FALSE(layout(10, kMax, 40, 0).fits_in(UINT64_MAX));
  EXPECT_FALSE(layout(10, 2, kMax, kMax).fits_in(kMax));
}

// A page list with a page here and a page there.
class Pages : public ::testing::Test {
 protected:
  Pages() {
    for (size_t i = 0; i < 64; i++) {
      *memory_.at(FakeMemory::kLow + i) = std::byte(i);
      *memory_.at(FakeMemory::kHigh + i) = std::byte(0x80 + i);
    }
  }
  std::vector<std::byte> read(PageReader& reader, uint64_t offset, size_t count) {
    std::vector<std::byte> out(count);
    if (!reader.read(offset, out)) return {};
    return out;
  }
  static std::vector<std::byte> bytes(std::initializer_list<int> values) {
    std::vector<std::byte> out;
    for (const int value : values) out.push_back(std::byte(value));
    return out;
  }

  FakeMemory memory_;
  const std::vector<MemEntry> pages_ = {{FakeMemory::kLow + 8, 4, 0}, {FakeMemory::kLow, 0, 0}, {FakeMemory::kHigh, 3, 0},
                                        {FakeMemory::kLow, 2, 0}};
};

TEST_F(Pages, AreReadAsOneRun) {
  PageReader reader(memory_, pages_);
  EXPECT_EQ(bytes_of(pages_), 9u);
  EXPECT_EQ(read(reader, 0, 9), bytes({8, 9, 10, 11, 0x80, 0x81, 0x82, 0, 1}));
  EXPECT_EQ(read(reader, 6, 3), bytes({0x82, 0, 1}));
  EXPECT_EQ(read(reader, 3, 2), bytes({11, 0x80})) << "backwards";
  EXPECT_EQ(read(reader, 8, 1), bytes({1}));
}

TEST_F(Pages, EndWhereTheyEnd) {
  PageReader reader(memory_, pages_);
  EXPECT_TRUE(read(reader, 0, 10).empty());
  EXPECT_TRUE(read(reader, 9, 1).empty());
  EXPECT_TRUE(read(reader, UINT64_MAX, 1).empty());
  EXPECT_EQ(read(reader, 0, 1), bytes({8}));
}

TEST_F(Pages, MayNotBeInTheGuestsMemory) {
  const std::vector<MemEntry> pages = {{FakeMemory::kHigh + FakeMemory::kHighBytes - 2, 4, 0}, {UINT64_MAX - 1, 8, 0}};
  PageReader reader(memory_, pages);
  EXPECT_EQ(read(reader, 0, 2).size(), 2u);
  EXPECT_TRUE(read(reader, 0, 3).empty());
  EXPECT_TRUE(read(reader, 4, 8).empty());
}

TEST_F(Pages, OfABlobAreCopiedWhenTold) {
  // Two lines of one pixel, 16 bytes apart, from byte 4.
  const BlobLayout layout{1, 2, PixelFormat::kR8G8B8A8, 16, 4};
  const std::vector<MemEntry> pages = {{FakeMemory::kLow, 6, 0}, {FakeMemory::kHigh, 40, 0}};
  const auto budget = std::make_shared<PixelBudget>(8);
  auto surface = GuestBlobSurface::create(layout, memory_, pages, budget);
  ASSERT_TRUE(surface);
  EXPECT_FALSE(GuestBlobSurface::create(layout, memory_, pages, budget)) << "the budget is used up";
  EXPECT_TRUE(surface->update({0, 0, 1, 2}));
  const auto picture = testing::FakeSink::picture_of(surface->pixels(), {});
  EXPECT_EQ(picture.at(0, 0), 0x04058081u);
  EXPECT_EQ(picture.at(0, 1), 0x8e8f9091u);
  *memory_.at(FakeMemory::kLow + 4) = std::byte{0xff};
  *memory_.at(FakeMemory::kHigh + 14) = std::byte{0xff};
  EXPECT_TRUE(surface->update({0, 1, 1, 1}));
  const auto half = testing::FakeSink::picture_of(surface->pixels(), {});
  EXPECT_EQ(half.at(0, 0), 0x04058081u);
  EXPECT_EQ(half.at(0, 1), 0xff8f9091u);
  memory_.unplug();
  EXPECT_FALSE(surface->update({0, 0, 1, 1}));
}

}  // namespace
}  // namespace pvgpu::virtio_gpu
