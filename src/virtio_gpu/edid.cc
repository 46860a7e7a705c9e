#include "virtio_gpu/edid.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <numeric>
#include <span>
#include <string_view>

namespace pvgpu::virtio_gpu {
namespace {

constexpr uint32_t kMostPixels = 4095;  // twelve bits
constexpr uint32_t kRefreshRate = 60;
constexpr uint32_t kPixelsPerInch = 96;
constexpr std::string_view kName = "PearVisor";

uint8_t low(uint32_t value) { return static_cast<uint8_t>(value & 0xff); }
// The upper four bits of two twelve-bit values.
uint8_t high_nibbles(uint32_t left, uint32_t right) { return static_cast<uint8_t>((left >> 8) << 4 | (right >> 8)); }

// Blanking as in VESA's CVT standard with reduced blanking: nothing scans these pixels, but guests check that it is plausible.
struct Timing {
  uint32_t pixels, blank, front, sync;
};

void write_timing(std::span<uint8_t, 18> out, const Timing& across, const Timing& down, uint32_t width_mm, uint32_t height_mm) {
  const uint64_t clock = uint64_t{across.pixels + across.blank} * (down.pixels + down.blank) * kRefreshRate / 10000;
  const auto units = static_cast<uint32_t>(std::min<uint64_t>(clock, UINT16_MAX));  // 10 kHz
  out[0] = low(units);
  out[1] = low(units >> 8);
  out[2] = low(across.pixels);
  out[3] = low(across.blank);
  out[4] = high_nibbles(across.pixels, across.blank);
  out[5] = low(down.pixels);
  out[6] = low(down.blank);
  out[7] = high_nibbles(down.pixels, down.blank);
  out[8] = low(across.front);
  out[9] = low(across.sync);
  out[10] = static_cast<uint8_t>((down.front & 0xf) << 4 | (down.sync & 0xf));
  out[11] = static_cast<uint8_t>((across.front >> 8 & 3) << 6 | (across.sync >> 8 & 3) << 4 | (down.front >> 4 & 3) << 2 |
                                 (down.sync >> 4 & 3));
  out[12] = low(width_mm);
  out[13] = low(height_mm);
  out[14] = high_nibbles(width_mm, height_mm);
  out[17] = 0x1a;  // digital, separate sync, horizontal positive
}

// A descriptor that is no timing: `tag` and up to 13 bytes.
void write_descriptor(std::span<uint8_t, 18> out, uint8_t tag, std::string_view text) {
  out[3] = tag;
  std::fill(out.begin() + 5, out.end(), ' ');
  std::ranges::copy(text, out.begin() + 5);
  if (text.size() < 13) out[5 + text.size()] = '\n';
}

}  // namespace

std::array<uint8_t, kEdidBytes> make_edid(uint32_t width, uint32_t height) {
  const uint32_t columns = std::clamp(width, 1u, kMostPixels), lines = std::clamp(height, 1u, kMostPixels);
  const auto millimetres = [](uint32_t pixels) { return std::max(1u, pixels * 254 / (kPixelsPerInch * 10)); };
  std::array<uint8_t, kEdidBytes> edid{};
  const std::span<uint8_t, kEdidBytes> out(edid);
  std::fill(out.begin() + 1, out.begin() + 7, 0xff);  // every block begins so
  // The manufacturer: "PEA", five bits each; product 1, no serial number.
  const uint32_t manufacturer = ('P' - '@') << 10 | ('E' - '@') << 5 | ('A' - '@');
  out[8] = low(manufacturer >> 8);
  out[9] = low(manufacturer);
  out[10] = 1;
  out[17] = 2026 - 1990;
  out[18] = 1;
  out[19] = 4;
  out[20] = 0xa5;  // digital, 8 bits a colour, DisplayPort
  out[21] = static_cast<uint8_t>(std::min(255u, std::max(1u, millimetres(columns) / 10)));
  out[22] = static_cast<uint8_t>(std::min(255u, std::max(1u, millimetres(lines) / 10)));
  out[23] = 120;   // gamma 2.2
  out[24] = 0x06;  // sRGB, and the first timing is the preferred one
  // The chromaticity of sRGB, as the standard lists it.
  constexpr uint8_t kSrgb[] = {0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54};
  std::ranges::copy(kSrgb, out.begin() + 25);
  std::fill(out.begin() + 38, out.begin() + 54, 1);  // no standard timings
  write_timing(out.subspan<54, 18>(), {columns, 160, 48, 32}, {lines, std::max(7u, lines / 30), 3, 4}, millimetres(columns),
               millimetres(lines));
  write_descriptor(out.subspan<72, 18>(), 0xfc, kName);
  const uint8_t limits[] = {1, 200, 1, 255, 255, 1};  // vertical Hz, horizontal kHz, clock in 10 MHz; no further formula
  write_descriptor(out.subspan<90, 18>(), 0xfd, {reinterpret_cast<const char*>(limits), sizeof limits});
  write_descriptor(out.subspan<108, 18>(), 0x10, "");  // nothing
  std::fill(out.begin() + 113, out.begin() + 126, 0);
  edid[127] = static_cast<uint8_t>(0 - std::accumulate(edid.begin(), edid.end() - 1, 0u));
  return edid;
}

}  // namespace pvgpu::virtio_gpu
