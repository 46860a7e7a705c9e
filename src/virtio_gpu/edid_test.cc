// The block as a guest's kernel reads it.
#include "virtio_gpu/edid.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string>

namespace pvgpu::virtio_gpu {
namespace {

struct Mode {
  uint32_t width, height;
  double hertz;
};

Mode preferred_mode(const std::array<uint8_t, kEdidBytes>& edid) {
  const uint8_t* const timing = edid.data() + 54;
  const uint32_t width = timing[2] | (timing[4] & 0xf0) << 4, across = timing[3] | (timing[4] & 0x0f) << 8;
  const uint32_t height = timing[5] | (timing[7] & 0xf0) << 4, down = timing[6] | (timing[7] & 0x0f) << 8;
  const double clock = (timing[0] | timing[1] << 8) * 10000.0;
  // The sync pulse lies within the blanking.
  EXPECT_LT(timing[8] + timing[9], static_cast<int>(across));
  EXPECT_LT((timing[10] >> 4) + (timing[10] & 0xf), static_cast<int>(down));
  return {width, height, clock / ((width + across) * (height + down))};
}

TEST(EdidBlock, IsWhole) {
  for (const auto& [width, height] : {std::pair{1280u, 800u}, {640u, 480u}, {1u, 1u}, {3840u, 2160u}, {UINT32_MAX, UINT32_MAX}}) {
    const auto edid = make_edid(width, height);
    EXPECT_EQ(std::accumulate(edid.begin(), edid.end(), 0u) % 256, 0u) << "the checksum of " << width << "x" << height;
    EXPECT_EQ(std::string(edid.begin(), edid.begin() + 8), std::string("\0\xff\xff\xff\xff\xff\xff\0", 8));
    EXPECT_EQ(edid[18], 1);
    EXPECT_EQ(edid[126], 0) << "no further block";
  }
}

TEST(EdidBlock, NamesTheModeAndTheMonitor) {
  for (const auto& [width, height] : {std::pair{1280u, 800u}, {1024u, 768u}, {1920u, 1080u}, {641u, 479u}}) {
    const Mode mode = preferred_mode(make_edid(width, height));
    EXPECT_EQ(mode.width, width);
    EXPECT_EQ(mode.height, height);
    EXPECT_NEAR(mode.hertz, 60, 0.5);
  }
  const auto edid = make_edid(1280, 800);
  EXPECT_EQ(std::string(edid.begin() + 72, edid.begin() + 90), std::string("\0\0\0\xfc\0PearVisor\n   ", 18));
}

TEST(EdidBlock, CutsWhatItCannotSay) {
  const Mode mode = preferred_mode(make_edid(100'000, 5000));
  EXPECT_EQ(mode.width, 4095u);
  EXPECT_EQ(mode.height, 4095u);
}

}  // namespace
}  // namespace pvgpu::virtio_gpu
