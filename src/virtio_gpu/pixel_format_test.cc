// The bytes of every format.
#include "virtio_gpu/pixel_format.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace pvgpu::virtio_gpu {
namespace {

// A pixel written as the format's name says it: each byte is the letter of its channel.
std::string rgba_of(PixelFormat format, std::string_view pixel) {
  std::string rgba(pixel.size(), '?');
  to_rgba(format, std::as_bytes(std::span(pixel)), std::as_writable_bytes(std::span(rgba)));
  return rgba;
}

TEST(PixelFormats, BytesAreWhereTheNamesSay) {
  EXPECT_EQ(rgba_of(PixelFormat::kB8G8R8A8, "BGRA"), "RGBA");
  EXPECT_EQ(rgba_of(PixelFormat::kB8G8R8X8, "BGRX"), "RGB\xff");
  EXPECT_EQ(rgba_of(PixelFormat::kA8R8G8B8, "ARGB"), "RGBA");
  EXPECT_EQ(rgba_of(PixelFormat::kX8R8G8B8, "XRGB"), "RGB\xff");
  EXPECT_EQ(rgba_of(PixelFormat::kR8G8B8A8, "RGBA"), "RGBA");
  EXPECT_EQ(rgba_of(PixelFormat::kX8B8G8R8, "XBGR"), "RGB\xff");
  EXPECT_EQ(rgba_of(PixelFormat::kA8B8G8R8, "ABGR"), "RGBA");
  EXPECT_EQ(rgba_of(PixelFormat::kR8G8B8X8, "RGBX"), "RGB\xff");
}

TEST(PixelFormats, PixelsFollowEachOther) {
  EXPECT_EQ(rgba_of(PixelFormat::kB8G8R8A8, "BGRAbgra"), "RGBArgba");
}

TEST(PixelFormats, NumbersAreTheSpecifications) {
  for (const uint32_t number : {1u, 2u, 3u, 4u, 67u, 68u, 121u, 134u})
    EXPECT_EQ(static_cast<uint32_t>(pixel_format(number).value()), number);
  for (const uint32_t number : {0u, 5u, 66u, 69u, 120u, 122u, 133u, 135u, UINT32_MAX}) EXPECT_FALSE(pixel_format(number));
}

}  // namespace
}  // namespace pvgpu::virtio_gpu
